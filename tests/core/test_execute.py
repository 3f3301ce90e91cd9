"""Carrying out a plan: what is journalled, when, and how each kind of trouble ends a run."""

from typing import Any, Literal

import pytest

from resilience_cli.errors import (
    AwsTrouble,
    Busy,
    Conflicting,
    Denied,
    Malformed,
    NotFound,
    SafetyRule,
    Throttled,
    Uncertain,
    Unreachable,
    UsageError,
)
from resilience_cli.model.effects import Effect, Receipt
from resilience_cli.model.facts import Facts, Knowledge
from resilience_cli.model.records import CheckSwitch
from resilience_cli.model.run import EXIT_CODES, EffectState, Outcome, Performed, Run, StepState
from resilience_cli.simulate import Standing, apply, standing

from . import builders as b
from .worlds import (
    Declines,
    Scene,
    Scripted,
    Told,
    Unreadable,
    Wrapped,
    checks_scene,
    controls_scene,
    loses_the_answer,
    ramp_scene,
    refuses,
    scene,
    succeeds,
    weights_scene,
)

SAFETY = ("arn:aws:route53-recovery-control::123456789012:controlpanel/p/safetyrule/one-on",)


def exit_of(run: Run) -> int:
    return EXIT_CODES[run.outcome]


def after(scene: Scene) -> Facts:
    facts = scene.facts
    for effect in scene.plan.effects:
        facts = apply(effect, facts)
    return facts


@pytest.mark.parametrize("make", [weights_scene, checks_scene, controls_scene, ramp_scene])
def test_a_run_without_trouble_does_what_was_planned_and_nothing_else(make: Any) -> None:
    scene = make()
    world = Scripted(scene.facts)
    run = scene.run(world)
    assert (run.outcome, run.why) == (Outcome.DONE, "done and verified")
    assert world.done == list(scene.plan.effects)
    assert world.inner.facts == after(scene)
    assert all(state is EffectState.CONFIRMED for step in run.steps for state in step.effects)


def test_everything_is_written_ahead_and_in_order() -> None:
    scene = weights_scene()
    scene.run(Scripted(scene.facts))
    step = ["started", "finished"]
    shift = ["started", "performing", "performed", "confirmed", "finished"]
    assert scene.kinds == ["planned", "approved", *step, *shift, *step, *step, "closed"]
    assert [entry.seq for entry in scene.store.entries("run")] == list(range(1, len(scene.kinds) + 1))


def test_an_effect_is_announced_in_the_journal_before_it_is_asked_for() -> None:
    scene = weights_scene()
    seen: list[list[str]] = []

    def looks_at_the_journal(world: Any, effect: Effect) -> Receipt:
        seen.append(scene.kinds)
        return succeeds(world, effect)

    scene.run(Scripted(scene.facts, looks_at_the_journal))
    assert seen[0][-2:] == ["started", "performing"]


def test_an_answer_lost_after_the_effect_is_settled_by_reading_and_not_done_twice() -> None:
    scene = weights_scene()
    world = Scripted(scene.facts, loses_the_answer)
    run = scene.run(world)
    assert run.outcome is Outcome.DONE
    assert world.asked == 1
    assert [e.how for e in scene.store.entries("run") if isinstance(e, Performed)] == ["adopted"]


def test_an_answer_lost_before_the_effect_is_asked_for_again() -> None:
    scene = weights_scene()
    world = Scripted(scene.facts, refuses(Uncertain("reset")))
    assert scene.run(world).outcome is Outcome.DONE
    assert world.asked == 2
    assert len(world.done) == 1


def test_an_answer_lost_at_the_last_moment_is_still_read() -> None:
    """The attempt may eat all the step's time; what it came to is looked at before anything is said."""
    app = b.weighted_app()
    scene_ = scene(app, b.facts(app), b.failover(), b.runbook(timeout="30s"))

    def takes_a_minute(world: Any, effect: Effect) -> Receipt:
        scene_.clock.sleep(60)
        return loses_the_answer(world, effect)

    assert scene_.run(Scripted(scene_.facts, takes_a_minute)).outcome is Outcome.DONE


