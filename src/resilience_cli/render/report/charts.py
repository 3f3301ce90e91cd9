"""Geometry only: a report's times and shares -> numbers that the page's SVG is drawn from.

Every x is per mille of the chart's width, so that a chart stretches to any screen; text stays out of the SVG.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...model.report import Fault, Moment, Report, Series
from ...model.run import StepState
from ..words import share

WIDTH, HEIGHT = 1000.0, 200.0
_THINNEST = 3.0  # so that a step of no time can still be seen
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """``look`` names its colour; ``seconds`` is None where that part was not reached."""

    x: float
    width: float
    look: str
    name: str = ""
    seconds: float | None = None
    says: str = ""


@dataclass(frozen=True)
class Band:
    """One Region's area in a share chart, with its first and last share."""

    name: str
    number: int
    path: str
    first: float
    last: float


@dataclass(frozen=True)
class ShareChart:
    title: str
    measured: bool
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    faults: tuple[Bar, ...]
    markers: tuple[Tick, ...]
    failed: str
    most_failed: float
    ends: str
    rows: tuple[tuple[str, ...], ...]


_PHASES = (
    ("detect", "from the command's typing to a whole look at the world"),
    ("decide", "from that look to the approval"),
    ("act", "from the approval to the last write accepted"),
    ("propagate", "from that write to seeing it hold"),
    ("settle", "from there to the end: verifying and watching"),
)


def phases(report: Report) -> tuple[Bar, ...]:
    """The five parts of the run in a row, to scale; those not reached have no width."""
    spans = report.timings.model_dump()
    total = report.total_s or 1.0
    bars, at = [], 0.0
    for name, says in _PHASES:
        span: float | None = spans[f"{name}_s"]
        width = max(span or 0.0, 0.0) / total * WIDTH
        bars.append(Bar(x=at, width=min(width, WIDTH - at), look=name, name=name, seconds=span, says=says))
        at = min(at + width, WIDTH)
    return tuple(bars)


def step_bars(report: Report) -> dict[str, Bar]:
    """Each step's place in time; a step that was begun and not ended lasts to the last entry."""
    total = report.total_s or 1.0
    bars: dict[str, Bar] = {}
    for step in report.steps:
        if step.from_s is None or step.state is StepState.SKIPPED:
            continue
        start = min(max(step.from_s, 0.0) / total * WIDTH, WIDTH - _THINNEST)
        span = step.took_s if step.took_s is not None else report.total_s - step.from_s
        width = min(max(span / total * WIDTH, _THINNEST), WIDTH - start)
        bars[step.id] = Bar(x=round(start, 2), width=round(width, 2), look=step.state.value)
    return bars


