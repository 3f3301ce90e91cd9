"""Folding journals: every prefix tells a state or is refused cleanly, and entries survive their JSON."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import TypeAdapter

from resilience_cli.errors import SafetyRule, UsageError
from resilience_cli.journal import fold, prior_switches
from resilience_cli.model.effects import Receipt
from resilience_cli.model.facts import PriorSwitch
from resilience_cli.model.records import CheckSwitch
from resilience_cli.model.run import (
    Approved,
    Closed,
    Confirmed,
    Declined,
    EffectState,
    Entry,
    Noted,
    Outcome,
    Performed,
    Performing,
    Planned,
    Run,
    Started,
    StepState,
)

from . import builders as b
from .worlds import (
    Declines,
    Scene,
    Scripted,
    checks_scene,
    controls_scene,
    loses_the_answer,
    ramp_scene,
    refuses,
    scene,
    weights_scene,
)

ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def entries_of(scene: Scene, *acts: Any) -> list[Entry]:
    scene.run(Scripted(scene.facts, *acts))
    return list(scene.store.entries("run"))


@pytest.mark.parametrize("make", [weights_scene, checks_scene, controls_scene, ramp_scene])
def test_every_prefix_of_a_journal_tells_a_state_that_can_be_gone_on_from(make: Any) -> None:
    entries = entries_of(make(), loses_the_answer)
    for length in range(1, len(entries)):
        run = fold(entries[:length])
        assert (run.outcome, run.resumable, run.last_seq) == (Outcome.RUNNING, True, length)
    assert fold(entries).outcome is Outcome.DONE


def test_a_journal_only_ever_learns_more() -> None:
    """Along the prefixes no effect goes back from confirmed, and a step once finished stays so."""
    entries = entries_of(ramp_scene())
    runs = [fold(entries[:length]) for length in range(1, len(entries) + 1)]
    for earlier, later in pairwise(runs):
        for before, after in zip(earlier.steps, later.steps, strict=True):
            assert before.state is not StepState.FINISHED or after == before
            confirmed = [number for number, state in enumerate(before.effects) if state is EffectState.CONFIRMED]
            assert all(after.effects[number] is EffectState.CONFIRMED for number in confirmed)


def test_an_empty_journal_and_one_without_its_head_are_refused() -> None:
    entries = entries_of(weights_scene())
    for torn in ([], entries[1:]):
        with pytest.raises(UsageError, match="does not begin with a plan"):
            fold(torn)


def test_two_plans_in_one_journal_are_refused() -> None:
    entries = entries_of(weights_scene())
    with pytest.raises(UsageError, match="a second plan"):
        fold([*entries, entries[0]])


@pytest.mark.parametrize(
    "stranger",
    [
        Started(seq=3, at=b.NOON, step="nowhere"),
        Performing(seq=3, at=b.NOON, step="nowhere", effect=0),
        Performing(seq=3, at=b.NOON, step="shift", effect=7),
        Performed(seq=3, at=b.NOON, step="shift", effect=-1, receipt=Receipt()),
        Confirmed(seq=3, at=b.NOON, step="fit", effect=0, evidence=""),
    ],
)
def test_an_entry_about_what_the_plan_does_not_have_is_refused(stranger: Entry) -> None:
    head = entries_of(weights_scene())[:2]
    with pytest.raises(UsageError, match="which the plan does not have"):
        fold([*head, stranger])


def test_entries_round_trip_through_their_json() -> None:
    app = b.weighted_app()
    book = b.book(
        {"id": "shift", "step": "shift-traffic"}, {"id": "agree", "step": "approve"}, {"id": "verify", "step": "verify"}
    )
    unhappy = scene(app, b.facts(app), b.failover(), book)
    unhappy.run(Scripted(unhappy.facts), Declines())
    waiting = refuses(SafetyRule("wait", waiting=True))
    told = [
        *entries_of(ramp_scene(), loses_the_answer),
        *entries_of(controls_scene(), waiting),
        *unhappy.store.entries("run"),
    ]
    assert {entry.kind for entry in told} >= {"declined", "failed", "noted", "closed", "planned"}
    for entry in told:
        assert ENTRY.validate_json(ENTRY.dump_json(entry, by_alias=True)) == entry


def attempts(*kinds: str) -> Run:
    """A journal whose one effect was asked for, answered and declined in this order."""
    head = entries_of(weights_scene())[:2]
    named: dict[str, Any] = {"step": "shift", "effect": 0}
    made: dict[str, Any] = {
        "performing": lambda seq: Performing(seq=seq, at=b.NOON, **named),
        "declined": lambda seq: Declined(seq=seq, at=b.NOON, why="no", **named),
        "lost": lambda seq: Noted(seq=seq, at=b.NOON, step="shift", text="no certain answer"),
        "confirmed": lambda seq: Confirmed(seq=seq, at=b.NOON, evidence="read back", **named),
    }
    return fold([*head, *(made[kind](seq) for seq, kind in enumerate(kinds, 3))])


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("performing", EffectState.UNCERTAIN),
        ("performing declined", EffectState.UNTOUCHED),
        ("performing declined performing declined", EffectState.UNTOUCHED),
        ("performing lost performing declined", EffectState.UNCERTAIN),
        ("performing lost performing declined performing declined", EffectState.UNCERTAIN),
        ("performing declined performing lost", EffectState.UNCERTAIN),
        ("performing lost performing declined confirmed", EffectState.CONFIRMED),
    ],
)
def test_an_effect_is_untouched_only_if_every_attempt_was_declined(told: str, state: EffectState) -> None:
    run = attempts(*told.split())
    assert next(step for step in run.steps if step.id == "shift").effects == (state,)
    assert run.changed is (state is not EffectState.UNTOUCHED)


def test_timings_tell_where_the_time_went() -> None:
    scene = weights_scene()
    moments = {"planned": 3, "approved": 10, "performed": 12, "confirmed": 40, "closed": 55}
    entries = [
        entry.model_copy(update={"at": b.NOON + timedelta(seconds=moments.get(entry.kind, 0))})
        for entry in entries_of(scene)
    ]
    first = entries[0]
    assert isinstance(first, Planned)
    plan = first.plan.model_copy(update={"observed_at": b.NOON + timedelta(seconds=2)})
    timings = fold([first.model_copy(update={"plan": plan}), *entries[1:]]).timings
    assert timings.model_dump() == {
        "detect_s": 2,
        "decide_s": 8,
        "act_s": 2,
        "propagate_s": 28,
        "settle_s": 15,
    }


def test_timings_of_what_was_not_reached_are_unknown_not_zero() -> None:
    entries = entries_of(weights_scene())
    approved = next(number for number, entry in enumerate(entries) if isinstance(entry, Approved))
    timings = fold(entries[: approved + 1]).timings
    assert (timings.act_s, timings.propagate_s, timings.settle_s) == (None, None, None)


def forced(switch: str, *kinds: str) -> Run:
    app = b.app("latency", levers=["health-check"])
    scene_ = scene(app, b.facts(app, checks={b.WEST: switch, b.EAST: "healthy"}), b.failover())
    entries = entries_of(scene_)
    return fold(entries if not kinds else [entry for entry in entries if entry.kind in kinds])


def test_the_switches_before_a_check_was_forced_are_remembered() -> None:
    told = prior_switches([forced("disabled")])
    assert told == (PriorSwitch(check_id=b.check_id(b.WEST), before=CheckSwitch(disabled=True)),)


def test_the_newest_run_that_forced_a_check_decides() -> None:
    told = prior_switches([forced("disabled"), forced("on")])
    assert told == (PriorSwitch(check_id=b.check_id(b.WEST), before=CheckSwitch()),)


def test_a_check_that_was_only_planned_to_be_forced_is_not_remembered() -> None:
    assert prior_switches([forced("disabled", "planned", "approved")]) == ()


def test_a_check_that_may_have_been_forced_is_remembered() -> None:
    """An answer was lost: the check may be forced, and then its way back must be known."""
    assert len(prior_switches([forced("disabled", "planned", "approved", "performing")])) == 1


def test_closed_runs_own_their_outcome_until_they_are_resumed() -> None:
    head = entries_of(weights_scene())[:2]
    closed = Closed(seq=3, at=b.NOON, outcome=Outcome.INCOMPLETE, why="stopped")
    assert fold([*head, closed]).outcome is Outcome.INCOMPLETE
