"""Route 53's health checks: their configurations, versions and what may be changed about them.

Whether a check *is* healthy is worked out elsewhere (``health_checks.py``) and asked for through ``health_of``.
Rules: API reference ``HealthCheckConfig`` and ``UpdateHealthCheck``.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .operations import Answer, Operation
from .service import AwsError, Call

Config = dict[str, Any]

ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
MAX_CHILDREN = 255

_EVERY = frozenset({"Type", "Inverted", "Disabled"})
_ENDPOINT = frozenset(
    {
        "IPAddress",
        "Port",
        "ResourcePath",
        "FullyQualifiedDomainName",
        "SearchString",
        "RequestInterval",
        "FailureThreshold",
        "MeasureLatency",
        "EnableSNI",
        "Regions",
        "EndpointType",
        "HealthCheckSourceId",
    }
)
_FIELDS = {
    "CALCULATED": frozenset({"HealthThreshold", "ChildHealthChecks"}),
    "CLOUDWATCH_METRIC": frozenset({"AlarmIdentifier", "InsufficientDataHealthStatus"}),
    "RECOVERY_CONTROL": frozenset({"RoutingControlArn"}),
} | dict.fromkeys(ENDPOINT_TYPES, _ENDPOINT)
_NEEDED = {
    "CALCULATED": ("HealthThreshold", "ChildHealthChecks"),
    "CLOUDWATCH_METRIC": ("AlarmIdentifier",),
    "RECOVERY_CONTROL": ("RoutingControlArn",),
    "HTTP_STR_MATCH": ("SearchString",),
    "HTTPS_STR_MATCH": ("SearchString",),
    "TCP": ("Port",),
}
_STATES = ("Healthy", "Unhealthy", "LastKnownStatus")


@dataclass(frozen=True)
class Check:
    """One health check as stored; an update makes a new one of the next version."""

    id: str
    reference: str
    config: Config
    version: int = 1

    def as_api(self) -> Answer:
        return {
            "Id": self.id,
            "CallerReference": self.reference,
            "HealthCheckConfig": self.config,
            "HealthCheckVersion": self.version,
        }


class Checks:
    """The health checks of the account. Optimistic locking by version; the type never changes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._checks: dict[str, Check] = {}
        self.health_of: Callable[[str], bool] = lambda _: True  # as a new check: healthy until observed otherwise
        self.new_check_id: Callable[[], str] = lambda: str(uuid.uuid4())  # a twin's check keeps the id it has in AWS
        self.words_of: Callable[[str], str] | None = None  # an endpoint's last probe, before Inverted and Disabled

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateHealthCheck": self._create,
            "GetHealthCheck": lambda call: {"HealthCheck": self._find(call).as_api()},
            "GetHealthCheckCount": lambda _: {"HealthCheckCount": len(self._checks)},
            "GetHealthCheckStatus": self._status,
            "UpdateHealthCheck": self._update,
            "DeleteHealthCheck": self._delete,
            "ListHealthChecks": self._list,
        }

    def configs(self) -> dict[str, Config]:
        """The configuration of every check, by id."""
        return {check.id: dict(check.config) for check in tuple(self._checks.values())}

    def __contains__(self, check_id: object) -> bool:
        return check_id in self._checks

    def _find(self, call: Call) -> Check:
        check_id = str(call.params["HealthCheckId"])
        if check_id not in self._checks:
            raise AwsError("NoSuchHealthCheck", f"A health check with id {check_id} does not exist.", 404)
        return self._checks[check_id]

    def _create(self, call: Call) -> Answer:
        """The same caller reference with the same settings answers the same check, with others it is refused."""
        reference, asked = str(call.params["CallerReference"]), dict(call.params["HealthCheckConfig"])
        config = _with_defaults(asked)
        self._judge(None, config)
        for check in self._checks.values():
            if check.reference == reference:
                if check.config == config:
                    return self._created(check)
                message = f"A health check with the caller reference {reference} and different settings exists."
                raise AwsError("HealthCheckAlreadyExists", message, 409)
        check = Check(self.new_check_id(), reference, config)
        self._checks[check.id] = check
        return self._created(check)

    def _created(self, check: Check) -> Answer:
        return {"HealthCheck": check.as_api(), "Location": f"/2013-04-01/healthcheck/{check.id}"}

    def _update(self, call: Call) -> Answer:
        """Changes what is named, resets what is listed, refuses a stale version (the guard against lost updates)."""
        check, wanted = self._find(call), dict(call.params)
        version = wanted.pop("HealthCheckVersion", None)
        if version is not None and version != check.version:
            message = f"The health check {check.id} has version {check.version}, not {version}."
            raise AwsError("HealthCheckVersionMismatch", message, 409)
        resets = wanted.pop("ResetElements", [])
        del wanted["HealthCheckId"]
        config = {name: value for name, value in check.config.items() if name not in resets} | wanted
        self._judge(check.id, config)
        updated = Check(check.id, check.reference, config, check.version + 1)
        self._checks[check.id] = updated
        return {"HealthCheck": updated.as_api()}

    def _judge(self, check_id: str | None, config: Config) -> None:
        problems = [*_problems(config)]
        for child in config.get("ChildHealthChecks") or ():
            if child not in self._checks:
                problems.append(f"The child health check {child} does not exist")
            elif check_id is not None and self._leads_to(child, check_id):
                problems.append(f"The child health check {child} depends on this health check")
        if problems:
            raise AwsError("InvalidInput", "Invalid parameter: " + "; ".join(problems))

    def _leads_to(self, start: str, goal: str) -> bool:
        children = self._checks[start].config.get("ChildHealthChecks") or () if start in self._checks else ()
        return start == goal or any(self._leads_to(child, goal) for child in children)

    def _delete(self, call: Call) -> Answer:
        """Deletes it even where records use it, as Route 53 does; a calculated parent keeps it."""
        check = self._find(call)
        if parents := [
            other.id for other in self._checks.values() if check.id in (other.config.get("ChildHealthChecks") or ())
        ]:
            raise AwsError("HealthCheckInUse", f"The health check is a child of {', '.join(parents)}.")
        del self._checks[check.id]
        return {}

    def _list(self, call: Call) -> Answer:
        """By id; ``Marker`` is the id of the first one wanted."""
        marker, limit = str(call.params.get("Marker") or ""), int(call.params.get("MaxItems") or 100)
        wanted = sorted(check_id for check_id in self._checks if check_id >= marker)
        page, more = wanted[:limit], wanted[limit:]
        answer: Answer = {
            "HealthChecks": [self._checks[check_id].as_api() for check_id in page],
            "Marker": marker,
            "IsTruncated": bool(more),
            "MaxItems": str(limit),
        }
        return answer | ({"NextMarker": more[0]} if more else {})

    def _status(self, call: Call) -> Answer:
        """What the checkers see, before Inverted and Disabled. Not for calculated checks (API reference).

        Only endpoints have checkers; for an alarm or routing control the health Route 53 acts on is told.
        """
        check = self._find(call)
        kind = check.config["Type"]
        if kind == "CALCULATED":
            raise AwsError("InvalidInput", "Calculated health checks have no status of their own.")
        if self.words_of is not None and kind in ENDPOINT_TYPES:
            status = self.words_of(check.id)
        else:
            status = "Success: HTTP Status Code 200, OK" if self.health_of(check.id) else "Failure: the check failed."
        report = {"Status": status, "CheckedTime": self._clock()}
        observations = [{"Region": region, "IPAddress": ip, "StatusReport": report} for region, ip in _CHECKERS]
        return {"HealthCheckObservations": observations}


