"""CloudWatch's datapoints: one series per Region, namespace, metric and exact set of dimensions.

Points are kept by the second; those older than three hours are merged into minutes, as CloudWatch itself keeps
points of less than a minute for three hours only (GetMetricData, "CloudWatch retains metric data as follows").
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import NamedTuple

FINE_S = 3 * 3600
COMPACT_AT = 8192


class Stat(NamedTuple):
    """A StatisticSet: what is left of the samples of one bucket."""

    samples: float
    total: float
    low: float
    high: float

    def merged(self, other: "Stat | None") -> "Stat":
        if other is None:
            return self
        return Stat(
            self.samples + other.samples,
            self.total + other.total,
            min(self.low, other.low),
            max(self.high, other.high),
        )

    def statistic(self, name: str) -> float:
        """One of the five plain statistics by its API name."""
        return {
            "SampleCount": self.samples,
            "Sum": self.total,
            "Minimum": self.low,
            "Maximum": self.high,
            "Average": self.total / self.samples if self.samples else 0.0,
        }[name]


def sample(value: float, count: float = 1.0) -> Stat:
    return Stat(count, value * count, value, value)


class MetricKey(NamedTuple):
    """Which series: dimensions are sorted pairs, and two different sets of them are two series (no roll-up)."""

    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


def metric_key(region: str, namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> MetricKey:
    return MetricKey(region, namespace, name, tuple(sorted((dimensions or {}).items())))


class Series:
    """The points of one metric in one unit, in order of time."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._stats: dict[int, Stat] = {}

    def add(self, at: float, stat: Stat) -> None:
        second = int(at)
        if second not in self._stats:
            insort(self._times, second)
        self._stats[second] = stat.merged(self._stats.get(second))

    def buckets(self, start: float, end: float, period: int) -> dict[int, Stat]:
        """Buckets that begin at or after ``start`` and before ``end``, aligned to multiples of ``period``."""
        found: dict[int, Stat] = {}
        first = -int(-start // 1)
        for at in self._times[bisect_left(self._times, first) :]:
            bucket = at - at % period
            if bucket >= end:
                break
            if bucket >= start:
                found[bucket] = self._stats[at].merged(found.get(bucket))
        return found

    def drop_since(self, start: float) -> None:
        cut = bisect_left(self._times, start)
        for at in self._times[cut:]:
            del self._stats[at]
        del self._times[cut:]

    def newest(self) -> float | None:
        return float(self._times[-1]) if self._times else None

    def compact(self, now: float) -> None:
        """Merge what is older than three hours into minutes, once the series has grown long."""
        if len(self._times) < COMPACT_AT:
            return
        kept: dict[int, Stat] = {}
        for at in self._times:
            slot = at if at > now - FINE_S else at - at % 60
            kept[slot] = self._stats[at].merged(kept.get(slot))
        self._stats, self._times = kept, sorted(kept)


class MetricStore:
    """All series of the sandbox, by Region."""

    def __init__(self) -> None:
        self._series: dict[MetricKey, dict[str, Series]] = {}

    def publish(self, key: MetricKey, at: float, stat: Stat, unit: str = "None") -> None:
        series = self._series.setdefault(key, {}).setdefault(unit, Series())
        series.add(at, stat)
        series.compact(at)

    def erase(self, key: MetricKey, since: float) -> None:
        """Forget the points at or after ``since``: only the reference world uses it, to rewrite its recent past."""
        for series in self._series.get(key, {}).values():
            series.drop_since(since)

    def buckets(
        self, key: MetricKey, start: float, end: float, period: int, unit: str | None = None
    ) -> dict[int, Stat]:
        """The series' buckets; of one unit where a unit is asked for, of all units together where not."""
        merged: dict[int, Stat] = {}
        for name, series in self._series.get(key, {}).items():
            if unit is None or unit == name:
                for at, stat in series.buckets(start, end, period).items():
                    merged[at] = stat.merged(merged.get(at))
        return merged

    def unit_of(self, key: MetricKey) -> str:
        return next(iter(self._series.get(key, {"None": Series()})))

    def keys(self, region: str) -> Iterator[tuple[MetricKey, float]]:
        """The Region's metrics with the time of their newest point, in a stable order."""
        for key in sorted(self._series):
            newest = [at for series in self._series[key].values() if (at := series.newest()) is not None]
            if key.region == region and newest:
                yield key, max(newest)
