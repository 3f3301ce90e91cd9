"""What the reference application's signals say while it runs: metrics, canary runs, and replication lag till then.

A Region fails for a share of its requests (0 sound, 1 dead, between them a grey failure); everything published about
it follows from that share. When the share changes, the last few minutes are published anew in the new state, so that
whoever judges whole minutes need not wait for one to pass. Canaries run every pulse instead of once a minute.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from .cloudwatch import CloudWatch
from .cloudwatch_metrics import MetricKey, Stat, metric_key, sample
from .layout import Layout
from .replication_links import Pair
from .synthetics import Outcome, Synthetics
from .tables import GlobalTables

REQUESTS = 20  # per pulse and Region: real traffic, or what canaries and checks send a standby
HISTORY_S, RECENT_S, STEP_S = 900.0, 360.0, 10.0  # recent: all that a config looks back on, five minutes and one begun
CANARY_MODES = ("start", "stop", "broken")
SETTLED_RUNS = 3  # as many runs as anyone looks back at, recorded at once when a Region changes


class Point(NamedTuple):
    key: MetricKey
    stat: Stat
    unit: str


class Signals:
    """Publishes into the stores. Called under the sandbox's lock; ``failing`` is the share by serving Region."""

    def __init__(
        self, layout: Layout, cloudwatch: CloudWatch, synthetics: Synthetics, tables: GlobalTables, seed: int = 3
    ) -> None:
        self._layout, self._cloudwatch, self._synthetics, self._tables = layout, cloudwatch, synthetics, tables
        self._random = random.Random(seed)
        self.failing = dict.fromkeys(layout.serving, 0.0)
        self.canaries = "start"

    def seed(self, now: float) -> None:
        """A quarter of an hour of good history."""
        self._publish_past(now - HISTORY_S, now)
        self._settle(now, self._layout.serving)

    def pulse(self, now: float) -> None:
        """One step of time: a datapoint of every metric and a run of every canary that is running."""
        for region in self._layout.serving:
            self._run_canaries(region, now)
            self._publish(region, now)

    def set_failing(self, region: str, share: float, now: float) -> None:
        """From now on, and for the last whole minutes, this share of the Region's requests fails."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"a share of failures is between 0 and 1, not {share}")
        self.failing[region] = share
        since = now - now % 60 - RECENT_S
        for key in (point.key for point in self._points(region, 1.0)):
            self._cloudwatch.metrics.erase(key, since)
        for at in _steps(since, now):
            self._publish(region, at)
        self._settle(now, (region,))

    def set_canaries(self, mode: str, now: float) -> None:
        """Start or stop all canaries, or have them fail in themselves: broken, they say nothing of the application."""
        self.canaries = mode
        self._set_running(mode != "stop")
        self._settle(now, self._layout.serving)

    def _set_running(self, running: bool) -> None:
        for region in self._layout.serving:
            for canary in self._layout.watching(region):
                self._synthetics.set_running(canary.region, canary.name, running)

    def tell_lag(self, now: float, pair: Pair | None = None) -> None:
        """Tell the last whole minutes as if replication had taken as long as it will now, where it will at all."""
        since = now - now % 60 - RECENT_S
        self._tables.erase(since, pair)
        for at in _steps(since, now):
            self._tables.publish(at, pair)

    def _publish_past(self, since: float, now: float) -> None:
        for at in _steps(since, now):
            for region in self._layout.serving:
                self._publish(region, at)
            self._tables.publish(at)

    def _settle(self, now: float, regions: tuple[str, ...]) -> None:
        for ago in reversed(range(SETTLED_RUNS)):
            for region in regions:
                self._run_canaries(region, now - 0.1 * ago)

    def _run_canaries(self, region: str, at: float) -> None:
        for canary in self._layout.watching(region):
            self._synthetics.record_run(canary.region, canary.name, self._outcome(region), at)

    def _outcome(self, region: str) -> Outcome:
        if self.canaries == "broken":
            return "execution_failure"
        return "failed" if self._random.random() < self.failing[region] else "passed"

    def _publish(self, region: str, at: float) -> None:
        for point in self._points(region, self.failing[region]):
            self._cloudwatch.metrics.publish(point.key, at, point.stat, point.unit)

    def _points(self, region: str, failing: float) -> Iterator[Point]:
        yield from _points(region, failing)
        for canary in self._layout.watching(region):
            yield Point(_canary(canary.region, canary.name), sample(100.0 * (1.0 - failing)), "Percent")


def _steps(since: float, now: float) -> Iterator[float]:
    at = since
    while at <= now:
        yield at
        at += STEP_S


def _points(region: str, failing: float) -> Iterator[Point]:
    """The Region's metrics as its services publish them; rates are samples of 1 for a failed request and 0 else."""
    bad = round(REQUESTS * failing)
    failed = Stat(REQUESTS, bad, 1.0 if bad == REQUESTS else 0.0, 1.0 if bad else 0.0)
    slow = 1.0 + 4.0 * failing
    yield Point(_api(region, "Count"), Stat(REQUESTS, REQUESTS, 1.0, 1.0), "Count")
    yield Point(_api(region, "5XXError"), failed, "Count")
    yield Point(_api(region, "4XXError"), Stat(REQUESTS, 0.0, 0.0, 0.0), "Count")
    yield Point(_api(region, "Latency"), sample(45.0 * slow, REQUESTS), "Milliseconds")
    for function in ("OrderReadFn", "OrderCreateFn"):
        yield Point(_function(region, function, "Invocations"), Stat(REQUESTS, REQUESTS, 1.0, 1.0), "Count")
        yield Point(_function(region, function, "Errors"), failed, "Count")
        yield Point(_function(region, function, "Throttles"), Stat(REQUESTS, 0.0, 0.0, 0.0), "Count")
        yield Point(_function(region, function, "Duration"), sample(20.0 * slow, REQUESTS), "Milliseconds")
    if bad:  # DynamoDB publishes errors only when there are any
        yield Point(_table_errors(region), Stat(bad, bad, 1.0, 1.0), "Count")


def _api(region: str, metric: str) -> MetricKey:
    return metric_key(region, "AWS/ApiGateway", metric, {"ApiName": "orders"})


def _function(region: str, function: str, metric: str) -> MetricKey:
    return metric_key(region, "AWS/Lambda", metric, {"FunctionName": function})


def _table_errors(region: str) -> MetricKey:
    return metric_key(
        region, "AWS/DynamoDB", "SystemErrors", {"TableName": "Orders", "Operation": "TransactWriteItems"}
    )


def _canary(region: str, canary: str) -> MetricKey:
    return metric_key(region, "CloudWatchSynthetics", "SuccessPercent", {"CanaryName": canary})
