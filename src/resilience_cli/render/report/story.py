"""What happened, in order: steps with before and after, approvals, the ids AWS knows the writes by, every entry."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ...model.effects import Effect
from ...model.plan import Plan, PlannedStep
from ...model.report import Approval, Changed, EffectTold, Request, StepTold, Told
from ...model.run import (
    Approved,
    Declined,
    EffectState,
    Entry,
    Failed,
    Noted,
    Performed,
    Planned,
    Resumed,
    Run,
    StepRun,
)
from ..text_run import progress
from ..words import changes

_HOW = {
    "typed": "typed on the terminal",
    "yes": "beforehand, with --yes",
    "digest": "beforehand, with --approve and this plan's digest",
}


def steps_of(entries: Sequence[Entry], run: Run, typed_at: datetime) -> tuple[StepTold, ...]:
    pairs = zip(run.plan.steps, run.steps, strict=True)
    return tuple(_step(planned, told, tuple(_notes(entries, planned.id)), typed_at) for planned, told in pairs)


def _step(planned: PlannedStep, told: StepRun, notes: tuple[str, ...], typed_at: datetime) -> StepTold:
    return StepTold(
        id=planned.id,
        kind=planned.kind,
        state=told.state,
        why=planned.why,
        evidence=told.evidence or planned.skipped,
        started_at=told.started_at,
        finished_at=told.finished_at,
        from_s=_between(typed_at, told.started_at),
        took_s=_between(told.started_at, told.finished_at),
        lever=planned.lever or "",
        plane=planned.plane,
        undo=planned.undo,
        effects=tuple(map(_effect, planned.effects, told.effects)),
        notes=notes,
    )


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)


def _effect(effect: Effect, state: EffectState) -> EffectTold:
    lines = tuple(Changed(what=c.what, before=c.before, after=c.after) for c in changes(effect))
    return EffectTold(state=state, changes=lines)


def _notes(entries: Sequence[Entry], step: str) -> Iterator[str]:
    """Why a step took its time or went wrong. Its last failure is its evidence already."""
    for entry in entries:
        match entry:
            case Noted() if entry.step == step:
                yield entry.text
            case Declined() if entry.step == step:
                yield f"AWS declined it, so nothing was changed by that attempt: {entry.why}"
            case Failed() if entry.step == step and entry.carried_on:
                yield "the step failed and the run went on: it was best effort, or may fail"
            case Performed() if entry.step == step and entry.how == "adopted":
                yield "found to hold already, and adopted: not asked for again"
            case _:
                pass


def approvals_of(entries: Sequence[Entry]) -> tuple[Approval, ...]:
    """Who agreed, to what and how. Whoever resumed the run speaks from there on."""
    found, who = [], "unknown"
    for entry in entries:
        match entry:
            case Planned() | Resumed():
                who = f"{entry.caller} on {entry.host}"
            case Approved():
                what = f"step {entry.step}" if entry.step else "the whole plan"
                found.append(Approval(at=entry.at, by=who, what=what, how=_HOW[entry.how]))
            case _:
                pass
    return tuple(found)


def requests_of(entries: Sequence[Entry]) -> tuple[Request, ...]:
    """Every write AWS accepted, with the ids that AWS's own logs know it by."""
    return tuple(
        Request(
            at=entry.at,
            step=entry.step,
            request_id=entry.receipt.request_id,
            change_id=entry.receipt.change_id or "",
            endpoint=entry.receipt.endpoint,
            how=entry.how,
        )
        for entry in entries
        if isinstance(entry, Performed)
    )


def journal_of(entries: Sequence[Entry], plan: Plan) -> tuple[Told, ...]:
    return tuple(Told(seq=entry.seq, at=entry.at, words=_words(entry, plan)) for entry in entries)


def _words(entry: Entry, plan: Plan) -> str:
    return progress(entry, plan).partition("  ")[2]  # the screen's line without its time