def test_an_answer_lost_for_good_is_unknown() -> None:
    scene = weights_scene()
    run = scene.run(Scripted(scene.facts, always=refuses(Uncertain("read timeout"))))
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)
    assert "not confirmed within 300 s" in run.why


@pytest.mark.parametrize("later", [Throttled("rate"), Denied("no"), Conflicting("version"), Unreachable("refused")])
def test_a_refusal_after_a_lost_answer_does_not_make_the_first_attempt_harmless(later: AwsTrouble) -> None:
    """The first attempt may have landed, and cannot be read: "nothing was changed" would be a guess."""
    scene = weights_scene()
    world = Unreadable(scene.facts, loses_the_answer, always=refuses(later))
    run = scene.run(world)
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)
    assert run.changed
    assert len(world.done) == 1


def test_a_foreign_edit_before_anything_makes_the_plan_stale_and_is_left_as_it_is() -> None:
    scene = weights_scene()
    world = Scripted(scene.facts)
    world.inner.facts = foreign = b.facts(scene.app, weights={b.WEST: 80, b.EAST: 20})
    run = scene.run(world)
    assert (run.outcome, exit_of(run)) == (Outcome.STALE, 8)
    assert world.inner.facts == foreign
    assert world.asked == 0


def test_a_foreign_edit_between_the_look_and_the_write_is_left_as_it_is() -> None:
    scene = weights_scene()
    foreign = b.facts(scene.app, weights={b.WEST: 80, b.EAST: 20})

    def someone_was_faster(world: Any, effect: Effect) -> Receipt:
        world.facts = foreign
        raise Conflicting("the record set was not found as given")

    world = Scripted(scene.facts, someone_was_faster)
    run = scene.run(world)
    assert (run.outcome, exit_of(run)) == (Outcome.STALE, 8)
    assert world.inner.facts == foreign
    assert not run.changed


def test_a_foreign_edit_after_a_first_effect_leaves_the_run_incomplete() -> None:
    scene = checks_scene()
    east = b.check_id(b.EAST)

    def someone_edits(facts: Facts) -> Facts:
        update = {"switch": CheckSwitch(inverted=True), "version": 9}
        checks = tuple(c.model_copy(update=update) if c.id == east else c for c in facts.checks)
        return facts.model_copy(update={"checks": checks})

    def first_then_someone(world: Any, effect: Effect) -> Receipt:
        receipt = succeeds(world, effect)
        world.facts = someone_edits(world.facts)
        return receipt

    world = Scripted(scene.facts, first_then_someone)
    run = scene.run(world)
    assert (run.outcome, exit_of(run)) == (Outcome.INCOMPLETE, 5)
    assert next(c for c in world.inner.facts.checks if c.id == east).version == 9
    assert "someone else changed" in run.why


def test_an_accepted_effect_that_someone_changes_before_it_is_read_back_is_incomplete() -> None:
    scene = weights_scene()
    foreign = b.facts(scene.app, weights={b.WEST: 1, b.EAST: 99})

    def overtaken(world: Any, effect: Effect) -> Receipt:
        receipt = succeeds(world, effect)
        world.facts = foreign
        return receipt

    world = Scripted(scene.facts, overtaken)
    assert scene.run(world).outcome is Outcome.INCOMPLETE
    assert world.inner.facts == foreign


def test_what_cannot_be_read_back_is_unknown() -> None:
    scene = weights_scene()
    run = scene.run(Unreadable(scene.facts))
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)
    assert "accepted, but reading it back says unknown" in run.why


def test_what_can_be_read_back_late_is_done() -> None:
    scene = weights_scene()
    assert scene.run(Unreadable(scene.facts, looks=5)).outcome is Outcome.DONE


