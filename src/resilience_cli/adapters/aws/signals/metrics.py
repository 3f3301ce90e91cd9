"""CloudWatch metrics, judged by their newest complete period against a threshold.

All metrics read in one Region travel in one GetMetricData call. CloudWatch may show a period a little after its end,
so that the newest of the last few complete periods is taken; with none in that window the metric says nothing, unless
the config states what silence means (``missing``).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never

from ....model.app import App, Metric
from ....model.readings import Level, Reading, SignalKind
from ....ports import Read
from ..reading import Now, age, metric_source, shortened, signal_read
from ..session import Sessions
from .metric_data import Query, Series, fetch

PERIODS = 3
LATEST_S = 180  # datapoints of short periods may show up this much later


@dataclass(frozen=True)
class _Wanted:
    """One metric for one Region, read in one Region."""

    spec: Metric
    region: str
    vantage: str

    @property
    def query(self) -> Query:
        dimensions = tuple(
            (name, value.replace("{region}", self.region)) for name, value in self.spec.dimensions.items()
        )
        return Query(self.spec.namespace, self.spec.metric, dimensions, self.spec.statistic, self.period)

    @property
    def period(self) -> int:
        """CloudWatch's periods are 1, 5, 10, 20, 30 s or a multiple of 60 (GetMetricData, ``Period``)."""
        seconds = math.ceil(self.spec.period)
        fitting = [period for period in (1, 5, 10, 20, 30) if period >= seconds]
        return fitting[0] if fitting else 60 * math.ceil(seconds / 60)

    @property
    def window(self) -> int:
        return max(PERIODS * self.period, LATEST_S)


def reads(specs: Sequence[Metric], app: App, sessions: Sessions, now: Now) -> list[Read]:
    """One read for each Region that metrics are read in, with all of that Region's metrics."""
    wanted = [
        _Wanted(spec, region, spec.seen_from or region)
        for spec in specs
        for region in spec.regions or app.regions.serving
    ]
    vantages = dict.fromkeys(each.vantage for each in wanted)
    return [_read(sessions, now, vantage, [w for w in wanted if w.vantage == vantage]) for vantage in vantages]


def _read(sessions: Sessions, now: Now, vantage: str, wanted: Sequence[_Wanted]) -> Read:
    def ask() -> Iterable[Reading]:
        return _readings(sessions, now, vantage, wanted)

    def unanswered(why: str) -> tuple[Reading, ...]:
        return tuple(_reading(each, Level.UNKNOWN, why, None) for each in wanted)

    names = ", ".join(dict.fromkeys(each.spec.name for each in wanted))
    return signal_read(f"metrics {names}", vantage, ask, unanswered)


def _readings(sessions: Sessions, now: Now, vantage: str, wanted: Sequence[_Wanted]) -> Iterator[Reading]:
    moment = now()
    start = moment - timedelta(seconds=max(_reach(each, moment) for each in wanted))
    series = fetch(sessions.reader("cloudwatch", vantage), [each.query for each in wanted], start, moment)
    for each, found in zip(wanted, series, strict=True):
        yield _judged(each, found, moment)


def _reach(wanted: _Wanted, moment: datetime) -> float:
    """Seconds back to the start of the oldest period of interest; periods are aligned to the epoch."""
    return wanted.window + moment.timestamp() % wanted.period


def _judged(wanted: _Wanted, series: Series, moment: datetime) -> Reading:
    if series.trouble:
        return _reading(wanted, Level.UNKNOWN, f"CloudWatch gave no data ({series.trouble})", None)
    newest = _newest_complete(wanted, series, moment)
    if newest is None:
        return _silent(wanted)
    ended, value = newest
    said, bad = _against(wanted.spec, value)
    return _reading(wanted, Level.BAD if bad else Level.OK, said, age(moment, ended))


def _newest_complete(wanted: _Wanted, series: Series, moment: datetime) -> tuple[datetime, float] | None:
    """The end and the value of the newest period that is over and within the metric's own window."""
    for began, value in series.points:
        ended = began + timedelta(seconds=wanted.period)
        if ended <= moment and began.timestamp() >= moment.timestamp() - _reach(wanted, moment):
            return ended.astimezone(UTC), value
    return None


def _against(spec: Metric, value: float) -> tuple[str, bool]:
    limits = [f"above {spec.above:g}"] if spec.above is not None else []
    limits += [f"below {spec.below:g}"] if spec.below is not None else []
    bad = (spec.above is not None and value > spec.above) or (spec.below is not None and value < spec.below)
    said = f"{value:g}, {spec.statistic} of {spec.metric}; bad when {' or '.join(limits)}"
    return said, bad


def _silent(wanted: _Wanted) -> Reading:
    said = f"no datapoint in the last {wanted.window} s of {wanted.spec.metric}"
    match wanted.spec.missing:
        case "unknown":
            return _reading(wanted, Level.UNKNOWN, said, None)
        case "ok":
            return _reading(wanted, Level.OK, f"{said}, which is ok by config", None)
        case "bad":
            return _reading(wanted, Level.BAD, f"{said}, which is bad by config", None)
        case _:
            assert_never(wanted.spec.missing)


def _reading(wanted: _Wanted, level: Level, said: str, old: float | None) -> Reading:
    query = wanted.query
    return Reading(
        kind=SignalKind.METRIC,
        subject=wanted.spec.name,
        region=wanted.region,
        seen_from=wanted.vantage,
        level=level,
        evidence=shortened(said),
        age_s=old,
        source=metric_source(wanted.vantage, query.namespace, query.metric, query.dimensions),
    )
