"""A ramp rises only on Regions known to be well: what it does while they are not, and when they are again."""

from typing import Any

import pytest

from resilience_cli.errors import UsageError
from resilience_cli.model.facts import Facts
from resilience_cli.model.run import EXIT_CODES, EffectState, Outcome, StepState
from resilience_cli.planner import plan

from . import builders as b
from .worlds import Scene, Scripted, scene

STAGES = [10, 50, 100]
BAKE_S, TIMEOUT_S = 30, 300


def ramp() -> Scene:
    """Everything is in east, and comes home to west in three stages."""
    app = b.weighted_app()
    return scene(app, b.facts(app, weights={b.EAST: 100}), b.failback(), b.runbook(ramp=STAGES))


def signals_of(of: Scene, word: str) -> Facts:
    return b.facts(of.app, well={b.WEST: word})


def turns(world: Scripted, facts: Facts) -> None:
    """West's signals from here on; the records stay as they are."""
    world.inner.facts = world.inner.facts.model_copy(update={"readings": facts.readings})


def weights(world: Scripted) -> tuple[int | None, ...]:
    """West's and east's."""
    by_name = {record.set_identifier: record.weight for record in world.inner.facts.zones[0].records}
    return by_name[b.WEST], by_name[b.EAST]


def run_with(of: Scene, world: Scripted, word: str) -> None:
    """West turns so when its first stage is through."""
    for entry in of.start(world):
        if entry.kind == "finished" and entry.step == "shift-10":
            turns(world, signals_of(of, word))


def test_a_ramp_over_well_regions_goes_through_its_stages() -> None:
    of = ramp()
    world = Scripted(of.facts)
    assert of.run(world).outcome is Outcome.DONE
    assert world.asked == len(STAGES)
    assert weights(world) == (100, 0)


@pytest.mark.parametrize(("word", "code"), [("silent", 6), ("unclear", 6), ("failing", 5)])
def test_a_share_does_not_rise_on_a_region_that_is_not_known_to_be_well(word: str, code: int) -> None:
    """``unclear``: one kind of signal bad, too little to call it impaired and too much to go on."""
    of = ramp()
    world = Scripted(of.facts)
    run_with(of, world, word)
    run = of.told
    assert EXIT_CODES[run.outcome] == code
    assert world.asked == 1
    assert weights(world) == (10, 90)
    assert [state for step in run.steps for state in step.effects].count(EffectState.UNTOUCHED) == 2
    assert run.resumable
    assert next(step for step in run.steps if step.id == "shift-10-bake").state is StepState.FAILED


def test_a_region_that_is_not_clear_is_waited_for_until_the_bake_s_timeout_and_one_that_fails_is_not() -> None:
    for word, waited in (("unclear", BAKE_S + TIMEOUT_S), ("failing", 0)):
        of = ramp()
        run_with(of, Scripted(of.facts), word)
        assert of.clock.monotonic() == waited


def test_a_region_that_is_well_again_in_time_lets_the_ramp_go_on() -> None:
    of = ramp()
    world = Scripted(of.facts)
    of.clock.sleep = recovers(of, world, after_s=BAKE_S + 100)  # type: ignore[method-assign]
    run_with(of, world, "silent")
    assert of.told.outcome is Outcome.DONE
    assert weights(world) == (100, 0)
    assert of.clock.monotonic() > BAKE_S + 100


def recovers(of: Scene, world: Scripted, after_s: float) -> Any:
    sleep = of.clock.sleep

    def slept(seconds: float) -> None:
        sleep(seconds)
        if of.clock.monotonic() >= after_s:
            turns(world, of.facts)

    return slept


def test_a_ramp_that_stopped_goes_on_from_there_once_the_region_is_well() -> None:
    of = ramp()
    world = Scripted(of.facts)
    run_with(of, world, "silent")
    turns(world, of.facts)
    assert of.resumed(world).outcome is Outcome.DONE
    assert world.done == list(of.plan.effects)


@pytest.mark.parametrize("name", ["shift-50", "shift-50-bake", "shift-100"])
def test_a_step_may_not_have_the_name_of_a_stage(name: str) -> None:
    """Two steps of one name would be one in the journal: what one finished, the other would not do."""
    app = b.weighted_app()
    shift = {"id": "shift", "step": "shift-traffic", "ramp": {"shares": STAGES, "bake": "30s"}}
    book = b.book(shift, {"id": name, "step": "wait", "for": "1s"})
    with pytest.raises(UsageError, match=f"step {name} has the name of a stage of the ramp"):
        plan(app, book, b.failback(), b.facts(app, weights={b.EAST: 100}))