@pytest.mark.parametrize("trouble", [Throttled("rate exceeded"), Unreachable("connection refused")])
def test_what_surely_did_not_happen_is_tried_until_the_deadline_and_then_refused(trouble: AwsTrouble) -> None:
    scene = weights_scene()
    world = Scripted(scene.facts, always=refuses(trouble))
    run = scene.run(world)
    assert (run.outcome, exit_of(run)) == (Outcome.REFUSED, 3)
    assert world.asked > 100
    assert world.done == []
    assert scene.clock.monotonic() >= 300


@pytest.mark.parametrize("trouble", [Throttled("rate exceeded"), Unreachable("connection refused")])
def test_a_passing_refusal_is_waited_out(trouble: AwsTrouble) -> None:
    scene = weights_scene()
    assert scene.run(Scripted(scene.facts, refuses(trouble), refuses(trouble))).outcome is Outcome.DONE


@pytest.mark.parametrize("trouble", [Denied("not allowed"), NotFound("no zone"), Malformed("bad batch")])
def test_a_refusal_for_good_is_not_repeated(trouble: AwsTrouble) -> None:
    scene = weights_scene()
    world = Scripted(scene.facts, always=refuses(trouble))
    run = scene.run(world)
    assert (run.outcome, run.why) == (Outcome.REFUSED, trouble.message)
    assert world.asked == 1


def test_a_refusal_for_good_after_a_first_effect_is_incomplete() -> None:
    scene = checks_scene()
    run = scene.run(Scripted(scene.facts, succeeds, always=refuses(Denied("not allowed"))))
    assert (run.outcome, exit_of(run)) == (Outcome.INCOMPLETE, 5)


def test_a_safety_rule_refuses_by_name_and_nothing_is_changed() -> None:
    scene = controls_scene()
    run = scene.run(Scripted(scene.facts, always=refuses(SafetyRule("at least one on", rules=SAFETY))))
    assert (run.outcome, exit_of(run)) == (Outcome.REFUSED, 3)
    assert SAFETY[0] in run.why


def test_a_safety_rule_that_only_asks_to_wait_is_waited_out() -> None:
    scene = controls_scene()
    waiting = refuses(SafetyRule("inside WaitPeriodMs", rules=SAFETY, waiting=True))
    world = Scripted(scene.facts, waiting, waiting)
    assert scene.run(world).outcome is Outcome.DONE
    assert world.asked == 3
    assert scene.kinds.count("declined") == 2


def test_an_overridden_safety_rule_travels_with_the_effect() -> None:
    scene = controls_scene(override=[f"safety-rule={SAFETY[0]}"])
    assert [getattr(effect, "override_rules", None) for effect in scene.plan.effects] == [SAFETY]


class NeverInSync(Scripted):
    reached: Knowledge = "no"

    def perform(self, effect: Effect) -> Receipt:
        return super().perform(effect).model_copy(update={"change_id": "C1"})

    def in_sync(self, receipt: Receipt) -> Knowledge:
        return self.reached if receipt.change_id else "yes"


class UnreadInSync(NeverInSync):
    reached: Knowledge = "unknown"


@pytest.mark.parametrize(("world", "words"), [(NeverInSync, "is still PENDING"), (UnreadInSync, "could not be read")])
def test_an_accepted_change_that_does_not_arrive_is_unknown(world: type[NeverInSync], words: str) -> None:
    scene = weights_scene()
    run = scene.run(world(scene.facts))
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)
    assert words in run.why


class Answering(Scripted):
    """DNS that tells something else than the records."""

    def __init__(self, facts: Facts, region: str | None) -> None:
        super().__init__(facts)
        self._region = region

    def reads(self, app: Any, topics: Any) -> Any:
        from resilience_cli.model.facts import Answer, Seen, Topic
        from resilience_cli.ports import Read

        def ask() -> Seen:
            route = app.routing[0].record
            told = {"name": route.name, "type": route.type, "near": None, "server": "ns", "addresses": ("192.0.2.9",)}
            return Seen(answers=(Answer(**told, region=self._region),))

        answers = [Read(Topic.ANSWERS, "answers", "here", ask)] if Topic.ANSWERS in topics else []
        return [*super().reads(app, topics - {Topic.ANSWERS}), *answers]


