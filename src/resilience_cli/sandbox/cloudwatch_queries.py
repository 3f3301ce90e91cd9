"""CloudWatch's metric operations: PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics.

Limits and rounding are those of the API reference pages of the same names. Metric math, Metrics Insights and
percentiles are refused by name rather than answered with something else.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .cloudwatch_metrics import MetricKey, MetricStore, Stat, metric_key, sample
from .operations import Answer, Operation, page, paged
from .service import AwsError, Call
from .timestamps import epoch, moment

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
SHORT_PERIODS = (1, 5, 10, 20, 30)
LARGEST = 2.0**360
MAX_DATAPOINTS = 100_800
_ID = re.compile(r"^[a-z][a-zA-Z0-9_]*$")


class _Point(NamedTuple):
    query: int
    at: int
    value: float


class MetricOperations:
    """The metric half of CloudWatch over one MetricStore."""

    def __init__(self, store: MetricStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self.operations: dict[str, Operation] = {
            "PutMetricData": self._put_metric_data,
            "GetMetricData": self._get_metric_data,
            "GetMetricStatistics": self._get_metric_statistics,
            "ListMetrics": self._list_metrics,
        }

    def _put_metric_data(self, call: Call) -> Answer:
        """All data of the request are checked before the first is kept."""
        data = list(call.params.get("MetricData") or ())
        for entity in call.params.get("EntityMetricData") or ():
            data += entity.get("MetricData") or ()
        if not data:
            raise AwsError("MissingParameter", "The parameter MetricData is required.")
        if len(data) > 1000:
            raise _invalid("The collection MetricData must not have a size greater than 1000.")
        points = [self._point(call, index, datum) for index, datum in enumerate(data, 1)]
        for key, at, stat, unit in points:
            self._store.publish(key, at, stat, unit)
        return {}

    def _point(self, call: Call, index: int, datum: Mapping[str, Any]) -> tuple[MetricKey, float, Stat, str]:
        now = self._now()
        at = epoch(datum["Timestamp"]) if datum.get("Timestamp") is not None else now
        member = f"The parameter MetricData.member.{index}"
        if at > now + 2 * 3600:
            raise _invalid(f"{member}.Timestamp must specify a time no more than two hours in the future.")
        if at < now - 14 * 86400:
            raise _invalid(f"{member}.Timestamp must specify a time within the last two weeks.")
        key = metric_key(call.region, call.params["Namespace"], datum["MetricName"], _dimensions(datum))
        return key, at, _stat_of(datum, member), datum.get("Unit") or "None"

    def _get_metric_data(self, call: Call) -> Answer:
        queries = call.params["MetricDataQueries"]
        if len(queries) > 500:
            raise _invalid("The collection MetricDataQueries must not have a size greater than 500.", "ValidationError")
        start, end = _window(call, "ValidationError")
        _check_ids(queries)
        limit = int(call.params.get("MaxDatapoints") or MAX_DATAPOINTS)
        if not 1 <= limit <= MAX_DATAPOINTS:
            raise _invalid(f"MaxDatapoints must be between 1 and {MAX_DATAPOINTS}.", "ValidationError")
        ascending = call.params.get("ScanBy") == "TimestampAscending"
        shown = [(n, query) for n, query in enumerate(queries) if query.get("ReturnData", True) is not False]
        points = [p for n, query in shown for p in self._points(call.region, n, query, (start, end), ascending)]
        invalid = AwsError("InvalidNextToken", "The next token is not valid.")
        part, following = page(points, limit, call.params.get("NextToken"), invalid)
        unfinished = part[-1].query if following and part else len(queries)
        results = [_result(n, query, part, complete=n < unfinished) for n, query in shown]
        return paged("MetricDataResults", results, following)

    def _points(
        self, region: str, index: int, query: Mapping[str, Any], window: tuple[float, float], ascending: bool
    ) -> Iterator[_Point]:
        """One query's datapoints in scan order. The start is rounded down as GetMetricData's StartTime says."""
        if query.get("Expression") is not None:
            raise _invalid("the sandbox serves MetricStat queries only, no Expression", "ValidationError")
        wanted = query.get("MetricStat")
        if wanted is None:
            raise _invalid("MetricDataQuery must have either MetricStat or Expression.", "ValidationError")
        period = _period(wanted.get("Period"), "ValidationError")
        statistic = wanted["Stat"]
        if statistic not in STATISTICS:
            raise _invalid(f"the sandbox serves {', '.join(STATISTICS)}, not {statistic}", "ValidationError")
        metric = wanted["Metric"]
        key = metric_key(region, metric.get("Namespace", ""), metric.get("MetricName", ""), _dimensions(metric))
        buckets = self._store.buckets(key, _rounded(window[0], period), window[1], period, wanted.get("Unit"))
        for at in sorted(buckets, reverse=not ascending):
            yield _Point(index, at, buckets[at].statistic(statistic))

    def _get_metric_statistics(self, call: Call) -> Answer:
        params = call.params
        start, end = _window(call, "InvalidParameterCombination")
        period = _period(params["Period"], "InvalidParameterValue")
        if params.get("ExtendedStatistics"):
            raise _invalid("the sandbox serves no ExtendedStatistics")
        wanted = params.get("Statistics") or ()
        if not wanted:
            raise _invalid("Must specify either Statistics or ExtendedStatistics.", "InvalidParameterCombination")
        count = math.ceil((end - _rounded(start, period)) / period)
        if count > 1440:
            raise _invalid(
                f"You have requested up to {count:,} datapoints, which exceeds the limit of 1,440. You may reduce the "
                "datapoints requested by increasing Period, or decreasing the time range.",
                "InvalidParameterCombination",
            )
        key = metric_key(call.region, params["Namespace"], params["MetricName"], _dimensions(params))
        buckets = self._store.buckets(key, _rounded(start, period), end, period, params.get("Unit"))
        unit = params.get("Unit") or self._store.unit_of(key)
        points = [
            {"Timestamp": moment(at), "Unit": unit} | {name: stat.statistic(name) for name in wanted}
            for at, stat in sorted(buckets.items())
        ]
        return {"Label": params["MetricName"], "Datapoints": points}

    def _list_metrics(self, call: Call) -> Answer:
        """Filters are exact by namespace and name; dimensions are matched one by one, by name or name and value."""
        params = call.params
        wanted = params.get("Dimensions") or ()
        recent = self._now() - 3 * 3600 if params.get("RecentlyActive") else float("-inf")
        found = [
            {
                "Namespace": key.namespace,
                "MetricName": key.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
            }
            for key, newest in self._store.keys(call.region)
            if newest >= recent
            and params.get("Namespace") in (None, key.namespace)
            and params.get("MetricName") in (None, key.name)
            and all(_has(key, dimension) for dimension in wanted)
        ]
        part, following = page(found, 500, params.get("NextToken"), _invalid("Invalid nextToken"))
        return paged("Metrics", part, following)


def _result(index: int, query: Mapping[str, Any], part: Sequence[_Point], complete: bool) -> Answer:
    mine = [point for point in part if point.query == index]
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or (query.get("MetricStat") or {}).get("Metric", {}).get("MetricName", ""),
        "Timestamps": [moment(point.at) for point in mine],
        "Values": [point.value for point in mine],
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _check_ids(queries: Any) -> None:
    seen: set[str] = set()
    for number, query in enumerate(queries, 1):
        name = query.get("Id") or ""
        if not _ID.match(name):
            raise _invalid(
                f"The value {name} for parameter MetricDataQueries.member.{number}.Id is not matching the expected "
                "pattern ^[a-z][a-zA-Z0-9_]*$.",
                "ValidationError",
            )
        if name in seen:
            raise _invalid(
                f"The values for parameter Id in MetricDataQueries must be unique: {name}.", "ValidationError"
            )
        seen.add(name)


def _stat_of(datum: Mapping[str, Any], member: str) -> Stat:
    """The samples of a MetricDatum, in whichever of its three forms: Value, Values and Counts, or StatisticValues."""
    if (ready := datum.get("StatisticValues")) is not None:
        stat = Stat(ready["SampleCount"], ready["Sum"], ready["Minimum"], ready["Maximum"])
    elif datum.get("Values"):
        values = datum["Values"]
        counts = datum.get("Counts") or [1.0] * len(values)
        if len(values) > 150 or len(counts) != len(values):
            raise _invalid(f"{member}.Values and Counts must have the same size, at most 150.")
        stat = sample(values[0], counts[0])
        for value, count in zip(values[1:], counts[1:], strict=True):
            stat = stat.merged(sample(value, count))
    elif datum.get("Value") is not None:
        stat = sample(datum["Value"])
    else:
        raise AwsError("MissingParameter", f"{member}.Value is required.")
    if not all(math.isfinite(number) and abs(number) <= LARGEST for number in stat):
        raise _invalid(f"{member}.Value must be a number between -2^360 and 2^360.")
    return stat


def _dimensions(source: Mapping[str, Any]) -> dict[str, str]:
    dimensions = source.get("Dimensions") or ()
    if len(dimensions) > 30:
        raise _invalid("The collection Dimensions must not have a size greater than 30.")
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}


def _has(key: MetricKey, dimension: Mapping[str, str]) -> bool:
    wanted = dimension.get("Value")
    return any(name == dimension["Name"] and wanted in (None, value) for name, value in key.dimensions)


def _period(value: Any, code: str) -> int:
    period = int(value or 0)
    if period in SHORT_PERIODS or (period > 0 and period % 60 == 0):
        return period
    raise _invalid("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.", code)


def _rounded(start: float, period: int) -> float:
    """StartTime rounded down: to the period's own division under a minute, else to the whole minute."""
    step = period if period < 60 else 60
    return start - start % step


def _window(call: Call, code: str) -> tuple[float, float]:
    start, end = epoch(call.params["StartTime"]), epoch(call.params["EndTime"])
    if start >= end:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.", code)
    return start, end


def _invalid(message: str, code: str = "InvalidParameterValue") -> AwsError:
    return AwsError(code, message)
