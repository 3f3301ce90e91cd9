"""Journal entries -> the state of a run. Pure: a run is only ever the fold of its journal."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from .errors import UsageError
from .model.effects import CheckEffect
from .model.facts import PriorSwitch
from .model.records import FORCED_UNHEALTHY
from .model.run import (
    Approved,
    Closed,
    Confirmed,
    Declined,
    EffectState,
    Entry,
    Failed,
    Finished,
    Noted,
    Outcome,
    Performed,
    Performing,
    Planned,
    Resumed,
    Run,
    Skipped,
    Started,
    StepRun,
    StepState,
    Timings,
)


def fold(entries: Sequence[Entry]) -> Run:
    """The run these entries tell of. Raises UsageError for a journal that does not begin with its plan."""
    if not entries or not isinstance(entries[0], Planned):
        raise UsageError("this journal does not begin with a plan: nothing can be said or resumed from it")
    first = entries[0]
    run = Run(
        run=first.run,
        plan=first.plan,
        digest=first.digest,
        caller=first.caller,
        host=first.host,
        outcome=Outcome.RUNNING,
        started_at=first.at,
        steps=tuple(
            StepRun(
                id=step.id,
                effects=(EffectState.UNTOUCHED,) * len(step.effects),
                receipts=(None,) * len(step.effects),
            )
            for step in first.plan.steps
        ),
        last_seq=first.seq,
        endpoints=first.endpoints,
    )
    for number, entry in enumerate(entries[1:], 1):
        run = _next(run, entry, entries[:number]).model_copy(update={"last_seq": entry.seq})
    return run.model_copy(update={"timings": timings(entries)})


def _next(run: Run, entry: Entry, earlier: Sequence[Entry]) -> Run:  # noqa: C901 - one match over a closed union
    match entry:
        case Planned():
            raise UsageError(f"entry {entry.seq}: a second plan in one journal")
        case Approved() | Noted():
            return run
        case Started():
            return _step(run, entry, state=StepState.STARTED, started_at=entry.at)
        case Performing():
            return _effect(run, entry, EffectState.UNCERTAIN)
        case Declined():
            surely_not = _open_attempts(earlier, entry) <= 1
            return _effect(run, entry, EffectState.UNTOUCHED if surely_not else EffectState.UNCERTAIN)
        case Performed():
            return _receipt(_effect(run, entry, EffectState.UNCERTAIN), entry)
        case Confirmed():
            return _effect(run, entry, EffectState.CONFIRMED)
        case Finished():
            return _step(run, entry, state=StepState.FINISHED, finished_at=entry.at, evidence=entry.evidence)
        case Skipped():
            return _step(run, entry, state=StepState.SKIPPED, finished_at=entry.at, evidence=entry.why)
        case Failed():
            return _step(run, entry, state=StepState.FAILED, finished_at=entry.at, evidence=entry.why)
        case Resumed():
            return run.model_copy(update={"outcome": Outcome.RUNNING, "why": "", "final": False})
        case Closed():
            return run.model_copy(update={"outcome": entry.outcome, "why": entry.why, "final": entry.final})
        case _:
            assert_never(entry)


def _open_attempts(earlier: Sequence[Entry], entry: Declined) -> int:
    """Attempts at the effect whose answer is out. One that AWS declined is settled; one whose answer was lost is not,
    whatever a later attempt was told."""
    asked = [each for each in earlier if isinstance(each, Performing | Declined) and _about(each) == _about(entry)]
    return sum(1 if isinstance(each, Performing) else -1 for each in asked)


def _about(entry: Performing | Performed | Declined | Confirmed) -> tuple[str, int]:
    return entry.step, entry.effect


OfStep = Started | Finished | Skipped | Failed | Performing | Performed | Declined | Confirmed


def _step(run: Run, entry: OfStep, **update: object) -> Run:
    if all(step.id != entry.step for step in run.steps):
        raise UsageError(f"entry {entry.seq} is about step {entry.step}, which the plan does not have")
    steps = tuple(step.model_copy(update=update) if step.id == entry.step else step for step in run.steps)
    return run.model_copy(update={"steps": steps})


def _effect(run: Run, entry: Performing | Performed | Declined | Confirmed, state: EffectState) -> Run:
    number = entry.effect
    known = next((step.effects for step in run.steps if step.id == entry.step), ())
    if not 0 <= number < len(known):
        raise UsageError(
            f"entry {entry.seq} is about effect {number} of step {entry.step}, which the plan does not have"
        )
    return _step(run, entry, effects=(*known[:number], state, *known[number + 1 :]))


def _receipt(run: Run, entry: Performed) -> Run:
    step = next(step for step in run.steps if step.id == entry.step)
    receipts = (*step.receipts[: entry.effect], entry.receipt, *step.receipts[entry.effect + 1 :])
    return _step(run, entry, receipts=receipts)


def timings(entries: Sequence[Entry]) -> Timings:
    """Where the time went, from the command's typing to the end of the run."""
    first = entries[0]
    assert isinstance(first, Planned), "checked by fold"
    approved = _last(entries, Approved)
    accepted = _last(entries, Performed)
    confirmed = _last(entries, Confirmed)
    closed = _last(entries, Closed)
    return Timings(
        detect_s=_between(first.typed_at, first.plan.observed_at),
        decide_s=_between(first.plan.observed_at, approved),
        act_s=_between(approved, accepted),
        propagate_s=_between(accepted, confirmed),
        settle_s=_between(confirmed, closed),
    )


def _last(entries: Sequence[Entry], kind: type[Approved | Performed | Confirmed | Closed]) -> datetime | None:
    return next((entry.at for entry in reversed(entries) if isinstance(entry, kind)), None)


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)


def prior_switches(runs: Sequence[Run]) -> tuple[PriorSwitch, ...]:
    """How each health check stood before resil last forced it, from runs oldest first: the way back.

    A check found forced already keeps what an earlier run recorded.
    """
    found: dict[str, PriorSwitch] = {}
    for run in runs:
        for planned, step in zip(run.plan.steps, run.steps, strict=True):
            for effect, state in zip(planned.effects, step.effects, strict=True):
                if isinstance(effect, CheckEffect) and state is not EffectState.UNTOUCHED:
                    change = effect.check
                    if change.after == FORCED_UNHEALTHY and change.before != FORCED_UNHEALTHY:
                        found[change.id] = PriorSwitch(check_id=change.id, before=change.before)
    return tuple(found.values())
