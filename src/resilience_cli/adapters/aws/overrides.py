"""Endpoints that are not AWS's own, as the operator's environment and profile name them.

The order is the SDK's (AWS SDKs and Tools reference, "Service-specific endpoints"): the service's variable, the
global variable, the service's entry in the profile's ``services`` section, the profile's ``endpoint_url``; nothing
of it where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true. One that is no URL is told before anything is asked: the SDK
would fail at each call, one by one, and in words that do not name the variable.
"""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from botocore.utils import is_valid_uri

from ...errors import UsageError
from ...model.facts import EndpointOverride
from .session import Sessions

VARIABLE = "AWS_ENDPOINT_URL"
EVERY_SERVICE = "every service"
OWN_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".aws.dev", ".on.aws")


def overrides(sessions: Sessions) -> Iterator[EndpointOverride]:
    """Every configured endpoint that is not AWS's own, the environment's first; each service once.

    Raises UsageError for one that is no URL of a host.
    """
    told: set[str] = set()
    configured = () if _ignored(sessions) else (*_environment(), *_profile(sessions))
    for service, url in configured:
        if service not in told and not is_aws_own(url):
            told.add(service)
            yield EndpointOverride(service=service, url=url)


def configured_endpoint(sessions: Sessions, service: str) -> str | None:
    """The URL the operator set for this service, or for all; None where the SDK decides."""
    if _ignored(sessions):
        return None
    for known in (dict(_environment()), dict(_profile(sessions))):
        for name in (service, EVERY_SERVICE):
            if name in known:
                return known[name]
    return None


def is_aws_own(url: str) -> bool:
    """Whether the URL's host is in a domain of AWS (VPC endpoints' included)."""
    host = (urlsplit(url).hostname or "").lower()
    return any(host.endswith(suffix) for suffix in OWN_SUFFIXES)


def _profile(sessions: Sessions) -> Iterator[tuple[str, str]]:
    profile = sessions.scoped_config()
    services = sessions.full_config().get("services", {}).get(profile.get("services", ""), {})
    for service, settings in services.items():
        if isinstance(settings, dict) and settings.get("endpoint_url"):
            url = _checked(settings["endpoint_url"], f"endpoint_url of {service} in the profile's services")
            yield service.replace("_", "-"), url
    if profile.get("endpoint_url"):
        yield EVERY_SERVICE, _checked(profile["endpoint_url"], "endpoint_url in the profile")


def _environment() -> Iterator[tuple[str, str]]:
    for variable, url in sorted(os.environ.items()):
        if not url:
            continue
        if variable == VARIABLE:
            yield EVERY_SERVICE, _checked(url, variable)
        elif variable.startswith(VARIABLE + "_"):
            yield variable.removeprefix(VARIABLE + "_").lower().replace("_", "-"), _checked(url, variable)


def _checked(url: str, named: str) -> str:
    """The URL, if the SDK takes it for one. Raises UsageError, which says where it is set."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and is_valid_uri(url) and (parts.port is None or parts.port > 0)
    except ValueError:  # a bracket that is not closed, a port that is no number
        usable = False
    if not usable:
        hint = "a URL such as http://localhost:4566, or nothing"
        raise UsageError(f"{named}={url}: not the URL of an endpoint", hint=hint)
    return url


def _ignored(sessions: Sessions) -> bool:
    said = os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "")
    said = said or str(sessions.scoped_config().get("ignore_configured_endpoint_urls", ""))
    return said.lower() == "true"
