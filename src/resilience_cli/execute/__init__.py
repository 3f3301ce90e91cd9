"""Carry out a plan, or go on with one: every entry durable before what it announces, every effect seen to hold.

``start`` and ``resume`` are one loop over the plan's steps; the only difference is what the journal already tells.
Inside: ``writing`` (the journal's pen), ``effects`` (one effect, adopt or perform or stop), ``watching`` (the steps
that change nothing), ``verifying`` (the one of them that asks from outside), ``steps`` (what they share).
"""

from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from ..errors import AwsTrouble, ResilError, UsageError
from ..journal import fold
from ..model.effects import Effect
from ..model.facts import Facts
from ..model.plan import Plan, PlannedStep
from ..model.run import (
    Approved,
    Closed,
    EffectState,
    Entry,
    Failed,
    Finished,
    Outcome,
    Planned,
    Resumed,
    Run,
    Skipped,
    Started,
    StepState,
)
from ..model.runbook import Approve, Check, Parallel, ShiftTraffic, Verify
from ..ports import JournalStore
from ..simulate import Standing
from .effects import Task, carry_out, lasting, look
from .steps import Pace, Stage, StepFailed
from .watching import together, watch
from .writing import Pen

__all__ = ["Author", "Pace", "Pen", "Stage", "require_resumable", "resume", "start"]


Doing = Generator[Entry, None, str]


class Author(NamedTuple):
    """Who runs it, where, how it was approved, and when the command was typed."""

    caller: str
    host: str
    how: str
    typed_at: datetime
    endpoints: tuple[str, ...] = ()


def start(stage: Stage, store: JournalStore, run: str, author: Author, facts: Facts) -> Iterator[Entry]:
    """Run an approved plan from its first step. The last entry is Closed; its outcome is the run's.

    ``facts`` are those the plan was made on: the evidence goes into the journal beside it.
    """
    pen = Pen(store, stage.clock, run)
    with store.hold(run):
        yield pen.write(
            Planned,
            run=run,
            plan=stage.plan,
            digest=stage.plan.digest,
            caller=author.caller,
            host=author.host,
            typed_at=author.typed_at,
            decided_at=stage.plan.observed_at,
            endpoints=author.endpoints,
            readings=facts.readings,
            answers=facts.answers,
            unread=facts.unread,
        )
        yield pen.write(Approved, how=author.how)
        yield from _to_the_end(stage, pen)


def resume(stage: Stage, store: JournalStore, run: str, author: Author) -> Iterator[Entry]:
    """Go on with a run from what its journal tells, with the plan its journal holds. Uncertain effects are settled by
    reading, never just repeated. Raises UsageError for a run that has ended for good."""
    with store.hold(run):
        told = store.entries(run)
        before = fold(told)
        require_resumable(before)
        stage = replace(stage, plan=before.plan)
        pen = Pen(store, stage.clock, run, seq=before.last_seq, asked=before.changed)
        yield pen.write(Resumed, caller=author.caller, host=author.host)
        if not any(isinstance(entry, Approved) for entry in told):
            yield pen.write(Approved, how=author.how)
        yield from _to_the_end(stage, pen, _to_look_again(before))


def require_resumable(run: Run) -> None:
    """Raises UsageError for a run that has ended for good, or whose plan is not the one that was approved."""
    if not run.resumable:
        raise UsageError(f"run {run.run} is {run.outcome}: there is nothing to resume", hint="resil status")
    if run.digest != run.plan.digest:
        raise UsageError(
            f"the plan in the journal of run {run.run} is not the one that was approved: it was edited",
            hint="resil status; then make a new plan",
        )


def _to_look_again(run: Run) -> frozenset[str]:
    """What was seen before the run broke off may be long ago: every verify is done again, and the checks before a
    shift that is still to be done."""
    looks: set[str] = {planned.id for planned in run.plan.steps if _verifies(run.plan, planned.id)}
    checks: set[str] = set()
    for planned, step in zip(run.plan.steps, run.steps, strict=True):
        if isinstance(planned.spec, Check | Parallel):
            checks.add(planned.id)
        if isinstance(planned.spec, ShiftTraffic) and step.state is not StepState.FINISHED:
            looks |= checks
    return frozenset(looks)


def _to_the_end(stage: Stage, pen: Pen, again: frozenset[str] = frozenset()) -> Iterator[Entry]:
    try:
        for step in stage.plan.steps:
            yield from _step(stage, pen, step, again)
    except StepFailed as failed:
        yield _close(pen, failed)
    except KeyboardInterrupt:
        pen.catch_up()
        yield pen.write(Closed, outcome=Outcome.INTERRUPTED, why="stopped by the operator")
    except UsageError as unusable:  # credentials that ran out before anything was asked for
        yield pen.write(Closed, outcome=Outcome.REFUSED, why=unusable.message)
        raise
    else:
        outcome, why = _end(stage.plan, _so_far(pen))
        undone = _undone(stage) if outcome is Outcome.DONE else ""
        if undone:
            outcome, why = Outcome.INCOMPLETE, undone
        yield pen.write(Closed, outcome=outcome, why=why, final=bool(undone))


