"""``resil status`` as one screen: where traffic goes and why, the verdicts, the evidence, the next command."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.console import RenderableType
from rich.text import Text

from ..model.facts import Answer, EndpointOverride
from ..model.readings import Judged, Level, Reading
from ..model.status import RegionStatus, RouteStatus, Status
from .expiry import ending_soon
from .plain import clean, shorten
from .screen import Column, Look, cell, columns, heading, indented, labelled, line, to_text
from .words import age, host, share, utc

VERDICT_STYLE = {Judged.HEALTHY: "green", Judged.IMPAIRED: "bold red", Judged.UNKNOWN: "yellow"}
LEVEL_STYLE = {Level.OK: "green", Level.BAD: "bold red", Level.UNKNOWN: "yellow"}
LEVEL_WORD = {Level.OK: "ok", Level.BAD: "BAD", Level.UNKNOWN: "unknown"}
VERDICT_WORD = {Judged.HEALTHY: "healthy", Judged.IMPAIRED: "IMPAIRED", Judged.UNKNOWN: "unknown"}
EVIDENCE = len("OK since 14:56:42Z...")  # room that evidence has at least, in one line with a name
NAME = 8
_FIRST = {Level.BAD: 0, Level.UNKNOWN: 1, Level.OK: 2}


def status_screen(status: Status, look: Look) -> str:
    return to_text(_parts(status, look), look)


def banner(overrides: Sequence[EndpointOverride]) -> Iterator[RenderableType]:
    """Said first on every screen: what is shown may not be AWS at all."""
    if not overrides:
        return
    urls: dict[str, list[str]] = {}
    for override in overrides:
        urls.setdefault(override.url, []).append(override.service)
    yield line(("NOT AWS: an endpoint is overridden", "bold reverse yellow"))
    for url, services in urls.items():
        yield indented(line(f"{', '.join(sorted(services))} -> {url}"))


def _parts(status: Status, look: Look) -> Iterator[RenderableType]:
    yield from banner(status.overrides)
    if status.account_problem:
        yield line((status.account_problem, "bold reverse red"))
    yield _title(status)
    if warning := ending_soon(status.caller.expires_at if status.caller else None, status.observed_at):
        yield line((warning, "bold yellow"))
    for route in status.routes:
        yield from _route(route, status.answers)
    yield heading("REGIONS")
    yield indented(_regions(status.regions, look))
    yield from _signals(status, look)
    yield from _unread(status)
    if status.unfinished_run:
        yield labelled("UNFINISHED RUN", status.unfinished_run, "bold yellow")
    yield labelled("DATA AT RISK", status.data_at_risk)
    yield labelled("NEXT", status.recommendation, "bold")


def _title(status: Status) -> Text:
    who = f", as {status.caller.arn}" if status.caller else ", caller unknown"
    return line((status.app, "bold"), f" at {utc(status.observed_at)}{who}")


def _route(route: RouteStatus, answers: Iterable[Answer]) -> Iterator[RenderableType]:
    home = {True: "at home", False: "AWAY FROM HOME", None: "at home: unknown"}[route.at_home]
    home += ", though every lever is at home" if route.levers_home and not route.at_home else ""
    style = "" if route.at_home else "bold yellow"
    yield line(("TRAFFIC", "bold"), f" {host(route.name)} {route.type}, {route.policy}: ", (home, style))
    shares = ", ".join(f"{region} {share(part)}" for region, part in route.shares.items())
    yield indented(line((shares, "bold"), f" - {route.why}" if route.why else ""))
    named = [answer for answer in answers if host(answer.name) == host(route.name)]
    for rtype in dict.fromkeys([route.type, *(answer.type for answer in named)]):
        seen = "; ".join(dict.fromkeys(_answer(answer) for answer in named if answer.type == rtype))
        if seen:
            yield indented(line(f"name servers answer{'' if rtype == route.type else f' {rtype}'}: {seen}"))
    yield indented(line(f"lever: {route.lever}", f" - {route.lever_why}" if route.lever_why else ""))


def _answer(answer: Answer) -> str:
    whom = f"near {answer.near}" if answer.near else "for anyone"
    return f"{whom} {answer.region or 'no Region of this app'}"


def _regions(regions: Sequence[RegionStatus], look: Look) -> RenderableType:
    if look.is_narrow:
        text = Text(overflow="fold")
        for n, region in enumerate(regions):
            text.append("\n" if n else "")
            text.append(VERDICT_WORD[region.verdict], VERDICT_STYLE[region.verdict])
            text.append(" " + clean(f"{region.name} ({region.role}, {share(region.share)})"))
            text.append(f"\n  {clean(region.why)}")
        return text
    titles = [Column("Region"), Column("role"), Column("traffic"), Column("verdict"), Column("why", folds=True)]
    return columns(
        titles,
        (
            [
                cell(region.name),
                cell(region.role),
                cell(share(region.share)),
                cell(VERDICT_WORD[region.verdict], VERDICT_STYLE[region.verdict]),
                cell(region.why),
            ]
            for region in regions
        ),
    )


def _signals(status: Status, look: Look) -> Iterator[RenderableType]:
    if not status.readings:
        yield labelled("SIGNALS", "none were read", "yellow")
        return
    yield heading("SIGNALS", "reading, kind, what was seen, from where, how long ago")
    order = [region.name for region in status.regions]
    others = sorted({reading.region for reading in status.readings} - set(order))
    for region in (*order, *others):
        readings = [reading for reading in status.readings if reading.region == region]
        if readings:
            yield indented(line((region, "bold")))
            yield indented(
                _readings(sorted(readings, key=lambda r: (_FIRST[r.level], r.kind)), look, status.observed_at), 4
            )


def _readings(readings: Sequence[Reading], look: Look, today: datetime) -> RenderableType:
    if look.is_narrow:
        return Text("\n").join(_stacked(reading) for reading in readings)
    rows = [_Row.of(reading, today) for reading in readings]
    fixed = sum(max(map(len, column)) for column in zip(*(row.fixed for row in rows), strict=True))
    room = max(look.width - 4 - fixed - 4 * 2, 20)
    titles = [Column(""), Column(""), Column("", folds=True), Column(""), Column("")]
    return columns(titles, (row.cells(room) for row in rows), header=False)


class _Row(NamedTuple):
    """One reading in columns."""

    level: Level
    kind: str
    subject: str
    evidence: str
    seen_from: str
    age: str

    @classmethod
    def of(cls, reading: Reading, today: datetime) -> "_Row":
        """The date is at the top of the screen already."""
        evidence = f"{reading.evidence}{_flags(reading)}".replace(f"{today:%Y-%m-%d} ", "")
        return cls(
            reading.level,
            reading.kind,
            clean(reading.subject),
            clean(evidence),
            clean(reading.seen_from),
            age(reading.age_s),
        )

    @property
    def fixed(self) -> tuple[str, ...]:
        return LEVEL_WORD[self.level], self.kind, self.seen_from, self.age

    def cells(self, room: int) -> list[Text]:
        """What is bad or unknown is told whole; what is ok in one line, of which evidence comes before a long name."""
        subject, evidence = self.subject, self.evidence
        if self.level is Level.OK:
            subject = shorten(subject, max(room - len(": ") - min(len(evidence), EVIDENCE), NAME))
            evidence = shorten(evidence, room - len(subject) - len(": "))
        return [
            cell(LEVEL_WORD[self.level], LEVEL_STYLE[self.level]),
            cell(self.kind),
            cell(f"{subject}: {evidence}"),
            cell(self.seen_from),
            cell(self.age),
        ]


def _stacked(reading: Reading) -> Text:
    text = Text(LEVEL_WORD[reading.level], style=LEVEL_STYLE[reading.level], overflow="fold")
    ago = "age unknown" if reading.age_s is None else f"{age(reading.age_s)} ago"
    where = clean(f"{reading.kind} {reading.subject}, from {reading.seen_from}, {ago}")
    text.append(f" {where}\n  {clean(reading.evidence + _flags(reading))}", style="none")
    return text


def _flags(reading: Reading) -> str:
    flags = [flag for flag in (reading.flag, "" if reading.counts else "shown only, does not count") if flag]
    return f" ({'; '.join(flags)})" if flags else ""


def _unread(status: Status) -> Iterator[RenderableType]:
    if status.unread:
        yield heading("COULD NOT BE READ", "unknown, not healthy")
    for unread in status.unread:
        hanging = " (still hanging)" if unread.hanging else ""
        yield indented(line(f"{unread.topic} {unread.subject} in {unread.region}: {unread.why}{hanging}"))
