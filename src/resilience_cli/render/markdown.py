"""Markdown, for a pull request or a ticket. What comes from elsewhere is escaped, so that it cannot become markup."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from ..model.facts import EndpointOverride
from ..model.plan import Decision, Finding, NothingToDo, Plan, PlannedStep, Refusal, Says
from .plain import clean
from .text_plan import SAYS_WORD, asked_words, move_words
from .text_run import EFFECT_WORD, OUTCOME_WORD, Ending
from .words import changes, seconds, utc

_MARKUP = re.compile(r"([\\`*_{}\[\]<#|!&~]|^>)")


def markdown(decision: Decision | None, ending: Ending | None, overrides: Sequence[EndpointOverride] = ()) -> str:
    lines = list(_banner(overrides))
    if decision is not None:
        lines += _decision(decision)
    if ending is not None:
        lines += _ending(ending)
    return "\n".join(lines).rstrip("\n") + "\n"


def escape(text: object) -> str:
    return _MARKUP.sub(r"\\\1", clean(text))


def code(text: object) -> str:
    """A code span; one that holds backticks is fenced with more of them (CommonMark 6.1)."""
    inner = clean(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", inner)), default=0) + 1)
    pad = " " if "`" in inner else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def _banner(overrides: Sequence[EndpointOverride]) -> Iterator[str]:
    if overrides:
        urls = ", ".join(dict.fromkeys(code(override.url) for override in overrides))
        yield f"> **Not AWS:** an endpoint is overridden ({urls})."
        yield ""


def _decision(decision: Decision) -> Iterator[str]:
    match decision:
        case Plan():
            yield from _plan(decision)
        case Refusal():
            yield f"## Refused: {escape(asked_words(decision.intent, decision.app))}"
            yield from ("", "Nothing was changed.", "")
            yield from _guards(decision.guards)
            if decision.next_command:
                yield f"Next: {code(decision.next_command)}"
                yield ""
        case NothingToDo():
            yield f"## Nothing to do for {escape(decision.app)}"
            yield from ("", escape(decision.why), "")
        case _:
            assert_never(decision)


def _plan(plan: Plan) -> Iterator[str]:
    yield f"## Plan: {escape(asked_words(plan.intent, plan.app))}"
    yield ""
    yield f"{escape(move_words(plan))}, **{plan.mode}**, from what was seen at {utc(plan.observed_at)}."
    if plan.proposed:
        yield "An emergency is proposed: agreeing to it gives the source up."
    yield ""
    yield from _table(("step", "kind", "what changes", "plane", "needs", "undo"), map(_step, plan.steps))
    yield from _guards(plan.guards)
    if plan.data_at_risk:
        yield f"Data at risk: {escape(plan.data_at_risk)}"
        yield ""
    yield f"Digest: {code(plan.digest)}"
    yield ""


def _step(step: PlannedStep) -> tuple[str, ...]:
    what = "<br>".join(escape(change) for effect in step.effects for change in changes(effect))
    what = what or escape(f"skipped: {step.skipped}" if step.skipped else step.why)
    return (
        escape(step.id),
        escape(step.kind),
        what,
        step.plane,
        escape(", ".join(step.needs_regions)),
        escape(step.undo),
    )


def _guards(guards: Sequence[Finding]) -> Iterator[str]:
    rows = ((escape(g.name), _loud(g.says), escape(g.why), escape(g.cure)) for g in guards)
    yield from _table(("guard", "says", "why", "what would change it"), rows)


def _loud(says: Says) -> str:
    return SAYS_WORD[says] if says is Says.YES else f"**{SAYS_WORD[says]}**"


def _ending(ending: Ending) -> Iterator[str]:
    run = ending.run
    yield f"## {OUTCOME_WORD[run.outcome].capitalize()}: {escape(asked_words(run.plan.intent, run.plan.app))}"
    yield ""
    yield f"Run {code(run.run)}, {escape(move_words(run.plan))}, exit {ending.exit_code}. {escape(run.why)}".rstrip()
    yield ""
    for planned, step in zip(run.plan.steps, run.steps, strict=False):
        for effect, state in zip(planned.effects, step.effects, strict=False):
            yield from (f"- {escape(change)} ({EFFECT_WORD[state]})" for change in changes(effect))
    yield ""
    yield from _table(("step", "state", "evidence"), ((escape(s.id), s.state, escape(s.evidence)) for s in run.steps))
    spans = run.timings.model_dump().items()
    yield from _table(("timing", "took"), ((name.removesuffix("_s"), seconds(span)) for name, span in spans))
    if ending.next_command:
        yield f"Next: {code(ending.next_command)}"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{' --- |' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
