from typing import Any

import pytest

from resilience_cli.adapters.aws.checks import Checks
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.errors import Conflicting, NotFound, Uncertain
from resilience_cli.model.effects import CheckChange, CheckEffect
from resilience_cli.model.records import FORCED_UNHEALTHY, CheckSwitch, Health

from .conftest import EAST, NOW, WEST, WEST_CONTROL, Answering, Stub


def check(id_: str, type_: str = "HTTPS", version: int = 3, **config: Any) -> dict[str, Any]:
    whole = {"Type": type_, **config}
    return {"Id": id_, "CallerReference": "x", "HealthCheckVersion": version, "HealthCheckConfig": whole}


def said(*statuses: str) -> dict[str, Any]:
    reports = [{"StatusReport": {"Status": status, "CheckedTime": NOW}} for status in statuses]
    return {"HealthCheckObservations": reports}


GOOD, POOR = "Success: HTTP Status Code 200, OK", "Failure: The health checker could not establish a connection"


@pytest.mark.parametrize(
    ("statuses", "health"),
    [
        ((GOOD,) * 16, Health.HEALTHY),
        ((GOOD,) * 3 + (POOR,) * 13, Health.HEALTHY),
        ((GOOD,) * 2 + (POOR,) * 14, Health.UNHEALTHY),
        ((POOR,) * 16, Health.UNHEALTHY),
        ((), Health.UNKNOWN),
        (("Unknown",), Health.UNKNOWN),
    ],
)
def test_more_than_18_percent_of_the_checkers_make_it_healthy(
    sessions: Sessions, stub: Stub, statuses: tuple[str, ...], health: Health
) -> None:
    answers = stub("route53", EAST)
    answers.add_response("get_health_check", {"HealthCheck": check("c1", Inverted=True)}, {"HealthCheckId": "c1"})
    answers.add_response("get_health_check_status", said(*statuses), {"HealthCheckId": "c1"})
    (found,) = Checks(sessions).read(["c1"])
    assert (found.health, found.version, found.switch) == (health, 3, CheckSwitch(inverted=True))


def test_a_status_that_cannot_be_read_leaves_the_health_unknown_and_the_rest_true(
    sessions: Sessions, stub: Stub
) -> None:
    answers = stub("route53", EAST)
    answers.add_response("get_health_check", {"HealthCheck": check("c1")})
    answers.add_client_error("get_health_check_status", "AccessDenied", http_status_code=403)
    (found,) = Checks(sessions).read(["c1"])
    assert (found.id, found.health) == ("c1", Health.UNKNOWN)


def test_computed_checks_are_not_asked_for_a_status_and_bring_their_children(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST)
    parent = check("p1", "CALCULATED", ChildHealthChecks=["r1", "p1"], HealthThreshold=1)
    answers.add_response("get_health_check", {"HealthCheck": parent}, {"HealthCheckId": "p1"})
    control = check("r1", "RECOVERY_CONTROL", RoutingControlArn=WEST_CONTROL)
    answers.add_response("get_health_check", {"HealthCheck": control}, {"HealthCheckId": "r1"})
    calculated, recovery = Checks(sessions).read(["p1"])
    assert (calculated.children, calculated.threshold, calculated.health) == (("r1", "p1"), 1, Health.UNKNOWN)
    assert (recovery.routing_control_arn, recovery.health) == (WEST_CONTROL, Health.UNKNOWN)


def test_a_disabled_check_is_not_asked_for_a_status(sessions: Sessions, stub: Stub) -> None:
    stub("route53", EAST).add_response("get_health_check", {"HealthCheck": check("c1", Disabled=True)})
    assert Checks(sessions).read(["c1"])[0].switch == CheckSwitch(disabled=True)


def test_a_check_that_does_not_exist_is_not_found(sessions: Sessions, stub: Stub) -> None:
    stub("route53", EAST).add_client_error("get_health_check", "NoSuchHealthCheck", http_status_code=404)
    with pytest.raises(NotFound):
        Checks(sessions).read(["c1"])


def test_the_whole_account_is_listed_and_only_what_is_named_is_measured(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST)
    first = {"HealthChecks": [check("c1")], "Marker": "", "IsTruncated": True, "NextMarker": "m", "MaxItems": "1000"}
    second = {"HealthChecks": [check("c2")], "Marker": "m", "IsTruncated": False, "MaxItems": "1000"}
    answers.add_response("list_health_checks", first, {"MaxItems": "1000"})
    answers.add_response("list_health_checks", second, {"MaxItems": "1000", "Marker": "m"})
    answers.add_response("get_health_check_status", said(GOOD), {"HealthCheckId": "c2"})
    found = Checks(sessions).whole(["c2", "gone"])
    assert [(each.id, each.health) for each in found] == [("c1", Health.UNKNOWN), ("c2", Health.HEALTHY)]


CHANGE = CheckChange(id="c1", region=WEST, version=3, before=CheckSwitch(), after=FORCED_UNHEALTHY)
EFFECT = CheckEffect(check=CHANGE)
ASKED = {"HealthCheckId": "c1", "HealthCheckVersion": 3, "Disabled": True, "Inverted": True}


def test_a_switch_is_set_on_the_version_it_was_planned_on(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST, writes=True)
    answers.add_response("update_health_check", {"HealthCheck": check("c1", version=4)}, ASKED)
    assert Checks(sessions).switch(EFFECT).change_id is None


def test_an_answer_to_a_switch_that_is_not_route_53s_is_uncertain(
    monkeypatch: pytest.MonkeyPatch, answering: Answering
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROUTE_53", answering(b"<html></html>"))
    with pytest.raises(Uncertain, match="cannot be read"):
        Checks(Sessions()).switch(EFFECT)


@pytest.mark.parametrize(
    ("code", "status", "means"),
    [
        ("HealthCheckVersionMismatch", 409, Conflicting),
        ("NoSuchHealthCheck", 404, NotFound),
        ("InternalFailure", 500, Uncertain),
    ],
)
def test_a_newer_version_is_a_conflict_and_no_answer_is_uncertain(
    sessions: Sessions, stub: Stub, code: str, status: int, means: type[Exception]
) -> None:
    answers = stub("route53", EAST, writes=True)
    answers.add_client_error("update_health_check", code, http_status_code=status)
    with pytest.raises(means):
        Checks(sessions).switch(EFFECT)
