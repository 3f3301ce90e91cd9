"""A decision as a screen: the plan that would run, or the refusal and what would change it, or nothing to do."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import assert_never

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..model.facts import EndpointOverride
from ..model.plan import Decision, Finding, Intent, Mode, NothingToDo, Plan, PlannedStep, Refusal, Says
from ..model.readings import Verdict
from .expiry import too_short
from .screen import Column, Look, cell, columns, heading, indented, labelled, line, to_text
from .text_status import VERDICT_STYLE, VERDICT_WORD, banner
from .words import about, changes, utc

SAYS_STYLE = {Says.YES: "green", Says.NO: "bold red", Says.WARNS: "yellow", Says.OVERRIDDEN: "bold magenta"}
SAYS_WORD = {Says.YES: "yes", Says.NO: "NO", Says.WARNS: "warns", Says.OVERRIDDEN: "OVERRIDDEN"}
_LOUDEST = {Says.NO: 0, Says.OVERRIDDEN: 1, Says.WARNS: 2, Says.YES: 3}


def decision_screen(
    decision: Decision, look: Look, overrides: Sequence[EndpointOverride] = (), expires_at: datetime | None = None
) -> str:
    """``expires_at``: when the caller's credentials end."""
    return to_text([*banner(overrides), *_parts(decision, look, expires_at)], look)


def _parts(decision: Decision, look: Look, expires_at: datetime | None) -> Iterator[RenderableType]:
    match decision:
        case Plan():
            return _plan(decision, look, expires_at)
        case Refusal():
            return _refusal(decision, look)
        case NothingToDo():
            return iter([line(("NOTHING TO DO", "bold green"), f" for {decision.app}: {decision.why}")])
        case _:
            assert_never(decision)


def _plan(plan: Plan, look: Look, expires_at: datetime | None) -> Iterator[RenderableType]:
    yield line(("PLAN", "bold"), f" {asked_words(plan.intent, plan.app)}: {move_words(plan)}, ", (plan.mode, "bold"))
    yield indented(line(f"from what was seen at {utc(plan.observed_at)}"))
    if plan.proposed:
        yield indented(line(("an emergency is proposed: agreeing to it gives the source up", "bold yellow")))
    yield from _verdicts(plan.verdicts)
    yield heading("STEPS")
    for number, step in enumerate(plan.steps, 1):
        yield from _step(number, step)
    yield from _guards(plan.guards, look)
    if plan.data_at_risk:
        yield labelled("DATA AT RISK", plan.data_at_risk)
    if warning := too_short(plan, expires_at):
        yield labelled("CREDENTIALS", warning, "bold yellow")
    yield labelled("DIGEST", plan.digest)


def asked_words(intent: Intent, app: str) -> str:
    """``failover of orders``, and whether it is an exercise."""
    return f"{intent.verb} of {app}" + (" (exercise)" if intent.exercise else "")


def move_words(plan: Plan) -> str:
    """``us-west-2 -> us-east-1``."""
    return f"{', '.join(plan.source) or 'none'} -> {', '.join(plan.target)}"


def _step(number: int, step: PlannedStep) -> Iterator[RenderableType]:
    title = "" if step.id == step.kind else f" ({step.kind})"
    notes = ", ".join(_notes(step))
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(cell(f"{number}."), line((step.id, "bold"), title, f"  {notes}" if notes else ""))
    for detail in _details(step):
        grid.add_row("", detail)
    yield indented(grid)


def _details(step: PlannedStep) -> Iterator[Text]:
    if step.skipped:
        yield line((f"skipped: {step.skipped}", "yellow"))
    if step.why:
        yield line(step.why)
    for effect in step.effects:
        for change in changes(effect):
            yield line(f"{change.what}: {change.before} -> ", (change.after, "bold"))
    if step.undo:
        yield line(f"undo: {step.undo}")


def _notes(step: PlannedStep) -> Iterator[str]:
    if step.lever:
        yield f"by {step.lever}"
    if step.plane != "none":
        yield f"{step.plane} plane"
    if step.needs_regions:
        yield f"needs {', '.join(step.needs_regions)}"
    if step.best_effort:
        yield "best effort"
    if step.expected_s is not None:
        yield f"about {about(step.expected_s)}"


def _verdicts(verdicts: Sequence[Verdict]) -> Iterator[RenderableType]:
    for verdict in verdicts:
        word, style = VERDICT_WORD[verdict.verdict], VERDICT_STYLE[verdict.verdict]
        yield indented(line(f"{verdict.region} ", (word, style), f": {verdict.why}"))


def _guards(guards: Sequence[Finding], look: Look) -> Iterator[RenderableType]:
    if not guards:
        return
    yield heading("GUARDS")
    loudest_first = sorted(guards, key=lambda guard: _LOUDEST[guard.says])
    if look.is_narrow:
        for guard in loudest_first:
            yield indented(line((SAYS_WORD[guard.says], SAYS_STYLE[guard.says]), f" {guard.name}: {_why(guard)}"))
        return
    rows = ([cell(SAYS_WORD[g.says], SAYS_STYLE[g.says]), cell(g.name), cell(_why(g))] for g in loudest_first)
    yield indented(columns([Column(""), Column(""), Column("", folds=True)], rows, header=False))


def _why(guard: Finding) -> str:
    return f"{guard.why}; {guard.cure}" if guard.cure and guard.says is Says.WARNS else guard.why


def _refusal(refusal: Refusal, look: Look) -> Iterator[RenderableType]:
    """Every guard that says no, each with its cure, before those that do not."""
    asked = asked_words(refusal.intent, refusal.app) + (f" to {refusal.intent.to}" if refusal.intent.to else "")
    mode = "" if refusal.intent.mode is not Mode.AUTO else f", {refusal.mode}"
    yield line(("REFUSED", "bold red"), f" {asked}{mode}: nothing was changed")
    yield from _verdicts(refusal.verdicts)
    for guard in refusal.guards:
        if guard.says is Says.NO:
            yield indented(line((f"{guard.name}", "bold red"), f" says no: {guard.why}"))
            if guard.cure:
                yield indented(line(f"to change its mind: {guard.cure}"), 4)
    yield from _guards([guard for guard in refusal.guards if guard.says is not Says.NO], look)
    if refusal.next_command:
        yield labelled("NEXT", refusal.next_command, "bold")
