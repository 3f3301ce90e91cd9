"""Journal entries -> Report. Pure, and it never refuses: a journal that is cut, damaged or older than a field still
makes a report, which says what is missing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...errors import UsageError
from ...journal import fold
from ...model.app import Objectives
from ...model.plan import Plan, Says
from ...model.report import Advice, Banner, BannerKind, Clients, Report
from ...model.run import Approved, Closed, Entry, Outcome, Performed, Planned, Run
from ..text_plan import move_words
from ..words import utc
from .measures import felt_rpo, felt_rto, rpo_of, rto_of
from .shares import configured
from .story import approvals_of, journal_of, requests_of, steps_of

Explain = Callable[[Run], tuple[int, str]]
_LOUDEST = (Says.NO, Says.OVERRIDDEN, Says.WARNS, Says.YES)
_ENDS_BADLY = (Outcome.RUNNING, Outcome.INCOMPLETE, Outcome.UNKNOWN, Outcome.INTERRUPTED)


@dataclass(frozen=True)
class Source:
    """What a report is made of.

    ``trouble`` says why the journal's rest could not be read. ``regions`` maps a record's set identifier to its Region
    (resil.yaml, ``endpoints``); ``serving`` are the Regions in the order they are coloured. ``explain`` gives a run's
    exit code and next command. ``clients`` is a drill's part.
    """

    run: str
    app: str
    entries: Sequence[Entry]
    explain: Explain
    trouble: str = ""
    objectives: Objectives = field(default_factory=Objectives)
    regions: Mapping[str, str] = field(default_factory=dict)
    serving: tuple[str, ...] = ()
    clients: Clients | None = None


def build(source: Source) -> Report:
    """The report of a run, as far as its journal can be read."""
    entries, trouble = _tellable(source.entries)
    troubles = tuple(text for text in (source.trouble, trouble) if text)
    if not entries:
        return _without_plan(source, troubles)
    first = entries[0]
    assert isinstance(first, Planned), "checked by _tellable"
    run = fold(entries)
    code, command = source.explain(run)
    return Report(
        run=run.run,
        app=run.plan.app,
        outcome=run.outcome,
        exit_code=code,
        why=run.why,
        plan_digest=run.digest,
        caller=run.caller,
        host=run.host,
        timings=run.timings,
        banners=tuple(_banners(first, run, source.clients)),
        missing=(*troubles, *_missing(entries, first)),
        next=tuple(_drill_advice(source.clients) if source.clients else _advice(run, command)),
        rto=rto_of(entries, run, source.objectives.rto, source.clients),
        rpo=rpo_of(first, source.objectives.rpo, source.clients),
        serving=source.serving,
        clients=source.clients,
        journal=journal_of(entries, run.plan),
        **_planned(run.plan),
        **_evidence(first),
        **_told(entries, first, run, source.regions),
    )


def _planned(plan: Plan) -> dict[str, Any]:
    return {
        "title": f"{plan.intent.verb.capitalize()} of {plan.app}: {move_words(plan)}",
        "verb": plan.intent.verb,
        "mode": plan.mode.value,
        "source": plan.source,
        "target": plan.target,
        "verdicts": plan.verdicts,
        "data_at_risk": plan.data_at_risk,
        "guards": tuple(sorted(plan.guards, key=lambda guard: _LOUDEST.index(guard.says))),
        "overrides": plan.intent.overrides,
        "observed_at": plan.observed_at,
    }


def _evidence(first: Planned) -> dict[str, Any]:
    loudest = ("bad", "unknown", "ok")
    readings = sorted(first.readings, key=lambda r: (loudest.index(r.level), r.region, r.kind, r.subject))
    return {"readings": tuple(readings), "answers": first.answers, "unread": first.unread}


def _told(entries: Sequence[Entry], first: Planned, run: Run, regions: Mapping[str, str]) -> dict[str, Any]:
    last = entries[-1].at
    return {
        "typed_at": first.typed_at,
        "ended_at": last if isinstance(entries[-1], Closed) else None,
        "total_s": _since(first.typed_at, last),
        "steps": steps_of(entries, run, first.typed_at),
        "approvals": approvals_of(entries),
        "requests": requests_of(entries),
        "configured": configured(entries, regions),
    }


def _since(start: datetime, end: datetime) -> float:
    return max(round((end - start).total_seconds(), 3), 0.0)


def _tellable(entries: Sequence[Entry]) -> tuple[Sequence[Entry], str]:
    """The longest beginning of the journal that makes sense, and what is wrong with the rest."""
    trouble = ""
    for end in range(len(entries), 0, -1):
        try:
            fold(entries[:end])
        except UsageError as error:
            trouble = error.message
        else:
            return entries[:end], trouble
    return (), trouble


def _without_plan(source: Source, troubles: Sequence[str]) -> Report:
    """What is left to say: a drill may have measured, and no journal tells what was changed."""
    clients = source.clients
    title = f"A run of {source.app} that left no plan"
    missing = (*troubles, "The journal does not begin with a plan: nothing can be told of what was done.")
    if clients is not None:
        title = f"Drill {clients.scenario}"
        missing = (*troubles, "No run with a plan came of it: nothing was changed.") if not source.run else missing
    return Report(
        run=source.run,
        app=source.app,
        title=title,
        serving=source.serving,
        clients=clients,
        missing=missing,
        banners=tuple(_drill_banner(clients)),
        next=(Advice(command="resil status", why="see where traffic goes now; nothing here tells it"),)
        if clients is None
        else tuple(_drill_advice(clients)),
        rto=felt_rto(clients, source.objectives.rto),
        rpo=felt_rpo(clients, source.objectives.rpo),
    )


def _banners(first: Planned, run: Run, clients: Clients | None) -> Iterator[Banner]:
    if first.caller == "rehearsal" and first.run.endswith("-rehearsal"):
        text = "This ran in memory, on the facts the plan was made on. Nothing outside was changed."
        yield Banner(kind=BannerKind.REHEARSAL, title="Rehearsal", text=text)
    if first.endpoints:
        text = f"Endpoints were overridden: {'; '.join(first.endpoints)}."
        yield Banner(kind=BannerKind.NOT_AWS, title="Not AWS", text=text)
    yield from _drill_banner(clients)
    if run.plan.intent.exercise:
        text = "This run was labelled an exercise by whoever started it. What it changed, it changed for real."
        yield Banner(kind=BannerKind.EXERCISE, title="Exercise", text=text)
    if run.outcome in _ENDS_BADLY:
        text = "Traffic may be somewhere between before and after. See what to do next."
        yield Banner(kind=BannerKind.UNFINISHED, title="Not finished", text=text)


def _drill_banner(clients: Clients | None) -> Iterator[Banner]:
    if clients is not None:
        text = f"Scenario {clients.scenario}, in a sandbox on one machine. No AWS account was touched."
        yield Banner(kind=BannerKind.DRILL, title="Drill", text=text)


def _missing(entries: Sequence[Entry], first: Planned) -> Iterator[str]:
    """What a whole journal of today would tell and this one does not."""
    last = entries[-1]
    if not isinstance(last, Closed):
        where = f"after entry {last.seq} at {utc(last.at)}"
        yield f"The journal has no end: {where} the run was cut off, or it goes on still."
    if not any(isinstance(entry, Approved) for entry in entries):
        yield "No approval is recorded."
    if not (first.readings or first.answers or first.unread):
        yield "The evidence is not in the journal: it was written before resil kept readings and answers there."
    unnamed = sum(1 for e in entries if isinstance(e, Performed) and e.how == "performed" and not e.receipt.request_id)
    if unnamed:
        yield f"{unnamed} accepted change(s) carry no AWS request id."


def _drill_advice(clients: Clients) -> Iterator[Advice]:
    """The sandbox is gone: what is left is to see how far the figures can be trusted."""
    yield Advice(command=f"resil drill {clients.scenario} --repeat 5", why="see how much these figures vary")


def _advice(run: Run, command: str) -> Iterator[Advice]:
    source = ", ".join(run.plan.source) or "home"
    match run.outcome:
        case Outcome.DONE if run.plan.intent.verb == "failover":
            yield Advice(command="resil status", why="watch the Region that carries the traffic now")
            yield Advice(command="resil failback --dry-run", why=f"rehearse the way home, once {source} is fit again")
        case Outcome.DONE:
            yield Advice(command="resil status", why="keep watching the Region that got its traffic back")
        case Outcome.REFUSED | Outcome.STALE:
            yield Advice(command="resil status", why="nothing was changed; see what the world looks like now")
        case Outcome.RUNNING | Outcome.INCOMPLETE | Outcome.UNKNOWN | Outcome.INTERRUPTED:
            yield Advice(command="resil status", why="see where traffic goes now, before anything else")
            yield Advice(command=command, why="settle by reading what is uncertain, then go on from there")
