"""Endpoints that are not AWS's own, as the operator's environment and profile name them.

The order is the SDK's (AWS SDKs and Tools reference, "Service-specific endpoints"): the service's variable, the
global variable, the service's entry in the profile's ``services`` section, the profile's ``endpoint_url``; nothing
of it where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true.
"""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from ...model.facts import EndpointOverride
from .session import Sessions

VARIABLE = "AWS_ENDPOINT_URL"
EVERY_SERVICE = "every service"
OWN_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".aws.dev", ".on.aws")


def overrides(sessions: Sessions) -> Iterator[EndpointOverride]:
    """Every configured endpoint that is not AWS's own, the environment's first; each service once."""
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
            yield service.replace("_", "-"), settings["endpoint_url"]
    if profile.get("endpoint_url"):
        yield EVERY_SERVICE, profile["endpoint_url"]


def _environment() -> Iterator[tuple[str, str]]:
    for variable, url in sorted(os.environ.items()):
        if not url:
            continue
        if variable == VARIABLE:
            yield EVERY_SERVICE, url
        elif variable.startswith(VARIABLE + "_"):
            yield variable.removeprefix(VARIABLE + "_").lower().replace("_", "-"), url


def _ignored(sessions: Sessions) -> bool:
    said = os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "")
    said = said or str(sessions.scoped_config().get("ignore_configured_endpoint_urls", ""))
    return said.lower() == "true"
