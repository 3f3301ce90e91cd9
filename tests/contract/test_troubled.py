"""AWS's adapters while the sandbox misbehaves: every call ends in its time, and says no more than it knows."""

import time
from collections.abc import Iterator

import pytest

from resilience_cli import simulate
from resilience_cli.adapters.aws.session import Budgets, Sessions
from resilience_cli.adapters.aws.world import AwsWorld
from resilience_cli.adapters.aws.zones import bare
from resilience_cli.errors import Uncertain
from resilience_cli.model.effects import Effect, Receipt
from resilience_cli.model.facts import Topic
from resilience_cli.model.fault import fault_of
from resilience_cli.sandbox.faults import Faults
from resilience_cli.simulate import Standing, standing

from .conftest import CLOCK, Sandboxed, Stage
from .test_world import EAST, WEST, flipped, forced, swapped

HASTY = Budgets(read_s=1.5, short_s=1.0, write_s=1.5, short_write_s=1.0)
SOON_S = 8  # a dripping answer takes minutes


@pytest.fixture
def faults(sandboxed: Sandboxed) -> Iterator[Faults]:
    yield sandboxed.faults
    sandboxed.faults.clear()


def hasty(stage: Stage) -> Stage:
    """The same app, by sessions whose budgets are a test's."""
    return Stage(stage.app, AwsWorld(Sessions(budgets=HASTY), stage.app, now=CLOCK.now))


def drip(faults: Faults, service: str, operation: str) -> None:
    """Bytes come often enough that no read of the socket times out, and the answer takes minutes."""
    faults.add(fault_of({"kind": "drip", "service": service, "operation": operation, "every": 0.2}))


def uncertain_in_time(stage: Stage, effect: Effect) -> None:
    began = time.monotonic()
    with pytest.raises(Uncertain, match="no whole answer within"):
        stage.world.perform(effect)
    assert time.monotonic() - began < SOON_S


def test_a_swap_whose_answer_drips_is_uncertain_in_time_and_found_by_reading(
    sandboxed: Sandboxed, faults: Faults
) -> None:
    stage = hasty(sandboxed.weighted)
    effect = swapped(stage)
    drip(faults, "route53", "ChangeResourceRecordSets")
    uncertain_in_time(stage, effect)
    assert standing(effect, stage.seen_by(effect)) is Standing.AFTER


def test_a_check_s_switch_whose_answer_drips_is_uncertain_in_time_and_found_by_reading(
    sandboxed: Sandboxed, faults: Faults
) -> None:
    stage = hasty(sandboxed.weighted)
    effect = forced(stage)
    drip(faults, "route53", "UpdateHealthCheck")
    uncertain_in_time(stage, effect)
    assert standing(effect, stage.seen_by(effect)) is Standing.AFTER


def test_routing_controls_whose_answer_drips_are_found_set_at_another_endpoint(
    sandboxed: Sandboxed, faults: Faults
) -> None:
    stage = hasty(sandboxed.latency)
    effect = flipped(stage)
    drip(faults, "route53-recovery-cluster", "UpdateRoutingControlStates")
    began = time.monotonic()
    assert stage.world.perform(effect).endpoint
    assert time.monotonic() - began < SOON_S
    assert standing(effect, stage.seen_by(effect)) is Standing.AFTER
    faults.clear()
    stage.world.perform(flipped(stage))


def test_a_change_whose_state_drips_is_not_known_to_be_in_sync(sandboxed: Sandboxed, faults: Faults) -> None:
    stage = hasty(sandboxed.weighted)
    receipt = stage.world.perform(swapped(stage))
    assert receipt.change_id
    drip(faults, "route53", "GetChange")
    began = time.monotonic()
    assert stage.world.in_sync(Receipt(change_id=receipt.change_id)) == "unknown"
    assert time.monotonic() - began < SOON_S


def test_protections_that_are_denied_are_unknown_and_the_records_are_read(sandboxed: Sandboxed, faults: Faults) -> None:
    operation = "ListResourceRecordSetProtections"
    faults.add(fault_of({"kind": "access-denied", "service": "route53", "operation": operation}))
    facts = sandboxed.weighted.facts(Topic.RECORDS)
    zone = simulate.zone_of(sandboxed.weighted.app.routing[0], facts)
    assert zone is not None
    assert (zone.protected, bool(zone.records)) == (None, True)


def test_a_caller_is_known_while_the_standby_s_sts_hangs(sandboxed: Sandboxed, faults: Faults) -> None:
    """The standby's is asked first, and the primary's as well when it is silent."""
    stage = hasty(sandboxed.weighted)
    standby = stage.app.regions.standby[0]
    assert standby != WEST
    faults.add(fault_of({"kind": "black-hole", "service": "sts", "region": standby}))
    caller = stage.facts(Topic.CALLER).caller
    assert caller is not None
    assert caller.account == stage.app.account


@pytest.fixture
def shared(sandboxed: Sandboxed) -> Iterator[str]:
    """A zone that is none of the app's, with a record on the first of its health checks. The zone's id."""
    api = Sessions().writer("route53", EAST)
    ends = sandboxed.weighted.app.routing[0].endpoints.values()
    check = next(end.health_check for end in ends if end.health_check)
    zone = api.ask("CreateHostedZone", Name="shop.example.org", CallerReference="shared")["HostedZone"]["Id"]
    named = {"Name": "www.shop.example.org.", "Type": "A", "SetIdentifier": "one", "Weight": 1, "TTL": 60}
    record = named | {"ResourceRecords": [{"Value": "192.0.2.9"}], "HealthCheckId": check}

    def change(action: str) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        api.ask("ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch=batch)

    change("CREATE")
    yield bare(zone)
    change("DELETE")
    api.ask("DeleteHostedZone", Id=zone)


def test_another_zone_on_the_app_s_health_check_is_named(sandboxed: Sandboxed, shared: str) -> None:
    facts = hasty(sandboxed.weighted).facts(Topic.RECORDS, Topic.CHECKS)
    assert facts.checks_whole is True
    assert [(use.zone_id, use.name) for use in facts.check_uses] == [(shared, "www.shop.example.org.")]


def test_another_zone_that_may_not_be_read_leaves_the_checks_uses_unknown(
    sandboxed: Sandboxed, shared: str, faults: Faults
) -> None:
    faults.add(fault_of({"kind": "access-denied", "service": "route53", "operation": "ListHostedZones"}))
    facts = hasty(sandboxed.weighted).facts(Topic.RECORDS, Topic.CHECKS)
    assert facts.checks_whole is False
    assert [unread.topic for unread in facts.unread] == [Topic.CHECKS]
    assert facts.checks
