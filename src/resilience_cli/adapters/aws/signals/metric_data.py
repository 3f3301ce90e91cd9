"""GetMetricData: many metrics of one Region in one call.

Source: CloudWatch API reference, ``GetMetricData``: at most 500 queries a call; ``StartTime`` inclusive, ``EndTime``
exclusive; ``MetricDataResult.StatusCode`` Complete, PartialData (the rest comes with the next token), InternalError
and Forbidden.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..reading import batches
from ..session import Answer, Api

QUERIES_A_CALL = 500
NO_ANSWER = ("InternalError", "Forbidden")


@dataclass(frozen=True)
class Query:
    """One metric, as a statistic over periods of whole seconds."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int


@dataclass
class Series:
    """The datapoints of one query, newest first. ``trouble`` says why they tell nothing, where AWS said so."""

    points: list[tuple[datetime, float]] = field(default_factory=list)
    trouble: str = ""


def fetch(api: Api, queries: Sequence[Query], start: datetime, end: datetime) -> list[Series]:
    """One series for each query, in order. Datapoints outside [start, end) are not asked for."""
    found: list[Series] = []
    for batch in batches(queries, QUERIES_A_CALL):
        found += _fetch(api, batch, start, end)
    return found


def _fetch(api: Api, queries: Sequence[Query], start: datetime, end: datetime) -> list[Series]:
    series = [Series() for _ in queries]
    pages = api.pages(
        "GetMetricData",
        MetricDataQueries=[_asked(f"m{number}", query) for number, query in enumerate(queries)],
        StartTime=start,
        EndTime=end,
        ScanBy="TimestampDescending",
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            _add(series[int(result["Id"][1:])], result)
    for each in series:
        each.points.sort(reverse=True)
    return series


def _asked(id_: str, query: Query) -> Answer:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions]
    metric = {"Namespace": query.namespace, "MetricName": query.metric, "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": query.period, "Stat": query.statistic}}


def _add(series: Series, result: Answer) -> None:
    points: Iterable[tuple[datetime, float]] = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True)
    series.points += [(moment.astimezone(UTC), float(value)) for moment, value in points]
    if result.get("StatusCode") in NO_ANSWER:
        said = "; ".join(str(each.get("Value", "")) for each in result.get("Messages", ()))
        series.trouble = f"{result['StatusCode']}" + (f": {said}" if said else "")
