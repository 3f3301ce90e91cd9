"""How each service words a refusal that a fault puts in its mouth.

By its model, or the "Common errors" of its reference. BadGateway and GatewayTimeout are no service's but a proxy's.
"""

import re

from ..service import AwsError
from .asked import Asked

# The XML protocols' common errors have no suffix ("Common errors" of Route 53's, STS's, IAM's and SNS's references).
_XML_SERVICES = frozenset({"route53", "cloudwatch", "sts", "iam", "sns", "s3"})
_UNAVAILABLE_CODES = {502: "BadGateway", 503: "ServiceUnavailable", 504: "GatewayTimeout"}
_THROTTLING = re.compile(r"Throttl|TooManyRequests|ProvisionedThroughputExceeded")
_INTERNAL = re.compile(r"^(Internal|ServiceException)")


def throttled(asked: Asked, code: str | None) -> AwsError:
    """Route 53: HTTP 400, Throttling, "Rate exceeded" (its developer guide, "Quotas"). S3: 503 SlowDown."""
    if asked.call.service == "s3":
        return AwsError(code or "SlowDown", "Please reduce your request rate.", 503)
    usual = "Throttling" if asked.call.service in _XML_SERVICES else "ThrottlingException"
    return AwsError(code or _modelled(asked, _THROTTLING) or usual, "Rate exceeded")


def failed(asked: Asked, status: int, code: str | None) -> AwsError:
    if status != 500:
        return AwsError(code or _UNAVAILABLE_CODES[status], "The service is unavailable. Please try again.", status)
    usual = _modelled(asked, _INTERNAL) or "InternalFailure"
    return AwsError(code or usual, "An internal error occurred. Please try again.", status)


def denied(asked: Asked, code: str | None) -> AwsError:
    call = asked.call
    usual = "AccessDenied" if call.service in _XML_SERVICES else _modelled(asked, re.compile("^AccessDenied"))
    words = f"User: {call.caller} is not authorized to perform: {call.service}:{call.operation}"
    return AwsError(code or usual or "AccessDeniedException", words, 403 if call.service in _XML_SERVICES else 400)


def out_of_time(asked: Asked) -> AwsError:
    """A signature is good for five minutes (IAM user guide, "Elements of an AWS API request signature")."""
    if asked.call.service == "s3":
        return AwsError("RequestTimeTooSkewed", "The difference between the request time and now is too large.", 403)
    code = "SignatureDoesNotMatch" if asked.call.service in _XML_SERVICES else "InvalidSignatureException"
    return AwsError(code, "Signature expired: it is not within 5 minutes of the current time.", 403)


def _modelled(asked: Asked, wanted: re.Pattern[str]) -> str | None:
    """The first error of this kind that the model lists for the operation."""
    if asked.wire is None or not asked.incoming.operation:
        return None
    names = [str(shape.name) for shape in asked.wire.operation(asked.incoming.operation).error_shapes]
    return next((name for name in names if wanted.search(name)), None)
