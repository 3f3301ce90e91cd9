"""Route 53 health checks: their configuration, what their checkers measure, and their two switches.

Source: Route 53 API reference. ``UpdateHealthCheck`` with ``HealthCheckVersion`` is a compare-and-swap, refused with
HealthCheckVersionMismatch. ``GetHealthCheckStatus`` gives one observation a checker ("Success: ..." or
"Failure: ..."), for checks of endpoints only; developer guide, "How Amazon Route 53 determines whether a health check
is healthy": healthy if more than 18 % of the checkers say so.

``HealthCheck.health`` is what was measured, before the switches: ``routing.effective_health`` applies those, and
finds the health of CALCULATED checks from their children and of RECOVERY_CONTROL checks from their routing control.
"""

from collections.abc import Iterable, Iterator

from ...errors import AwsTrouble
from ...model.effects import CheckEffect, Receipt
from ...model.records import CheckSwitch, Health, HealthCheck
from .reading import legible
from .session import Answer, Api, Sessions
from .zones import CONTROL_PLANE

ENDPOINT_TYPES = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"})
HEALTHY_SHARE = 0.18


class Checks:
    """The account's health checks."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @property
    def _api(self) -> Api:
        return self._sessions.reader("route53", CONTROL_PLANE)

    def read(self, ids: Iterable[str]) -> tuple[HealthCheck, ...]:
        """These checks and the children they are calculated from, with what is measured. NotFound if one is missing."""
        return tuple(self._measured(check) for check in self._with_children(ids))

    def configuration(self, id_: str) -> HealthCheck:
        """One check's configuration; its health is not asked for."""
        return _check(self._api.patiently("GetHealthCheck", HealthCheckId=id_)["HealthCheck"])

    def whole(self, measured: Iterable[str]) -> tuple[HealthCheck, ...]:
        """Every check of the account; those named, and their children, with what is measured."""
        checks = {check.id: check for check in self._listed()}
        wanted, waiting = set[str](), list(measured)
        while waiting:
            id_ = waiting.pop()
            if id_ in checks and id_ not in wanted:
                wanted.add(id_)
                waiting += checks[id_].children
        return tuple(self._measured(check) if check.id in wanted else check for check in checks.values())

    def switch(self, effect: CheckEffect) -> Receipt:
        """Set one check's switches, if it is still of the version planned on. Conflicting if it is not.

        An answer without the check is not Route 53's (a proxy's page): Uncertain.
        """
        api = self._sessions.writer("route53", CONTROL_PLANE)
        answer = api.ask(
            "UpdateHealthCheck",
            HealthCheckId=effect.check.id,
            HealthCheckVersion=effect.check.version,
            Disabled=effect.check.after.disabled,
            Inverted=effect.check.after.inverted,
        )
        legible("route53 UpdateHealthCheck", lambda: _check(answer["HealthCheck"]))()
        return Receipt(request_id=str(answer.get("ResponseMetadata", {}).get("RequestId", "")), endpoint=api.url)

    def _with_children(self, ids: Iterable[str]) -> Iterator[HealthCheck]:
        waiting, seen = list(ids), set[str]()
        while waiting:
            id_ = waiting.pop(0)
            if id_ not in seen:
                seen.add(id_)
                check = self.configuration(id_)
                waiting += check.children
                yield check

    def _listed(self) -> Iterator[HealthCheck]:
        start: Answer = {}
        while True:
            page = self._api.patiently("ListHealthChecks", MaxItems="1000", **start)
            yield from (_check(found) for found in page["HealthChecks"])
            if not page.get("IsTruncated"):
                return
            start = {"Marker": page["NextMarker"]}

    def _measured(self, check: HealthCheck) -> HealthCheck:
        """The check with what its checkers say; a status that cannot be read is unknown, the rest is still true.

        A disabled check is not asked for: it has no observations, and its switch alone decides.
        """
        if check.type not in ENDPOINT_TYPES or check.switch.disabled:
            return check

        def ask() -> Health:
            status = self._api.patiently("GetHealthCheckStatus", HealthCheckId=check.id)
            return _health(status.get("HealthCheckObservations", ()))

        try:
            return check.model_copy(update={"health": legible(f"status of health check {check.id}", ask)()})
        except AwsTrouble:
            return check


def _health(observations: Iterable[Answer]) -> Health:
    said = [str(each.get("StatusReport", {}).get("Status", "")) for each in observations]
    good = sum(status.startswith("Success") for status in said)
    known = good + sum(status.startswith("Failure") for status in said)
    if known == 0:
        return Health.UNKNOWN
    return Health.HEALTHY if good / known > HEALTHY_SHARE else Health.UNHEALTHY


def _check(found: Answer) -> HealthCheck:
    config = found["HealthCheckConfig"]
    return HealthCheck(
        id=found["Id"],
        version=found["HealthCheckVersion"],
        type=config["Type"],
        switch=CheckSwitch(disabled=bool(config.get("Disabled")), inverted=bool(config.get("Inverted"))),
        routing_control_arn=config.get("RoutingControlArn"),
        children=tuple(config.get("ChildHealthChecks", ())),
        threshold=config.get("HealthThreshold"),
    )
