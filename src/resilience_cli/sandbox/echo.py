"""The metrics a user's resil.yaml names, as the twin publishes them: an echo of what its order services measure.

Nobody knows here what such a metric counts, but its threshold says what is bad. So a rate (an Average judged above a
number up to 1) is the share of requests that failed, second by second; any other metric is well within its threshold
for a second in which the Region was sound, and well beyond it for one in which more than ``GREY`` of its requests
failed. A metric read in another Region than its own is measured from there, by the canary that looks from there.
A Region that is cut off reports nothing of itself, and so has no echo.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ..model.app import Metric
from .cloudwatch_metrics import MetricKey, MetricStore, Stat, metric_key, sample
from .layout import Layout
from .order_metrics import CREATE, READ

GREY = 0.05
LATE_S = 1  # an order service's report of a second may come within the next
STEP_S = 10.0
CANARIES = "CloudWatchSynthetics"


class Echoed(NamedTuple):
    """One metric of one Region: its series, the one it is an echo of, and how it is judged."""

    key: MetricKey
    origin: MetricKey
    spec: Metric


class Echo:
    """Called under the sandbox's lock."""

    def __init__(self, layout: Layout, metrics: MetricStore) -> None:
        self._metrics = metrics
        self._echoed = tuple(_all(layout))
        self._heard: dict[MetricKey, int] = {}

    def tell(self, since: float, now: float) -> None:
        """A past without failures."""
        at = since
        while at <= now:
            for echoed in self._echoed:
                self._publish(echoed, at, 0.0, STEP_S)
            at += STEP_S

    def pulse(self, now: float) -> None:
        """What was measured since the last call."""
        until = int(now) - LATE_S
        for echoed in self._echoed:
            since = self._heard.get(echoed.key, until)
            self._heard[echoed.key] = until
            for at, measured in self._metrics.buckets(echoed.origin, since, until, 1).items():
                self._publish(echoed, at, _failing(echoed.origin, measured), 1.0)

    def _publish(self, echoed: Echoed, at: float, failing: float, seconds: float) -> None:
        stat = point(echoed.spec, failing, seconds)
        if stat is not None:
            self._metrics.publish(echoed.key, at, stat)


def _all(layout: Layout) -> Iterator[Echoed]:
    """The metrics to be echoed: not those that the world publishes itself."""
    for spec in layout.metrics:
        for region in spec.regions or layout.serving:
            if region not in layout.serving:
                continue
            vantage = spec.seen_from or region
            dimensions = {name: value.replace("{region}", region) for name, value in spec.dimensions.items()}
            key = metric_key(vantage, spec.namespace, spec.metric, dimensions)
            if not _is_own(key, layout):
                yield Echoed(key, _origin(layout, vantage, region), spec)


def _is_own(key: MetricKey, layout: Layout) -> bool:
    """Whether order services, canaries or replication publish this series."""
    dimensions = dict(key.dimensions)
    match key.namespace:
        case "AWS/ApiGateway":
            return dimensions == {"ApiName": "orders"}
        case "AWS/Lambda":
            return dimensions in ({"FunctionName": CREATE}, {"FunctionName": READ})
        case "AWS/DynamoDB":
            return key.name == "ReplicationLatency" or dimensions.get("TableName") == "Orders"
        case "CloudWatchSynthetics":
            known = {(watcher.region, watcher.name) for watcher in layout.canaries}
            return (key.region, dimensions.get("CanaryName", "")) in known
        case _:
            return False


def _origin(layout: Layout, vantage: str, region: str) -> MetricKey:
    if vantage == region:
        return metric_key(region, "AWS/ApiGateway", "5XXError", {"ApiName": "orders"})
    canary = next(watcher for watcher in layout.watching(region) if watcher.region == vantage)
    return metric_key(vantage, CANARIES, "SuccessPercent", {"CanaryName": canary.name})


def _failing(origin: MetricKey, measured: Stat) -> float:
    average = measured.statistic("Average")
    return 1.0 - average / 100.0 if origin.namespace == CANARIES else average


def point(spec: Metric, failing: float, seconds: float) -> Stat | None:
    """A datapoint that stands for so many seconds with this share of failures; None where silence says the same."""
    is_bad = failing > GREY
    if spec.missing == "ok" and not is_bad:
        return None
    if spec.statistic == "Average" and spec.below is None and spec.above is not None and 0 <= spec.above < 1:
        return sample(failing)
    value = _beyond(spec) if is_bad else _within(spec)
    match spec.statistic:
        case "Sum":
            return sample(value * seconds / spec.period)
        case "SampleCount":
            return sample(1.0, value * seconds / spec.period)
        case _:
            return sample(value)


def _within(spec: Metric) -> float:
    match spec.above, spec.below:
        case float(above), float(below):
            return (above + below) / 2
        case float(above), None:
            return above / 2 if above >= 0 else above * 2
        case None, float(below):
            return below * 2 if below > 0 else below + 1
        case _:
            raise AssertionError("unreachable: a metric has a threshold (model.app)")


def _beyond(spec: Metric) -> float:
    match spec.above, spec.below:
        case float(above), _:
            return above * 2 if above > 0 else above + 1
        case None, float(below):
            return below / 2 if below > 0 else below - 1
        case _:
            raise AssertionError("unreachable: a metric has a threshold (model.app)")