def _end(plan: Plan, run: Run) -> tuple[Outcome, str]:
    """How a run ends whose steps were all gone through: done only if none failed, every effect was read back, and
    a step verified it from outside."""
    failed = [step for step in run.steps if step.state is StepState.FAILED]
    open_ = [step for step in run.steps if any(state is not EffectState.CONFIRMED for state in step.effects)]
    seen = any(step.state is StepState.FINISHED and _verifies(plan, step.id) for step in run.steps)
    if not failed and not open_ and seen:
        return Outcome.DONE, "done and verified"
    told = [f"{step.id} failed: {step.evidence}" for step in failed]
    told += [] if seen else ["no step verified it from outside"]
    uncertain = any(state is EffectState.UNCERTAIN for step in open_ for state in step.effects)
    return (Outcome.UNKNOWN if uncertain else Outcome.INCOMPLETE), "; ".join(told)


def _undone(stage: Stage) -> str:
    """What someone else changed after it was verified, or "". What can't be read now was seen to hold then."""
    gone = [
        effect for effect in lasting(stage.plan.effects) if _reads(stage, effect) in (Standing.BEFORE, Standing.OTHER)
    ]
    return "someone else changed what this run had set, after it was seen to hold" if gone else ""


def _reads(stage: Stage, effect: Effect) -> Standing:
    """``look``, with credentials that ran out since the last step as nothing read: the run is told all the same."""
    try:
        return look(stage, effect)
    except UsageError:
        return Standing.UNKNOWN


def _verifies(plan: Plan, step_id: str) -> bool:
    spec = next(step.spec for step in plan.steps if step.id == step_id)
    inside = spec.steps if isinstance(spec, Parallel) else ()
    return isinstance(spec, Verify) or any(isinstance(step, Verify) for step in inside)


def _close(pen: Pen, failed: StepFailed) -> Entry:
    run = _so_far(pen)
    return pen.write(Closed, outcome=ending(run, failed), why=failed.why, final=failed.stale)


def ending(run: Run, failed: StepFailed) -> Outcome:
    """What a failed step makes of its run: refused or stale if nothing was changed, else incomplete or unknown."""
    if not run.changed:
        return Outcome.STALE if failed.stale else Outcome.REFUSED
    return Outcome.UNKNOWN if failed.uncertain else Outcome.INCOMPLETE


def _so_far(pen: Pen) -> Run:
    return fold(pen.store.entries(pen.run))


def _step(stage: Stage, pen: Pen, step: PlannedStep, again: frozenset[str]) -> Iterator[Entry]:
    """One step, unless it is behind us. A best-effort step that could not tell counts as skipped; one that failed,
    and may, does not end the run."""
    if _state(pen, step) in (StepState.FINISHED, StepState.SKIPPED) and step.id not in again:
        return
    if step.skipped:
        yield pen.write(Skipped, step=step.id, why=step.skipped)
        return
    yield pen.write(Started, step=step.id)
    try:
        evidence = yield from _carry_out(stage, pen, step)
    except StepFailed as failed:
        if step.best_effort and failed.uncertain:
            yield pen.write(Skipped, step=step.id, why=f"tried, best effort in an emergency: {failed.why}")
            return
        goes_on = step.best_effort or step.spec.on_failure == "continue" or failed.may_fail
        yield pen.write(Failed, step=step.id, why=failed.why, uncertain=failed.uncertain, carried_on=goes_on)
        if not goes_on:
            raise
    else:
        yield pen.write(Finished, step=step.id, evidence=evidence)


def _state(pen: Pen, step: PlannedStep) -> StepState:
    return next(found.state for found in _so_far(pen).steps if found.id == step.id)


def _carry_out(stage: Stage, pen: Pen, step: PlannedStep) -> Doing:
    try:
        match step.spec:
            case ShiftTraffic():
                return (yield from _shift(stage, pen, step))
            case Approve():
                return (yield from _approve(stage, pen, step.id, step.spec))
            case Parallel():
                return together(stage, step.spec)
            case _:
                return watch(stage, step.spec)
    except (AwsTrouble, ResilError) as trouble:
        if isinstance(trouble, UsageError) and not _so_far(pen).changed:
            raise
        # A question put to a person changes nothing; anything else that broke off leaves open what is the case.
        raise StepFailed(trouble.message, uncertain=not isinstance(step.spec, Approve)) from trouble


def _shift(stage: Stage, pen: Pen, step: PlannedStep) -> Doing:
    known = next(found for found in _so_far(pen).steps if found.id == step.id)
    for number, effect in enumerate(step.effects):
        state = known.effects[number]
        if state is EffectState.CONFIRMED:
            continue  # seen to hold before; should it hold no longer, that is someone else's change
        task = Task(step.id, number, effect, step.spec.timeout, state is EffectState.UNCERTAIN)
        yield from carry_out(stage, pen, task)
    return f"{len(step.effects)} change(s) confirmed"


def _approve(stage: Stage, pen: Pen, step_id: str, step: Approve) -> Doing:
    if not stage.operator.approves(stage.plan, step.question):
        raise StepFailed("not approved")
    yield pen.write(Approved, how=stage.operator.how, step=step_id)
    return "approved"
