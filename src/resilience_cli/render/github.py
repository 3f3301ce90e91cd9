"""GitHub Actions workflow commands: one annotation a guard or step that matters, so that CI shows it on the change.

Escaping as GitHub's own toolkit does (actions/toolkit, command.ts): ``%``, CR, LF; in properties ``:`` and ``,`` too.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, assert_never

from ..errors import Problem
from ..model.facts import EndpointOverride
from ..model.plan import Decision, Finding, NothingToDo, Plan, Refusal, Says
from ..model.run import StepState
from .plain import clean
from .text_plan import asked_words, move_words
from .text_run import OUTCOME_WORD, Ending
from .words import changes

Level = Literal["error", "warning", "notice"]


def github(decision: Decision | None, ending: Ending | None, overrides: Sequence[EndpointOverride] = ()) -> str:
    lines = [_say("warning", "not AWS", f"{o.service} is overridden: {o.url}") for o in overrides]
    if decision is not None:
        lines += _decision(decision)
    if ending is not None:
        lines += _ending(ending)
    return "".join(f"{text}\n" for text in lines)


def github_problems(problems: Sequence[Problem]) -> str:
    """Problems in files, shown by GitHub at their lines."""
    return "".join(
        f"::error file={_property(p.file)},line={p.line or 1}::"
        f"{_data(p.message + (f' ({p.hint})' if p.hint else ''))}\n"
        for p in problems
    )


def _decision(decision: Decision) -> Iterator[str]:
    what = asked_words(decision.intent, decision.app)
    match decision:
        case Plan():
            effects = [str(change) for effect in decision.effects for change in changes(effect)]
            told = "; ".join((f"{move_words(decision)}, {decision.mode}", *effects, f"digest {decision.digest}"))
            yield _say("notice", f"plan: {what}", told)
            yield from _guards(decision.guards)
        case Refusal():
            yield _say("error", f"refused: {what}", decision.next_command or "nothing was changed")
            yield from _guards(decision.guards)
        case NothingToDo():
            yield _say("notice", f"nothing to do: {what}", decision.why)
        case _:
            assert_never(decision)


def _guards(guards: Sequence[Finding]) -> Iterator[str]:
    for guard in guards:
        if guard.says is not Says.YES:
            level: Level = "error" if guard.says is Says.NO else "warning"
            cure = f"; {guard.cure}" if guard.cure else ""
            yield _say(level, f"guard {guard.name} {guard.says}", f"{guard.why}{cure}")


def _ending(ending: Ending) -> Iterator[str]:
    run = ending.run
    level: Level = "error" if ending.exit_code else "notice"
    told = f"run {run.run}, exit {ending.exit_code}; {run.why}; {ending.next_command}".strip("; ")
    yield _say(level, f"{OUTCOME_WORD[run.outcome].lower()}: {asked_words(run.plan.intent, run.plan.app)}", told)
    for step in run.steps:
        if step.state in (StepState.FAILED, StepState.STARTED):
            yield _say("error", f"step {step.id} {step.state}", step.evidence)


def _say(level: Level, title: str, text: str) -> str:
    return f"::{level} title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    return clean(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