def test_dns_that_still_names_the_source_is_not_done() -> None:
    scene = weights_scene()
    run = scene.run(Answering(scene.facts, b.WEST))
    assert (run.outcome, exit_of(run)) == (Outcome.INCOMPLETE, 5)
    assert "answers us-west-2" in run.why


def test_dns_whose_answer_is_nobody_known_is_unknown() -> None:
    scene = weights_scene()
    run = scene.run(Answering(scene.facts, None))
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)
    assert "no Region's address" in run.why


@pytest.mark.parametrize(("word", "code"), [("bad", 5), ("unknown", 6)])
def test_a_target_endpoint_that_does_not_answer_is_not_done(word: str, code: int) -> None:
    scene = weights_scene()
    later = scene.facts.model_copy(
        update={"readings": (b.reading("endpoint", b.EAST, word, "here"), *b.health(b.WEST, "ok"))}
    )
    assert exit_of(scene.run(Told(scene.facts, later))) == code


def test_a_target_endpoint_of_which_there_is_no_reading_is_not_verified() -> None:
    scene = weights_scene()
    later = scene.facts.model_copy(update={"readings": b.health(b.WEST, "ok")})
    run = scene.run(Told(scene.facts, later))
    assert (run.outcome, exit_of(run)) == (Outcome.UNKNOWN, 6)


SHIFT = {"id": "shift", "step": "shift-traffic"}
VERIFY = {"id": "verify", "step": "verify", "timeout": "5s"}
READ_ONLY = {**VERIFY, "endpoints": False}


def test_a_target_that_becomes_impaired_in_the_bake_stops_a_planned_run() -> None:
    app = b.weighted_app()
    book = b.book(SHIFT, READ_ONLY, {"id": "bake", "step": "bake", "for": "20s"})
    scene_ = scene(app, b.facts(app), b.failover(), book)
    later = b.facts(app, well={b.EAST: "failing"})
    run = scene_.run(Told(scene_.facts, later))
    assert (run.outcome, exit_of(run)) == (Outcome.INCOMPLETE, 5)
    assert "us-east-1 became impaired" in run.why


def test_a_best_effort_step_that_fails_in_an_emergency_lets_the_run_go_on_but_not_be_done() -> None:
    app = b.weighted_app()
    bake = {"id": "bake", "step": "bake", "for": "20s", "in_emergency": "best-effort"}
    scene_ = scene(app, b.facts(app), b.failover(mode="emergency"), b.book(SHIFT, bake, READ_ONLY))
    run = scene_.run(Told(scene_.facts, b.facts(app, well={b.EAST: "failing"})))
    assert [step.state for step in run.steps] == [StepState.FINISHED, StepState.FAILED, StepState.FINISHED]
    assert (run.outcome, exit_of(run)) == (Outcome.INCOMPLETE, 5)
    assert "bake failed: us-east-1 became impaired" in run.why


def test_a_step_skipped_in_an_emergency_is_journalled_with_its_reason() -> None:
    app = b.weighted_app()
    book = b.book({"id": "fit", "step": "check", "in_emergency": "skip"}, SHIFT, VERIFY)
    scene_ = scene(app, b.facts(app), b.failover(mode="emergency"), book)
    run = scene_.run(Scripted(scene_.facts))
    assert run.steps[0].state is StepState.SKIPPED
    assert "as the runbook says" in run.steps[0].evidence


def test_a_step_that_may_fail_does_not_end_the_run_and_keeps_it_from_being_done() -> None:
    app = b.weighted_app()
    check = {"id": "fit", "step": "check", "source": "healthy", "on_failure": "continue"}
    facts = b.facts(app, well={b.WEST: "unclear"})
    scene_ = scene(app, facts, b.failover(mode="planned"), b.book(check, SHIFT, VERIFY))
    run = scene_.run(Scripted(facts))
    assert [step.state for step in run.steps] == [StepState.FAILED, StepState.FINISHED, StepState.FINISHED]
    assert (run.outcome, exit_of(run)) == (Outcome.INCOMPLETE, 5)
    assert "fit failed: us-west-2 is unknown" in run.why