def ticks(start: float, end: float, wanted: int = 6) -> tuple[Tick, ...]:
    """Round seconds from ``start`` to ``end``."""
    span = max(end - start, 0.001)
    size = next((step for step in _STEPS if span / step <= wanted), _STEPS[-1])
    first = int(-(-start // size)) * size
    marks = range(first, int(end) + 1, size)
    return tuple(Tick(at=(mark - start) / span * WIDTH, label=_clock(mark)) for mark in marks)


def _clock(second: int) -> str:
    sign, whole = ("-" if second < 0 else ""), abs(second)
    if whole < 120:
        return f"{sign}{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{sign}{minutes}:{rest:02d} min" if minutes < 120 else f"{sign}{minutes // 60}:{minutes % 60:02d} h"


def share_charts(report: Report) -> tuple[ShareChart, ...]:
    """What clients saw, where a drill measured it, and what was configured, where weights moved."""
    charts = []
    if report.clients is not None and report.clients.traffic:
        traffic = report.clients.traffic
        title = "Where clients' requests went"
        series = Series(title=title, measured=True, moments=traffic, until_s=traffic[-1].second)
        charts.append(_chart(series, report.serving, report.clients.faults, takeover=report.clients.takeover_s))
    if report.configured is not None:
        charts.append(_chart(report.configured, report.serving, (), end=report.total_s))
    return tuple(charts)


def _chart(
    series: Series,
    serving: Sequence[str],
    faults: Sequence[Fault],
    end: float | None = None,
    takeover: float | None = None,
) -> ShareChart:
    start = min(0.0, series.moments[0].second)
    last = max(end or 0.0, series.until_s, start + 1.0)
    names = _names(series.moments, serving)
    span = last - start
    return ShareChart(
        title=series.title,
        measured=series.measured,
        bands=tuple(_bands(series, names, start, span)),
        ticks=ticks(start, last),
        faults=tuple(_fault(fault, start, span) for fault in faults),
        markers=tuple(_markers(start, span, takeover)),
        failed=_failed(series.moments, start, span),
        most_failed=max((moment.failed or 0.0 for moment in series.moments), default=0.0),
        ends=series.ends,
        rows=tuple(_rows(series.moments, names)),
    )


def _markers(start: float, span: float, takeover: float | None) -> Iterator[Tick]:
    if start < 0:
        yield Tick(at=-start / span * WIDTH, label="command typed")
    if takeover is not None and 0 <= takeover - start <= span:
        yield Tick(at=(takeover - start) / span * WIDTH, label="name server's answers changed")


def _failed(moments: Sequence[Moment], start: float, span: float) -> str:
    """Each second's failed share as a bar, drawn as one path; "" where requests were not seen."""
    width = WIDTH / span
    bars = (
        f"M{(moment.second - start) / span * WIDTH:.2f} 40v{-moment.failed * 40:.2f}h{width:.2f}V40Z"
        for moment in moments
        if moment.failed
    )
    return "".join(bars)


def _names(moments: Sequence[Moment], serving: Sequence[str]) -> tuple[str, ...]:
    """The app's Regions first, so that each keeps its colour from page to page."""
    seen = dict.fromkeys(name for moment in moments for name in moment.shares)
    return (*(name for name in serving if name in seen), *(name for name in seen if name not in serving))


def _fault(fault: Fault, start: float, span: float) -> Bar:
    until = fault.until_s if fault.until_s is not None else start + span
    x = max(fault.from_s - start, 0.0) / span * WIDTH
    width = max((until - start) / span * WIDTH - x, _THINNEST)
    return Bar(x=x, width=min(width, WIDTH - x), look="fault", name=fault.what, says=_fault_words(fault))


def _fault_words(fault: Fault) -> str:
    end = "to the end" if fault.until_s is None else f"to {fault.until_s:g} s"
    return f"{fault.what}, from {fault.from_s:g} s {end}"


def _bands(series: Series, names: Sequence[str], start: float, span: float) -> Iterator[Band]:
    """Areas stacked from below. A configured share holds until the next; a measured one is drawn point to point."""
    moments = (*series.moments, Moment(second=series.until_s, shares=series.moments[-1].shares))
    base = [0.0] * len(moments)
    for number, name in enumerate(names):
        top = [below + moment.shares.get(name, 0.0) for below, moment in zip(base, moments, strict=True)]
        xs = [(moment.second - start) / span * WIDTH for moment in moments]
        path = _area(_line(xs, top, stepped=not series.measured), _line(xs, base, stepped=not series.measured))
        shares = series.moments[0].shares.get(name, 0.0), series.moments[-1].shares.get(name, 0.0)
        yield Band(name=name, number=number % 4, path=path, first=shares[0], last=shares[1])
        base = top


def _line(xs: Sequence[float], shares: Sequence[float], *, stepped: bool) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for x, part in zip(xs, shares, strict=True):
        y = (1 - min(part, 1.0)) * HEIGHT
        if stepped and points:
            points.append((x, points[-1][1]))
        points.append((x, y))
    return points


def _area(top: Sequence[tuple[float, float]], base: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in (*top, *reversed(base))) + "Z"


def _rows(moments: Sequence[Moment], names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The chart as a table: the first second, and each at which a share changed."""
    before: dict[str, float] | None = None
    for moment in moments:
        if moment.shares != before:
            yield f"{moment.second:g} s", *(share(moment.shares.get(name, 0.0)) for name in names)
        before = moment.shares
