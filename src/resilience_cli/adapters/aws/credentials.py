"""The caller's credentials, found without depending on one Region.

Sources: IAM user guide, "AWS STS Regions and endpoints" (the Regional endpoints are independent, and credentials of
one are good in all); AWS fault isolation boundaries, appendix B (fail over to another Region's STS). The SDK asks one
Region's STS only, that of the first client made; here its credential providers are given an STS that asks the
Regions in turn, so that a role is assumed while one of them hangs, at the start of a command and when renewing.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials

from ...errors import AwsTrouble, ResilError, Throttled, Uncertain, Unreachable, UsageError
from .bounded import NobodyAnswered, Patience, Place, first_answer
from .trouble import trouble

PROVIDER = Config(connect_timeout=3, read_timeout=4, retries={"total_max_attempts": 1, "mode": "standard"})
"""Limits of what the SDK's credential providers ask."""
FORGET_S = 30.0
ELSEWHERE = frozenset({"RegionDisabledException"})  # STS in a Region that is not enabled for the account


class SdkSession(botocore.session.Session):
    """The SDK's session. Its credential providers make their clients by ``create_client``, we make ours by ``make``."""

    def __init__(self, *, profile: str | None, sts_regions: Sequence[str], patience: Patience) -> None:
        super().__init__(profile=profile)
        self._sts_regions = tuple(sts_regions)
        self._patience = patience
        self._making = threading.RLock()  # making a client is not thread-safe, and may ask for credentials' clients
        self._failure = Failure()
        # Before AWS's own default became regional, STS in us-east-1 served all (STS Regionalized endpoints).
        self.set_config_variable("sts_regional_endpoints", "regional")

    def make(self, service: str, region: str, endpoint: str | None, config: Config) -> Any:
        with self._making:
            return super().create_client(service, region_name=region, endpoint_url=endpoint, config=config)

    def create_client(self, service_name: Any, *args: Any, **kwargs: Any) -> Any:
        """A client for a credential provider of the SDK: bounded, and STS in every Region that may be asked."""
        given = kwargs.pop("config", None)
        kwargs["config"] = PROVIDER.merge(given) if given is not None else PROVIDER

        def make(region: str) -> Any:
            with self._making:
                return super(SdkSession, self).create_client(service_name, *args, **kwargs | {"region_name": region})

        if service_name == "sts" and self._sts_regions:
            return RegionalSts(make, self._sts_regions, self._patience, self._failure)
        with self._making:
            return super().create_client(service_name, *args, **kwargs)

    def expiry(self) -> datetime | None:
        """When the credentials in use end; None where they don't, or their source does not say."""
        # The SDK knows it of every kind of credentials it can renew, and publishes it nowhere.
        found: datetime | None = getattr(self.get_credentials(), "_expiry_time", None)
        return found.astimezone(UTC) if found is not None else None


class Failure:
    """The last time that no Region gave credentials: many threads want them, and only one should have to wait."""

    def __init__(self) -> None:
        self._last: tuple[float, UsageError] | None = None

    def check(self) -> None:
        if self._last is not None and time.monotonic() - self._last[0] < FORGET_S:
            raise self._last[1]

    def remember(self, error: UsageError) -> UsageError:
        self._last = (time.monotonic(), error)
        return error


class RegionalSts:
    """As much of an STS client as the SDK's credential providers use, over several Regions."""

    def __init__(
        self, make: Callable[[str], Any], regions: Sequence[str], patience: Patience, failure: Failure
    ) -> None:
        self._clients = {region: make(region) for region in regions}
        self._patience = patience
        self._failure = failure

    def assume_role(self, **params: Any) -> Any:
        return self._ask("assume_role", "AssumeRole", params)

    def assume_role_with_web_identity(self, **params: Any) -> Any:
        return self._ask("assume_role_with_web_identity", "AssumeRoleWithWebIdentity", params)

    def _ask(self, method: str, operation: str, params: dict[str, Any]) -> Any:
        """The first Region's answer. UsageError if none gives credentials, or one refuses to."""
        self._failure.check()

        def asks(region: str, client: Any) -> Callable[[], Any]:
            def ask() -> Any:
                try:
                    return getattr(client, method)(**params)
                except Exception as error:
                    raise trouble(error, f"sts {operation} in {region}") from error

            return ask

        places = [Place(region, asks(region, client)) for region, client in self._clients.items()]
        try:
            return first_answer(places, self._patience, is_refusal)
        except NobodyAnswered as nobody:
            raise self._failure.remember(_unusable(operation, nobody)) from nobody


def is_refusal(error: Exception) -> bool:
    """Whether STS answered and said no, which it would in every Region."""
    return not isinstance(error, Uncertain | Unreachable | Throttled) and getattr(error, "code", "") not in ELSEWHERE


def _unusable(operation: str, nobody: NobodyAnswered) -> UsageError:
    refusal = next((error for error in nobody.errors if is_refusal(error)), None)
    if isinstance(refusal, UsageError):
        return refusal
    if refusal is not None:
        return UsageError(f"AWS gives no credentials: {refusal}", hint="check the role of this profile")
    return UsageError(
        f"no AWS credentials: STS gave no answer to {operation} in any Region: {nobody}",
        hint="use a profile whose keys need no STS (AWS_PROFILE), or try again",
    )


def frozen(session: botocore.session.Session) -> ReadOnlyCredentials:
    """The session's credentials now, renewed if need be. UsageError where there are none or their source fails."""
    try:
        credentials = session.get_credentials()
        if credentials is not None:
            return credentials.get_frozen_credentials()
    except Exception as error:
        raise _as_usage(trouble(error, "credentials")) from error
    raise UsageError(
        "no AWS credentials were found", hint="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )


def _as_usage(told: AwsTrouble | ResilError) -> ResilError:
    """Whatever keeps credentials from coming is the credentials' trouble, not that of what they are wanted for."""
    if isinstance(told, ResilError):
        return told
    return UsageError(f"no usable AWS credentials: {told.message}", hint="renew them (such as aws sso login)")
