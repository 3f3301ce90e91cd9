"""What every World promises (``ports.World``), expected of memory and of AWS as the sandbox plays it alike."""

import pytest

from resilience_cli import simulate
from resilience_cli.errors import Conflicting
from resilience_cli.model.effects import CheckChange, CheckEffect, ControlChange, ControlsEffect, Receipt, WeightsEffect
from resilience_cli.model.facts import Topic
from resilience_cli.model.records import FORCED_UNHEALTHY, RecordSet
from resilience_cli.simulate import Standing, standing

from .conftest import CLOCK, Stage

WEST, EAST = "us-west-2", "us-east-1"


def swapped(stage: Stage) -> WeightsEffect:
    """All weight from the Region that has it to the other."""
    facts = stage.facts(Topic.RECORDS)
    route = stage.app.routing[0]
    zone = simulate.zone_of(route, facts)
    assert zone is not None
    before = simulate.group(zone.records, route.record.name, route.record.type)
    after = tuple(record.model_copy(update={"weight": 100 - (record.weight or 0)}) for record in before)
    return WeightsEffect(zone_id=zone.zone.id, zone_name=zone.zone.name, before=before, after=after)


def forced(stage: Stage) -> CheckEffect:
    """The first health check of the config, forced unhealthy or put back."""
    route = stage.app.routing[0]
    region, id_ = next((region, end.health_check) for region, end in route.endpoints.items() if end.health_check)
    check = next(each for each in stage.facts(Topic.CHECKS).checks if each.id == id_)
    forced_ = check.switch == FORCED_UNHEALTHY
    after = FORCED_UNHEALTHY.model_copy(update={"disabled": not forced_, "inverted": not forced_})
    return CheckEffect(
        check=CheckChange(id=check.id, region=region, version=check.version, before=check.switch, after=after)
    )


def flipped(stage: Stage) -> ControlsEffect:
    """West's routing control to its other state, East's left as it is."""
    route = stage.app.routing[0]
    states = {control.arn: control.state for control in stage.facts(Topic.CONTROLS).controls}
    changes = []
    for region, endpoint in route.endpoints.items():
        assert endpoint.routing_control is not None
        state = states[endpoint.routing_control]
        other = "Off" if state == "On" else "On"
        after = other if region == WEST else state
        changes.append(
            ControlChange.model_validate(
                {"arn": endpoint.routing_control, "region": region, "before": state, "after": after}
            )
        )
    return ControlsEffect(controls=tuple(changes), avoid=WEST)


def test_a_whole_look_leaves_nothing_unread(weighted: Stage, latency: Stage) -> None:
    for stage in (weighted, latency):
        facts = stage.facts()
        assert facts.unread == ()
        assert facts.caller is not None
        assert facts.caller.account == stage.app.account
        assert {reading.kind for reading in facts.readings} == {signal.kind for signal in stage.app.signals}
        assert len(facts.answers) >= 2


def test_a_swap_of_weights_holds_after_it_and_moves_the_answers(weighted: Stage) -> None:
    effect = swapped(weighted)
    assert standing(effect, weighted.seen_by(effect)) is Standing.BEFORE
    weighted.settle(weighted.world.perform(effect))
    assert standing(effect, weighted.seen_by(effect)) is Standing.AFTER
    target = next(record for record in effect.after if record.weight == 100)
    region = simulate.region_of(weighted.app.routing[0], target)
    assert {answer.region for answer in weighted.facts(Topic.RECORDS, Topic.ANSWERS).answers} == {region}


def test_a_swap_over_records_that_are_not_as_before_is_a_conflict_and_changes_nothing(weighted: Stage) -> None:
    effect = swapped(weighted)
    stale = tuple(record.model_copy(update={"ttl": 61}) for record in effect.before)
    with pytest.raises(Conflicting):
        weighted.world.perform(effect.model_copy(update={"before": stale}))
    assert standing(effect, weighted.seen_by(effect)) is Standing.BEFORE


def test_the_same_swap_twice_is_a_conflict_the_second_time_and_still_holds(weighted: Stage) -> None:
    effect = swapped(weighted)
    weighted.world.perform(effect)
    with pytest.raises(Conflicting):
        weighted.world.perform(effect)
    assert standing(effect, weighted.seen_by(effect)) is Standing.AFTER


def test_what_someone_else_set_after_a_swap_stands_as_their_change_and_not_as_ours(weighted: Stage) -> None:
    """A run must not call done what it finds so: half and half, or taken back."""
    ours = swapped(weighted)
    weighted.settle(weighted.world.perform(ours))
    half = tuple(record.model_copy(update={"weight": 50}) for record in ours.after)
    theirs = ours.model_copy(update={"before": ours.after, "after": half})
    weighted.settle(weighted.world.perform(theirs))
    assert standing(ours, weighted.seen_by(ours)) is Standing.OTHER
    back = ours.model_copy(update={"before": half, "after": ours.before})
    weighted.settle(weighted.world.perform(back))
    assert standing(ours, weighted.seen_by(ours)) is Standing.BEFORE


def test_a_swap_leaves_every_other_field_and_record_as_it_was(weighted: Stage) -> None:
    def rest(records: tuple[RecordSet, ...]) -> list[RecordSet]:
        plain = (record.model_copy(update={"weight": None}) for record in records)
        return sorted(plain, key=lambda record: (record.name, record.type, record.set_identifier or ""))

    before = weighted.facts(Topic.RECORDS).zones[0]
    weighted.settle(weighted.world.perform(swapped(weighted)))
    after = weighted.facts(Topic.RECORDS).zones[0]
    assert rest(after.records) == rest(before.records)


def test_a_health_check_is_switched_on_its_version_only(weighted: Stage) -> None:
    effect = forced(weighted)
    assert standing(effect, weighted.seen_by(effect)) is Standing.BEFORE
    weighted.settle(weighted.world.perform(effect))
    assert standing(effect, weighted.seen_by(effect)) is Standing.AFTER
    with pytest.raises(Conflicting):
        weighted.world.perform(effect)


def test_routing_controls_are_set_together_and_seen_to_be(latency: Stage) -> None:
    effect = flipped(latency)
    assert standing(effect, latency.seen_by(effect)) is Standing.BEFORE
    latency.settle(latency.world.perform(effect))
    assert standing(effect, latency.seen_by(effect)) is Standing.AFTER
    back = flipped(latency)
    latency.settle(latency.world.perform(back))
    assert standing(back, latency.seen_by(back)) is Standing.AFTER


def test_a_write_without_a_change_to_wait_for_is_in_sync(weighted: Stage) -> None:
    assert weighted.world.in_sync(Receipt()) == "yes"


def test_a_narrowed_look_brings_its_topics_and_no_others(weighted: Stage) -> None:
    facts = weighted.facts(Topic.RECORDS)
    assert facts.zones
    assert (facts.readings, facts.controls, facts.answers, facts.caller) == ((), (), (), None)
    assert facts.observed_at <= CLOCK.now()
