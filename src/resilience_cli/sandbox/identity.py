"""Who asks, which service, and for which Region: read off the SigV4 credential scope.

The scope is ``AKID/20260101/us-west-2/monitoring/aws4_request`` (IAM user guide, "Elements of an AWS API request
signature"). Signatures are not verified: the sandbox has no secrets to guard.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qs

from .listener import Request

ACCOUNT = "123456789012"

_SCOPE = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_SERVICE_BY_SIGNING_NAME = {"monitoring": "cloudwatch"}

# Where a service has one control plane, its calls count as that Region's (endpoints and quotas reference):
# Route 53 and IAM in us-east-1, AWS Health's active endpoint there too, ARC's configuration API in us-west-2.
_HOME = {
    "route53": "us-east-1",
    "iam": "us-east-1",
    "health": "us-east-1",
    "route53-recovery-control-config": "us-west-2",
}


class Identity(NamedTuple):
    """``service`` is botocore's name, "" where the request is not signed."""

    caller: str
    service: str
    region: str


ANONYMOUS = Identity("", "", "")


def identify(request: Request) -> Identity:
    """The identity a request claims, by header or, for a presigned URL, by query string."""
    match = _SCOPE.search(request.header("Authorization")) or _SCOPE.search(_presigned(request.query))
    if match is None:
        return ANONYMOUS
    caller, region, signing_name = match.groups()
    service = _SERVICE_BY_SIGNING_NAME.get(signing_name, signing_name)
    return Identity(caller, service, _HOME.get(service, region))


def _presigned(query: str) -> str:
    if "X-Amz-Credential" not in query:
        return ""
    return f"Credential={parse_qs(query)['X-Amz-Credential'][0]}"
