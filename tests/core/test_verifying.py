"""What counts as seen from outside, and what the steps that watch make of a verdict that was overridden."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from resilience_cli.errors import Uncertain
from resilience_cli.model.app import App
from resilience_cli.model.facts import Answer, Facts, Seen, Topic
from resilience_cli.model.run import EXIT_CODES, Outcome, Run, StepState
from resilience_cli.ports import Read

from . import builders as b
from .worlds import Scene, Scripted, Told, scene

SHIFT = {"id": "shift", "step": "shift-traffic"}
VERIFY = {"id": "verify", "step": "verify", "timeout": "5s"}
ANSWERS_ONLY = {**VERIFY, "endpoints": False}
Said = tuple[str, str | None]
BLIND: dict[str, Any] = {"signals": []}


def exit_of(run: Run) -> int:
    return EXIT_CODES[run.outcome]


class Names(Scripted):
    """A world whose name servers say what the test says: (type, Region) pairs, or nothing and why."""

    def __init__(self, facts: Facts, *said: Said, silent: str = "", blind: bool = False) -> None:
        super().__init__(facts)
        self._said, self._silent, self._blind = said, silent, blind

    def reads(self, app: App, topics: frozenset[Topic]) -> Sequence[Read]:
        """``blind``: Route 53 answers nothing about records and health checks any more."""
        unread = {Topic.RECORDS, Topic.CHECKS} if self._blind else set()
        told = list(super().reads(app, topics - {Topic.ANSWERS} - unread))
        told += [Read(topic, f"{topic}", "us-east-1", self._hangs) for topic in topics & unread]
        if Topic.ANSWERS in topics and (self._said or self._silent):
            told.append(Read(Topic.ANSWERS, f"answer for {b.NAME}", "here", self._answer))
        return told

    def _hangs(self) -> Seen:
        raise Uncertain("route53: no answer")

    def _answer(self) -> Seen:
        if self._silent:
            raise Uncertain(self._silent)
        return Seen(
            answers=tuple(
                Answer(name=b.NAME, type=rtype, near=None, server="ns", addresses=("192.0.2.9",), region=region)
                for rtype, region in self._said
            )
        )


def private_scene(**app: Any) -> Scene:
    of = b.weighted_app(**BLIND, **app)
    (route,) = of.routing
    of = of.model_copy(update={"routing": (route.model_copy(update={"private": True}),)})
    zone = b.ZONE.model_copy(update={"private": True})
    return scene(of, b.facts(of, zone=zone), b.failover(), b.book(SHIFT, VERIFY))


def test_a_private_name_that_nobody_is_configured_to_be_asked_for_is_not_verified() -> None:
    of = private_scene()
    run = of.run(Names(of.facts))
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)
    assert "nothing to verify by" in run.why
    assert "no resolver is configured" in run.why
    assert of.clock.monotonic() == 0  # waiting would not bring it about


def test_a_private_name_is_verified_by_the_endpoints_where_there_are_any() -> None:
    of = private_scene()
    probed = of.app.model_copy(update={"signals": b.weighted_app().signals})
    run = Scene(probed, of.facts, of.plan).run(Names(of.facts))
    assert run.outcome is Outcome.DONE
    assert "us-east-1 endpoint: endpoint says ok" in run.steps[1].evidence


@pytest.mark.parametrize("resolver", [None, "10.0.0.2"])
def test_a_private_name_whose_resolver_does_not_answer_is_unread_and_not_unasked(resolver: str | None) -> None:
    """The resolver may be configured in resil.yaml or outside it: that it was asked is what counts."""
    of = private_scene(dns={"resolver": resolver})
    run = of.run(Names(of.facts, silent="10.0.0.2: timed out"))
    assert exit_of(run) == 6
    assert "no answer to verify by (10.0.0.2: timed out)" in run.why


def test_verifying_by_endpoints_where_none_is_configured_verifies_nothing() -> None:
    app = b.weighted_app(**BLIND)
    of = scene(app, b.facts(app), b.failover(), b.book(SHIFT, {**VERIFY, "answers": False}))
    run = of.run(Scripted(of.facts))
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)
    assert "no endpoints" in run.why


def twins_scene(override: Sequence[str] = (), **extra: Any) -> Scene:
    app = b.weighted_app()
    twins = extra or {"rtype": "AAAA"}
    facts = b.facts(app, extra=b.records("weighted", b.TWO, {b.WEST: 100}, **twins))
    return scene(app, facts, b.failover(override=override), b.book(SHIFT, ANSWERS_ONLY))


@pytest.mark.parametrize(
    ("aaaa", "code", "words"),
    [
        ((("AAAA", b.EAST),), 0, "verified"),
        ((("AAAA", b.WEST),), 5, f"AAAA {b.NAME} asked from anywhere answers us-west-2"),
        ((("AAAA", None),), 6, "no Region's address"),
        ((), 6, f"AAAA {b.NAME}: no answer to verify by"),
    ],
)
def test_a_sibling_is_asked_for_as_the_record_is(
    aaaa: tuple[tuple[str, str | None], ...], code: int, words: str
) -> None:
    of = twins_scene()
    run = of.run(Names(of.facts, ("A", b.EAST), *aaaa))
    assert exit_of(run) == code, run.why
    assert words in run.why


def test_siblings_that_only_the_guards_look_at_are_not_asked_for() -> None:
    of = twins_scene(rtype="HTTPS")
    assert exit_of(of.run(Names(of.facts, ("A", b.EAST)))) == 0


def test_a_sibling_left_behind_knowingly_is_said_and_not_held_against_the_run() -> None:
    app = b.weighted_app()
    facts = b.facts(app, extra=(b.record("lone", rtype="AAAA"),))
    of = scene(app, facts, b.failover(override=["sibling-records"]), b.book(SHIFT, ANSWERS_ONLY))
    run = of.run(Names(facts, ("A", b.EAST), ("AAAA", None)))
    assert run.outcome is Outcome.DONE
    assert "AAAA api.example.com.: not looked at, sibling-records was overridden" in run.steps[1].evidence


@pytest.mark.parametrize(
    ("region", "code"), [(b.EAST, 0), (b.WEST, 5), (None, 6)], ids=["the target", "the Region left", "nobody's"]
)
def test_with_route_53_gone_an_emergency_is_verified_by_what_is_answered(region: str | None, code: int) -> None:
    """The control plane went with the Region that was left: what a name server says is not a Region that was left."""
    app = b.arc_app()
    facts = b.facts(app).model_copy(update={"zones": (), "checks": ()})
    of = scene(app, facts, b.failover(mode="emergency"), b.book(SHIFT, ANSWERS_ONLY))
    run = of.run(Names(facts, ("A", region), blind=True))
    assert exit_of(run) == code, run.why


def test_with_route_53_gone_a_sibling_that_is_answered_counts_too() -> None:
    app = b.arc_app()
    facts = b.facts(app).model_copy(update={"zones": (), "checks": ()})
    of = scene(app, facts, b.failover(mode="emergency"), b.book(SHIFT, ANSWERS_ONLY))
    assert exit_of(of.run(Names(facts, ("A", b.EAST), ("AAAA", b.WEST), blind=True))) == 5


def test_the_way_home_is_not_verified_without_the_records() -> None:
    app = b.arc_app()
    of = scene(app, b.facts(app, controls={b.WEST: "Off"}), b.failback(), b.book(SHIFT, ANSWERS_ONLY))
    run = of.run(Names(of.facts, ("A", b.WEST), blind=True))
    assert exit_of(run) == 6
    assert "its records could not be read (route53: no answer)" in run.why


FIT = {"id": "fit", "step": "check"}
BAKE = {"id": "bake", "step": "bake", "for": "20s", "every": "10s"}
KNOWINGLY = ("target-health", "trajectory")


@pytest.mark.parametrize("mode", ["planned", "emergency"])
def test_an_impaired_target_taken_on_knowingly_passes_its_check_and_its_bake(mode: str) -> None:
    app = b.weighted_app()
    facts = b.facts(app, well={b.EAST: "failing"})
    of = scene(app, facts, b.failover(mode=mode, override=KNOWINGLY), b.book(FIT, SHIFT, ANSWERS_ONLY, BAKE))
    run = of.run(Scripted(facts))
    assert run.outcome is Outcome.DONE, run.why
    assert "no worse than when target-health was overridden (agreed with the owner)" in run.steps[0].evidence
    assert "us-east-1: target-health was overridden" in run.steps[3].evidence


def test_an_unknown_home_taken_on_knowingly_passes_a_check_that_asks_for_healthy() -> None:
    app = b.weighted_app()
    facts = b.facts(app, weights={b.EAST: 100}, well={b.WEST: "silent"})
    book = b.book({**FIT, "target": "healthy"}, SHIFT, ANSWERS_ONLY)
    of = scene(app, facts, b.failback(override=["target-health"]), book)
    assert of.run(Scripted(facts)).outcome is Outcome.DONE


def test_a_target_worse_than_what_was_overridden_is_still_refused() -> None:
    app = b.weighted_app()
    facts = b.facts(app, well={b.EAST: "silent"})
    of = scene(app, facts, b.failover(override=["target-health"]), b.book(FIT, SHIFT, ANSWERS_ONLY))
    run = of.run(Scripted(b.facts(app, well={b.EAST: "failing"})))
    assert (run.outcome, exit_of(run)) == (Outcome.REFUSED, 3)


def test_a_target_that_recovered_may_not_fall_back_in_the_bake() -> None:
    app = b.weighted_app()
    facts = b.facts(app, well={b.EAST: "failing"})
    of = scene(app, facts, b.failover(override=KNOWINGLY), b.book(SHIFT, ANSWERS_ONLY, {**BAKE, "for": "60s"}))
    world = Told(facts, b.facts(app))  # well after the shift
    entries = iter(of.start(world))
    for entry in entries:
        if entry.kind == "started" and entry.step == "bake":
            break
    of.clock.sleep = falls_back(of, world, facts)  # type: ignore[method-assign]
    list(entries)
    run = of.told
    assert (run.outcome, run.steps[2].state) == (Outcome.INCOMPLETE, StepState.FAILED)
    assert "us-east-1 became impaired" in run.why


def falls_back(of: Scene, world: Told, ill: Facts) -> Any:
    sleep = of.clock.sleep

    def slept(seconds: float) -> None:
        sleep(seconds)
        world.inner.facts = world.inner.facts.model_copy(update={"readings": ill.readings})

    return slept


def test_waiting_for_the_ttl_waits_for_the_siblings_as_well() -> None:
    app = b.weighted_app(objectives={"ttl": "2h"})
    twins = b.records("weighted", b.TWO, {b.WEST: 100}, rtype="AAAA", ttl=3600)
    book = b.book(SHIFT, {"id": "rest", "step": "wait", "ttl": True}, ANSWERS_ONLY)
    of = scene(app, b.facts(app, extra=twins), b.failover(), book)
    of.run(Scripted(of.facts))
    assert of.clock.monotonic() == 3600


HOME, AWAY = {b.WEST: 100}, {b.EAST: 100}
HALF = {b.WEST: 50, b.EAST: 50}


def moving(verb: str) -> Scene:
    """The shift and its steps; home is all in west."""
    app = b.weighted_app()
    facts = b.facts(app, weights=HOME if verb == "failover" else AWAY)
    return scene(app, facts, b.failover() if verb == "failover" else b.failback())


@pytest.mark.parametrize(
    ("verb", "theirs"), [("failover", HALF), ("failover", HOME), ("failback", HALF), ("failback", AWAY)]
)
@pytest.mark.parametrize(("kind", "step"), [("finished", "shift"), ("started", "bake"), ("finished", "bake")])
def test_what_someone_sets_after_the_shift_is_left_to_them_and_the_run_is_not_done(
    verb: str, theirs: dict[str, int], kind: str, step: str
) -> None:
    """At half and half every sample may come from the target: answers alone would call it verified."""
    of = moving(verb)
    world, foreign = Scripted(of.facts), b.facts(of.app, weights=theirs)
    for entry in of.start(world):
        if (entry.kind, getattr(entry, "step", "")) == (kind, step):
            world.inner.facts = foreign
    run = of.told
    assert (run.outcome, exit_of(run), run.final, run.resumable) == (Outcome.INCOMPLETE, 5, True, False)
    assert "someone" in run.why
    assert world.inner.facts == foreign
    assert world.asked == 1


def test_a_stale_read_of_what_was_set_is_asked_for_again() -> None:
    """Reading it back once as it was before is no proof that someone took it back."""
    of = moving("failover")
    world = Scripted(of.facts)
    sleep = of.clock.sleep

    def comes_up_to_date(seconds: float) -> None:
        sleep(seconds)
        world.inner.facts = now

    for entry in of.start(world):
        if entry.kind == "finished" and entry.step == "shift":
            now, world.inner.facts = world.inner.facts, of.facts
            of.clock.sleep = comes_up_to_date  # type: ignore[method-assign]
    assert of.told.outcome is Outcome.DONE


def test_routing_controls_that_someone_turned_back_are_not_done() -> None:
    app = b.arc_app()
    of = scene(app, b.facts(app), b.failover())
    world = Scripted(of.facts)
    for entry in of.start(world):
        if entry.kind == "finished" and entry.step == "shift":
            world.inner.facts = of.facts
    assert (exit_of(of.told), of.told.final) == (5, True)
    assert world.inner.facts == of.facts


def test_a_runbook_whose_verify_asks_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="not verified is not done"):
        b.book(SHIFT, {**VERIFY, "answers": False, "endpoints": False})


def test_a_verify_before_the_shift_is_refused_for_it_would_take_what_was_not_done_for_undone() -> None:
    with pytest.raises(ValidationError, match="step early verifies what was not done yet"):
        b.book({**VERIFY, "id": "early"}, SHIFT, VERIFY)