def test_a_check_that_fails_before_anything_refuses() -> None:
    scene = weights_scene()
    world = Scripted(b.facts(scene.app, well={b.EAST: "failing"}))
    run = scene.run(world)
    assert (run.outcome, exit_of(run)) == (Outcome.REFUSED, 3)
    assert world.asked == 0


def test_a_person_who_does_not_approve_ends_the_run_before_anything() -> None:
    app = b.weighted_app()
    book = b.book({"id": "agree", "step": "approve"}, SHIFT, VERIFY)
    scene_ = scene(app, b.facts(app), b.failover(), book)
    world = Scripted(scene_.facts)
    run = scene_.run(world, Declines())
    assert (run.outcome, run.why) == (Outcome.REFUSED, "not approved")
    assert world.asked == 0


class Gone:
    """An operator whose terminal is gone."""

    how: Literal["typed", "yes", "digest"] = "typed"

    def approves(self, plan: Any, question: str) -> bool:
        raise UsageError("there is no terminal to ask at")


def test_a_person_who_cannot_be_asked_between_two_effects_leaves_the_run_incomplete_not_unknown() -> None:
    app = b.weighted_app()
    book = b.book(SHIFT, {"id": "agree", "step": "approve"}, VERIFY)
    scene_ = scene(app, b.facts(app), b.failover(), book)
    assert scene_.run(Scripted(scene_.facts), Gone()).outcome is Outcome.INCOMPLETE


def test_watching_steps_run_at_once_and_each_tells_what_it_saw() -> None:
    app = b.weighted_app()
    inside = [{"id": "look", "step": "bake", "for": "10s"}, {"id": "seen", "step": "verify"}]
    book = b.book(SHIFT, {"id": "both", "step": "parallel", "steps": inside})
    scene_ = scene(app, b.facts(app), b.failover(), book)
    run = scene_.run(Scripted(scene_.facts))
    assert (run.outcome, run.why) == (Outcome.DONE, "done and verified")
    assert run.steps[1].evidence.startswith("look: us-east-1 healthy")
    assert "seen: " in run.steps[1].evidence


def test_one_of_the_steps_at_once_that_fails_fails_them_all() -> None:
    app = b.weighted_app()
    inside = [{"id": "rest", "step": "wait", "for": "1s"}, {"id": "seen", "step": "verify", "timeout": "5s"}]
    book = b.book(SHIFT, {"id": "both", "step": "parallel", "steps": inside})
    scene_ = scene(app, b.facts(app), b.failover(), book)
    assert scene_.run(Answering(scene_.facts, b.WEST)).outcome is Outcome.INCOMPLETE


def test_inside_parallel_each_step_keeps_its_own_words_about_failing() -> None:
    app = b.weighted_app()
    inside = [
        {"id": "may", "step": "check", "source": "healthy", "on_failure": "continue"},
        {"id": "rest", "step": "wait", "for": "1s"},
    ]
    book = b.book(SHIFT, {"id": "both", "step": "parallel", "steps": inside}, VERIFY)
    scene_ = scene(app, b.facts(app, well={b.WEST: "unclear"}), b.failover(mode="planned"), book)
    run = scene_.run(Scripted(scene_.facts))
    assert [step.state for step in run.steps] == [StepState.FINISHED, StepState.FAILED, StepState.FINISHED]
    assert run.outcome is Outcome.INCOMPLETE
    assert "may: us-west-2 is unknown" in run.why


