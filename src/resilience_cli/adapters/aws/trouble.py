"""Every way a call to AWS goes wrong, told in our words. The one place that knows the SDK's exceptions.

The question that decides is whether the request can have had an effect: a refusal (4xx) and a connection that was
never made surely had none; a server error, a timeout after connecting, a reset or an answer that cannot be read may
have. Error codes are those of the services' models and of "Common errors" in each service's API reference.
"""

from typing import Any

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from ...errors import (
    AwsTrouble,
    Conflicting,
    Denied,
    Malformed,
    NotFound,
    ResilError,
    Throttled,
    Uncertain,
    Unreachable,
    UsageError,
)

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "SubscriptionRequiredException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
NOT_FOUND = frozenset(
    {
        "NoSuchChange",
        "NoSuchHealthCheck",
        "NoSuchHostedZone",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "TableNotFoundException",
    }
)
CONFLICTING = frozenset(
    {
        "ConditionalCheckFailedException",
        "ConflictException",
        "ConflictingDomainExists",
        "HealthCheckVersionMismatch",
        "InvalidChangeBatch",
    }
)
SERVER_SIDE = frozenset(
    {
        "EndpointTemporarilyUnavailableException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "InternalServiceFault",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)

NOT_SENT = (sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ProxyConnectionError)
"""Raised before a byte of the request left: the name did not resolve, or no TCP connection was made
(botocore.httpsession.URLLib3Session.send). A TLS handshake that hangs is a read timeout there, and so uncertain."""

NO_CREDENTIALS = (
    sdk.ConfigNotFound,
    sdk.ConfigParseError,
    sdk.InvalidConfigError,
    sdk.LoginError,
    sdk.NoAuthTokenError,
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.ProfileNotFound,
    sdk.RefreshWithMFAUnsupportedError,
    sdk.SSOError,
    sdk.TokenRetrievalError,
    sdk.UnknownCredentialError,
)
NEVER_ASKED = (
    sdk.EndpointProviderError,
    sdk.NoRegionError,
    sdk.ParamValidationError,
    sdk.UnknownServiceError,
    sdk.ValidationError,
)
RENEW = "renew the credentials (such as aws sso login) and try again"


def trouble(error: Exception, what: str) -> AwsTrouble | ResilError:
    """What an exception of the SDK means for the call ``what`` ("route53 GetChange in us-east-1").

    UsageError where the caller's credentials or configuration do not serve; our own errors pass through.
    """
    if isinstance(error, AwsTrouble | ResilError):
        return error
    if isinstance(error, sdk.ClientError):
        return _refusal(error, what)
    said = _one_line(f"{what}: {error}")
    if isinstance(error, sdk.CredentialRetrievalError):
        # The provider's own trouble (a command that failed, an unreachable metadata service) is only in the text.
        return UsageError(said, hint=RENEW)
    if isinstance(error, NO_CREDENTIALS):
        return UsageError(_one_line(f"no usable AWS credentials: {error}"), hint=_cure(error))
    if isinstance(error, NOT_SENT):
        return Unreachable(said)
    if isinstance(error, NEVER_ASKED):
        return Malformed(said)
    if isinstance(error, sdk.BotoCoreError | ResponseParserError | OSError):
        return Uncertain(said)
    # Anything else is an answer of a shape nobody expected: the call was made, what came back says nothing.
    return Uncertain(_one_line(f"{what}: an answer that cannot be read ({type(error).__name__}: {error})"))


def _cure(error: Exception) -> str:
    if isinstance(error, sdk.ProfileNotFound):
        return "name a profile of ~/.aws/config in AWS_PROFILE"
    if isinstance(error, sdk.NoCredentialsError | sdk.PartialCredentialsError):
        return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return RENEW


def _refusal(error: sdk.ClientError, what: str) -> AwsTrouble | ResilError:
    answer: Any = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    said = _one_line(f"{what}: {code}: {_words(answer)}")
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) or 400)
    if code in EXPIRED:
        return UsageError(said, hint=RENEW)
    for codes, kind in _BY_CODE:
        if code in codes:
            return kind(said, code=code)
    return _by_status(status)(said, code=code)


_BY_CODE: tuple[tuple[frozenset[str], type[AwsTrouble]], ...] = (
    (DENIED, Denied),
    (THROTTLED, Throttled),
    (NOT_FOUND, NotFound),
    (CONFLICTING, Conflicting),
    (SERVER_SIDE, Uncertain),
)


def _by_status(status: int) -> type[AwsTrouble]:
    """For codes without a name here, and for the answers of proxies, which have none."""
    if status >= 500:
        return Uncertain
    if status == 429:
        return Throttled
    return Denied if status in (401, 403, 407) else Malformed


def _words(answer: Any) -> str:
    """The message, or the list of them that Route 53's InvalidChangeBatch carries (its member ``messages``)."""
    listed = answer.get("messages") or answer.get("Messages") or ()
    message = str(answer.get("Error", {}).get("Message", "") or answer.get("message", ""))
    return message if message or not listed else "; ".join(str(each) for each in listed)


def _one_line(text: str) -> str:
    return " ".join(text.split())
