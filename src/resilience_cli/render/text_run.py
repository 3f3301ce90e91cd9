"""A run as it goes, one line an entry; and how it ended: what was changed, how long it took, what to do next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from rich.console import RenderableType
from rich.text import Text

from ..model.facts import EndpointOverride
from ..model.plan import Plan
from ..model.run import (
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
)
from .plain import clean
from .screen import Column, Look, cell, columns, heading, indented, labelled, line, to_text
from .text_plan import asked_words, move_words
from .text_status import banner
from .words import changes, clock, seconds, utc

OUTCOME_WORD = {
    Outcome.RUNNING: "NOT FINISHED",
    Outcome.DONE: "DONE",
    Outcome.REFUSED: "REFUSED",
    Outcome.INCOMPLETE: "INCOMPLETE",
    Outcome.UNKNOWN: "UNKNOWN",
    Outcome.STALE: "STALE",
    Outcome.INTERRUPTED: "INTERRUPTED",
}
EFFECT_WORD = {
    EffectState.UNTOUCHED: "not touched",
    EffectState.UNCERTAIN: "UNCERTAIN",
    EffectState.CONFIRMED: "confirmed",
}
STATE_STYLE = {StepState.FINISHED: "green", StepState.FAILED: "bold red", StepState.STARTED: "bold yellow"}


@dataclass(frozen=True)
class Ending:
    """How a run ended, and what that means to the shell and to the operator."""

    run: Run
    exit_code: int
    next_command: str = ""


def progress(entry: Entry, plan: Plan | None) -> str:
    """One line for one journal entry."""
    return f"{clock(entry.at)}  {clean(_told(entry, plan))}"


def _told(entry: Entry, plan: Plan | None) -> str:
    match entry:
        case Planned():
            return f"run {entry.run}: {asked_words(entry.plan.intent, entry.plan.app)}, {move_words(entry.plan)}"
        case Approved():
            words = {"typed": "typed on the terminal", "yes": "by --yes", "digest": "by --approve, for this plan only"}
            return f"{entry.step + ': ' if entry.step else ''}approved, {words[entry.how]}"
        case Resumed():
            return f"resumed by {entry.caller} on {entry.host}"
        case Closed():
            return f"{OUTCOME_WORD[entry.outcome]}: {entry.why}" if entry.why else OUTCOME_WORD[entry.outcome]
        case _:
            return f"{entry.step}: {_told_of_step(entry, plan)}"


def _told_of_step(
    entry: Started | Performing | Performed | Declined | Confirmed | Noted | Finished | Skipped | Failed,
    plan: Plan | None,
) -> str:
    match entry:
        case Started():
            return "started"
        case Performing():
            return f"asking for {_effect_words(plan, entry.step, entry.effect)}"
        case Performed():
            return "accepted" if entry.how == "performed" else "held already"
        case Declined():
            return f"declined, nothing was changed by it: {entry.why}"
        case Confirmed():
            return f"confirmed: {entry.evidence}"
        case Noted():
            return entry.text
        case Finished():
            return f"finished: {entry.evidence}" if entry.evidence else "finished"
        case Skipped():
            return f"skipped: {entry.why}"
        case Failed():
            ending = ", carried on" if entry.carried_on else ""
            return f"{'UNCERTAIN' if entry.uncertain else 'FAILED'}{ending}: {entry.why}"
        case _:
            assert_never(entry)


def _effect_words(plan: Plan | None, step: str, effect: int) -> str:
    effects = [one for planned in plan.steps if planned.id == step for one in planned.effects] if plan else []
    if effect >= len(effects):
        return f"effect {effect + 1}"
    return "; ".join(str(change) for change in changes(effects[effect])) or f"effect {effect + 1}"


def ending_screen(ending: Ending, look: Look, overrides: Sequence[EndpointOverride] = ()) -> str:
    return to_text([*banner(overrides), *_ending(ending)], look)


def _ending(ending: Ending) -> Iterator[RenderableType]:
    run = ending.run
    style = "bold green" if run.outcome is Outcome.DONE else "bold red"
    what = f"{asked_words(run.plan.intent, run.plan.app)}: {move_words(run.plan)}, {run.plan.mode}"
    yield line((OUTCOME_WORD[run.outcome], style), f" {what}")
    yield indented(line(f"run {run.run}, started {utc(run.started_at)} by {run.caller} on {run.host}"))
    if run.why:
        yield indented(line(run.why))
    yield heading("CHANGED", "" if run.changed else "nothing")
    yield indented(_effects(run))
    if any(state is EffectState.UNCERTAIN for step in run.steps for state in step.effects):
        yield indented(line("UNCERTAIN: it was asked for, and is neither confirmed nor ruled out"))
    yield heading("STEPS")
    yield indented(_steps(run.steps))
    yield labelled("TIMINGS", _timings(run))
    yield labelled("EXIT", str(ending.exit_code))
    if ending.next_command:
        yield labelled("NEXT", ending.next_command, "bold")


def _effects(run: Run) -> RenderableType:
    """Every effect that was asked for, line by line, and whether it was seen to hold."""
    rows = []
    for planned, step in zip(run.plan.steps, run.steps, strict=False):
        for effect, state in zip(planned.effects, step.effects, strict=False):
            if state is not EffectState.UNTOUCHED:
                style = "green" if state is EffectState.CONFIRMED else "bold yellow"
                rows += [[cell(EFFECT_WORD[state], style), cell(change)] for change in changes(effect)]
    return columns([Column(""), Column("", folds=True)], rows, header=False)


def _steps(steps: Sequence[StepRun]) -> RenderableType:
    titles = [Column(""), Column(""), Column(""), Column("", folds=True)]
    return columns(titles, (_step_row(step) for step in steps), header=False)


def _step_row(step: StepRun) -> list[Text]:
    took = None
    if step.started_at and step.finished_at:
        took = (step.finished_at - step.started_at).total_seconds()
    return [cell(step.state, STATE_STYLE.get(step.state, "")), cell(step.id), cell(seconds(took)), cell(step.evidence)]


def _timings(run: Run) -> str:
    spans = run.timings.model_dump()
    return ", ".join(f"{name.removesuffix('_s')} {seconds(span)}" for name, span in spans.items())


def runs_screen(runs: Sequence[Run], look: Look) -> str:
    """The app's runs, newest last."""
    if not runs:
        return "no runs yet\n"
    if look.is_narrow:
        return to_text(
            (line(f"{run.run} ", (OUTCOME_WORD[run.outcome], "bold"), f" {_gist(run)}") for run in runs), look
        )
    titles = [Column("run"), Column("outcome"), Column("what", folds=True)]
    rows = ([cell(run.run), cell(OUTCOME_WORD[run.outcome]), cell(_gist(run))] for run in runs)
    return to_text([columns(titles, rows)], look)


def _gist(run: Run) -> str:
    what = f"{asked_words(run.plan.intent, run.plan.app)} to {', '.join(run.plan.target)}"
    return f"{what}: {run.why}" if run.why else what
