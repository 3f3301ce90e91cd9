"""The report as markdown, for a ticket or a wiki: the page's sections in the page's order, without its charts."""

from collections.abc import Iterable, Iterator, Sequence

from ...model.report import Clients, Measure, Report, StepTold
from ..markdown import code, escape
from ..text_plan import SAYS_WORD
from ..text_run import EFFECT_WORD, OUTCOME_WORD
from ..words import age, clock, seconds, utc
from .charts import share_charts


def prose(report: Report) -> str:
    return "\n".join(_parts(report)).rstrip("\n") + "\n"


def _parts(report: Report) -> Iterator[str]:
    yield from _headline(report)
    yield from _timings(report)
    yield from _shares(report)
    if report.clients is not None:
        yield from _clients(report.clients)
    yield from _steps(report.steps)
    yield from _evidence(report)
    yield from _decision(report)
    yield from _requests(report)


def _headline(report: Report) -> Iterator[str]:
    yield from (f"# {escape(report.title)}", "")
    for banner in report.banners:
        yield from (f"> **{escape(banner.title)}.** {escape(banner.text)}", "")
    outcome = OUTCOME_WORD[report.outcome] if report.outcome else "UNKNOWN"
    ended = "" if report.exit_code is None else f", exit {report.exit_code}"
    yield f"**{outcome}**{ended}. {escape(report.why)}".rstrip()
    yield ""
    by = f", by {escape(report.caller)} on {escape(report.host)}" if report.caller else ""
    began = f", {utc(report.typed_at)}" if report.typed_at else ""
    yield from (f"Run {code(report.run)}{began}{by}.", "")
    if report.missing:
        yield from ("Missing:", "", *(f"- {escape(text)}" for text in report.missing), "")
    rows = (("RTO", *_measure(report.rto)), ("RPO", *_measure(report.rpo)))
    yield from _table(("", "measured", "objective", "kept", "how"), rows)
    yield from ("Next:", "", *(f"- {code(advice.command)}: {escape(advice.why)}" for advice in report.next), "")


def _measure(measure: Measure) -> tuple[str, ...]:
    return seconds(measure.measured_s), seconds(measure.objective_s), measure.kept.value, escape(measure.how)


def _timings(report: Report) -> Iterator[str]:
    if report.total_s:
        spans = report.timings.model_dump().items()
        yield from ("## Where the time went", "")
        yield from _table(("part", "took"), ((name.removesuffix("_s"), seconds(span)) for name, span in spans))


def _shares(report: Report) -> Iterator[str]:
    for chart in share_charts(report):
        kind = "measured at the clients" if chart.measured else "as configured and read back, not measured"
        yield from (f"## Share of traffic, {kind}", "", escape(chart.title), "")
        yield from _table(("second", *(escape(band.name) for band in chart.bands)), chart.rows)
        if chart.ends:
            yield from (f"Not known further: {escape(chart.ends)}.", "")


def _clients(clients: Clients) -> Iterator[str]:
    passed = {True: "passed", False: "**not passed**", None: "not judged"}[clients.passed]
    yield from (f"## Drill {escape(clients.scenario)}: {passed}", "")
    ratio = "-" if clients.ratio is None else f"{clients.ratio:.2f}"
    yield from (f"RTO {seconds(clients.rto_s)}, floor {seconds(clients.floor_s)}, ratio {ratio}.", "")
    yield from (f"- did not hold: {escape(text)}" for text in clients.failures)
    yield from (f"- orders {name.replace('_', ' ')}: {count}" for name, count in clients.orders.items())
    yield from (f"- {line}" for line in ([escape(clients.rpo)] if clients.rpo else []))
    yield ""
    rows = ((code(c.line), str(c.exit_code), seconds(c.seconds), str(c.writes)) for c in clients.commands)
    yield from _table(("command", "exit", "took", "writes"), rows)


def _steps(steps: Sequence[StepTold]) -> Iterator[str]:
    if not steps:
        return
    yield from ("## What was done", "")
    for number, step in enumerate(steps, 1):
        yield f"{number}. **{escape(step.id)}** {step.state}, {seconds(step.took_s)}. {escape(step.evidence)}".rstrip()
        for effect in step.effects:
            state = EFFECT_WORD[effect.state]
            for change in effect.changes:
                yield f"   - {escape(change.what)}: {escape(change.before)} → {escape(change.after)} ({state})"
        yield from (f"   - {escape(note)}" for note in step.notes)
    yield ""


def _evidence(report: Report) -> Iterator[str]:
    if not (report.verdicts or report.readings or report.answers or report.unread):
        return
    yield from ("## The evidence, as it stood at the decision", "")
    yield from (f"- {escape(v.region)} **{v.verdict}**: {escape(v.why)}" for v in report.verdicts)
    yield ""
    rows = (
        (
            r.level.value,
            escape(f"{r.kind} {r.subject}"),
            r.region,
            escape(r.seen_from),
            age(r.age_s),
            escape(r.evidence),
        )
        for r in report.readings
    )
    yield from _table(("reading", "signal", "about", "seen from", "age", "evidence"), rows)
    answers = ((escape(a.name), a.near or "anyone", a.region or "unknown", escape(a.server)) for a in report.answers)
    yield from _table(("name", "asked for", "Region", "server"), answers)
    unread = ((u.topic.value, escape(u.subject), escape(u.region), escape(u.why)) for u in report.unread)
    yield from _table(("gave no answer", "subject", "where", "why"), unread)
    if report.data_at_risk:
        yield from (f"Data at risk: {escape(report.data_at_risk)}", "")


def _decision(report: Report) -> Iterator[str]:
    if report.guards:
        yield from ("## Guards", "")
    for override in report.overrides:
        yield f"- overridden: **{override.guard}** {escape(override.subject)}: {escape(override.reason)}"
    yield ""
    rows = ((SAYS_WORD[g.says], g.name.value, escape(g.why), escape(g.cure)) for g in report.guards)
    yield from _table(("says", "guard", "why", "what would change it"), rows)
    if report.plan_digest:
        yield from ("## Who approved it", "")
        approvals = ((clock(a.at), escape(a.by), escape(a.what), escape(a.how)) for a in report.approvals)
        yield from _table(("when", "who", "what", "how"), approvals)
        yield from (f"Digest: {code(report.plan_digest)}", "")


def _requests(report: Report) -> Iterator[str]:
    if report.requests:
        yield from ("## AWS request ids", "")
    rows = (
        (clock(r.at), escape(r.step), code(r.request_id or "none"), code(r.change_id or "none"), escape(r.endpoint))
        for r in report.requests
    )
    yield from _table(("when", "step", "request id", "change", "endpoint"), rows)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, or nothing where it would have no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if lines:
        yield from (f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}", *lines, "")
