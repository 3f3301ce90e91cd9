"""ARC as it is on a bad day: endpoints away, safety rules that refuse, a rule's wait period."""

import time

import pytest

from resilience_cli.sandbox.arc import ENDPOINT_REGIONS, RuleConfig
from resilience_cli.sandbox.service import AwsError

from .scene import ALL_EAST, EAST, LATENCY, LOCAL, ORDERS, WEST, Scene, meanwhile, refused

REASON = ("--reason", "agreed in the incident call")


@pytest.fixture
def arc(scene: Scene) -> Scene:
    scene.uses(LATENCY, timeout="4s")
    return scene


def forbid_leaving(scene: Scene) -> str:
    """A safety rule that wants both Regions On: no failover without overriding it. Its ARN."""
    world = scene.world
    both = list(world.routing.controls.values())
    return world.arc.add_rule(world.routing.panel, "both-on", RuleConfig("AND"), both, wait_period_ms=0)


@pytest.mark.parametrize("down", [2, 4])
def test_endpoints_that_are_away_are_passed_over(arc: Scene, down: int) -> None:
    """Two of five, as in maintenance; and all but one, which is more than AWS promises."""
    arc.world.control({"endpoints_down": list(ENDPOINT_REGIONS[:down])})
    over = arc.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert arc.answers() == ALL_EAST
    assert arc.controls() == {WEST: "Off", EAST: "On"}


def test_with_every_endpoint_away_nothing_is_changed_and_it_is_said_why(arc: Scene) -> None:
    arc.world.control({"endpoints_down": list(ENDPOINT_REGIONS)})
    status, over = arc.at_once(("status", "--check"), ("failover", "--to", EAST, "--yes"))
    assert status.code == 11, status.said
    assert over.code == 3, over.said
    assert "ARC endpoint" in over.said
    assert arc.controls() == {WEST: "On", EAST: "On"}
    assert arc.answers() == LOCAL


def test_a_safety_rule_refuses_by_its_name_and_is_overridden_by_its_name(arc: Scene) -> None:
    rule = forbid_leaving(arc)
    over = arc.resil("failover", "--to", EAST, "--yes")
    assert over.code == 3, over.said
    assert rule in over.err.replace("\n", "") + over.out.replace("\n", "").replace(" ", "")
    assert arc.controls() == {WEST: "On", EAST: "On"}
    assert arc.answers() == LOCAL

    unnamed = arc.resil("failover", "--to", EAST, "--yes", "--override", "safety-rule", *REASON)
    assert unnamed.code == 2, unnamed.said
    named = arc.resil("failover", "--to", EAST, "--yes", "--override", f"safety-rule={rule}", *REASON)
    assert named.code == 0, named.said
    assert arc.controls() == {WEST: "Off", EAST: "On"}
    planned = next(entry for entry in arc.journal() if entry["kind"] == "planned")
    assert planned["plan"]["intent"]["overrides"][0]["reason"] == REASON[1]


def test_a_rules_wait_period_is_waited_out(arc: Scene) -> None:
    """Somebody has just changed a control the rule looks at, and changed it back."""

    def somebody_was_there() -> None:
        arc.world.control({"wait_period_ms": 800})
        arc.world.arc._changed.update(dict.fromkeys(arc.world.arc.controls, time.time()))

    with meanwhile(arc.world, "UpdateRoutingControlStates", somebody_was_there):
        over = arc.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert arc.answers() == ALL_EAST
    assert arc.journal_tells("declined"), "it was not refused to begin with"


def test_an_answer_that_is_lost_is_settled_by_reading_and_the_change_made_once(arc: Scene) -> None:
    lost: list[str] = []

    def lose_the_first(call: object) -> AwsError | None:
        if getattr(call, "operation", "") == "UpdateRoutingControlStates" and not lost:
            lost.append("answer")
            return AwsError("InternalServerException", "something went wrong", 500)
        return None

    arc.world.sandbox.after.append(lose_the_first)
    over = arc.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert arc.writes() == ["UpdateRoutingControlStates"]
    assert arc.controls() == {WEST: "Off", EAST: "On"}


def test_not_being_allowed_to_set_a_control_changes_nothing(arc: Scene) -> None:
    denied = AwsError("AccessDeniedException", "User is not authorized", 403)
    with refused(arc.world, "UpdateRoutingControlStates", denied):
        over = arc.resil("failover", "--to", EAST, "--yes")
    assert over.code == 3, over.said
    assert "not authorized" in over.said
    assert arc.answers() == LOCAL


def test_an_emergency_is_verified_by_what_is_answered_where_records_cannot_be_read(arc: Scene) -> None:
    denied = AwsError("AccessDenied", "User is not authorized to perform this", 403)
    with refused(arc.world, "ListResourceRecordSets", denied):
        over = arc.resil("failover", "--to", EAST, "--mode", "emergency", "--yes")
    assert over.code == 0, over.said
    assert arc.answers() == ALL_EAST
    assert arc.controls() == {WEST: "Off", EAST: "On"}


def test_a_lone_sibling_that_would_fail_open_is_named_and_nothing_is_moved(arc: Scene) -> None:
    """Route 53 answers with an unhealthy record that has no other beside it: AAAA clients would stay in us-west-2."""
    lone = {
        "Name": ORDERS,
        "Type": "AAAA",
        "SetIdentifier": f"orders-{WEST}",
        "Region": WEST,
        "TTL": 60,
        "ResourceRecords": [{"Value": "2001:db8::2"}],
        "HealthCheckId": arc.world.routing.control_checks[WEST],
    }
    arc.change(("CREATE", lone))
    over = arc.resil("failover", "--to", EAST, "--yes")
    assert over.code == 3, over.said
    assert f"AAAA {ORDERS} would still be answered with {WEST}" in " ".join(over.said.split())
    assert arc.controls() == {WEST: "On", EAST: "On"}