def test_inside_parallel_a_step_skipped_in_an_emergency_is_named() -> None:
    app = b.weighted_app()
    inside = [{"id": "rest", "step": "wait", "for": "1h", "in_emergency": "skip"}, VERIFY]
    book = b.book(SHIFT, {"id": "both", "step": "parallel", "steps": inside})
    scene_ = scene(app, b.facts(app), b.failover(mode="emergency"), book)
    run = scene_.run(Scripted(scene_.facts))
    assert run.outcome is Outcome.DONE
    assert "rest: skipped in an emergency" in run.steps[1].evidence
    assert scene_.clock.monotonic() == 0


def test_waiting_for_the_ttl_takes_as_long_as_the_longest() -> None:
    app = b.weighted_app()
    book = b.book(SHIFT, {"id": "rest", "step": "wait", "ttl": True}, VERIFY)
    scene_ = scene(app, b.facts(app, ttl=90), b.failover(), book)
    scene_.run(Scripted(scene_.facts))
    assert scene_.clock.monotonic() == 90


def interrupts(world: Any, effect: Effect) -> Receipt:
    raise KeyboardInterrupt


def interrupts_too_late(world: Any, effect: Effect) -> Receipt:
    world.perform(effect)
    raise KeyboardInterrupt


@pytest.mark.parametrize("stops", [interrupts, interrupts_too_late])
def test_an_interrupted_run_says_so_and_is_resumed_without_doing_anything_twice(stops: Any) -> None:
    scene = checks_scene()
    world = Scripted(scene.facts, succeeds, stops)
    run = scene.run(world)
    assert (run.outcome, exit_of(run), run.resumable) == (Outcome.INTERRUPTED, 130, True)
    run = scene.resumed(world)
    assert run.outcome is Outcome.DONE
    assert world.done == list(scene.plan.effects)


def test_a_confirmed_effect_that_someone_took_back_is_not_forced_on_them_again() -> None:
    scene = weights_scene()
    world = Answering(scene.facts, None)
    assert scene.run(world).outcome is Outcome.UNKNOWN
    world.inner.facts = scene.facts
    run = scene.resumed(Scripted(scene.facts))
    assert run.outcome is Outcome.INCOMPLETE
    assert world.inner.facts == scene.facts


def test_an_uncertain_effect_found_otherwise_on_resume_is_unknown() -> None:
    """Whether ours landed before the other's edit cannot be told any more."""
    scene = weights_scene()
    scene.run(Scripted(scene.facts, always=refuses(Uncertain("read timeout"))))
    foreign = b.facts(scene.app, weights={b.WEST: 1, b.EAST: 1})
    assert scene.resumed(Scripted(foreign)).outcome is Outcome.UNKNOWN


def test_a_run_that_has_ended_for_good_is_not_resumed() -> None:
    scene = weights_scene()
    scene.run(Scripted(scene.facts))
    with pytest.raises(UsageError, match="run is done: there is nothing to resume"):
        scene.resumed(Scripted(scene.facts))


def test_the_plan_that_resumes_is_the_journal_s_own() -> None:
    scene = checks_scene()
    world = Scripted(scene.facts, succeeds, interrupts)
    scene.run(world)
    other = Scene(scene.app, scene.facts, weights_scene().plan, scene.store, scene.clock)
    assert other.resumed(world).outcome is Outcome.DONE
    assert world.done == list(scene.plan.effects)


def test_two_runs_of_one_app_do_not_go_on_at_once() -> None:
    scene = weights_scene()
    first = scene.start(Scripted(scene.facts))
    next(first)
    with pytest.raises(Busy, match="run run of this app is going on"):
        next(scene.start(Scripted(scene.facts)))
    assert [entry.kind for entry in first][-1] == "closed"


def test_an_adopted_effect_is_what_it_stands_to() -> None:
    scene = weights_scene()
    effect = scene.plan.effects[0]
    assert standing(effect, scene.facts) is Standing.BEFORE
    assert standing(effect, after(scene)) is Standing.AFTER
    assert standing(effect, scene.facts.model_copy(update={"zones": ()})) is Standing.UNKNOWN


def test_a_wrapped_world_is_a_world() -> None:
    scene = weights_scene()
    assert Wrapped(Scripted(scene.facts).inner).overrides() == ()