_CHECKERS = (("us-east-1", "192.0.2.1"), ("us-west-1", "192.0.2.2"), ("us-west-2", "192.0.2.3"))


def _with_defaults(config: Config) -> Config:
    """The configuration as the API returns it, with the defaults its reference names."""
    defaults: Config = {"Inverted": False, "Disabled": False}
    kind = str(config.get("Type"))
    if kind in ENDPOINT_TYPES:
        secure = kind.startswith("HTTPS")
        defaults |= {"RequestInterval": 30, "FailureThreshold": 3, "MeasureLatency": False, "EnableSNI": secure}
        defaults |= {} if kind == "TCP" else {"Port": 443 if secure else 80}
    if kind == "CLOUDWATCH_METRIC":
        defaults["InsufficientDataHealthStatus"] = "LastKnownStatus"
    return defaults | {name: value for name, value in config.items() if value is not None}


def _problems(config: Config) -> Iterator[str]:
    kind = config.get("Type")
    if kind not in _FIELDS:
        yield f"Type {kind} is not a health check type"
        return
    for name in sorted(config.keys() - _FIELDS[kind] - _EVERY):
        yield f"{name} cannot be set for a health check of type {kind}"
    for name in _NEEDED.get(kind, ()):
        if config.get(name) is None:
            yield f"{name} is required for a health check of type {kind}"
    if kind in ENDPOINT_TYPES:
        yield from _endpoint_problems(config)
    if len(config.get("ChildHealthChecks") or ()) > MAX_CHILDREN:
        yield f"A calculated health check has at most {MAX_CHILDREN} children"
    if not 0 <= config.get("HealthThreshold", 0) <= 256:
        yield "HealthThreshold is not between 0 and 256"
    if config.get("InsufficientDataHealthStatus", _STATES[0]) not in _STATES:
        yield f"InsufficientDataHealthStatus is none of {', '.join(_STATES)}"


def _endpoint_problems(config: Config) -> Iterator[str]:
    if not config.get("IPAddress") and not config.get("FullyQualifiedDomainName"):
        yield "IPAddress or FullyQualifiedDomainName is required"
    if not 1 <= config.get("Port", 80) <= 65535:
        yield "Port is not between 1 and 65535"
    if config["RequestInterval"] not in (10, 30):
        yield "RequestInterval is neither 10 nor 30"
    if not 1 <= config["FailureThreshold"] <= 10:
        yield "FailureThreshold is not between 1 and 10"
