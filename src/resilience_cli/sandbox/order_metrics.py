"""What a Regional order service reports of itself, second by second, as API Gateway, Lambda and DynamoDB would.

Rates are samples of 1 for a failed request and 0 for any other, so that their Average is a share (API Gateway and
Lambda user guides, "metrics"). A second without requests reports nothing; ``/health`` is not counted, as the checkers
ask it far more often than AWS's would.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CREATE, READ = "OrderCreateFn", "OrderReadFn"
Datum = dict[str, Any]


class Served(NamedTuple):
    """One request of the API: the functions it ran, its status, how long it took, and DynamoDB faults met."""

    functions: tuple[str, ...]
    status: int
    seconds: float
    table_faults: int = 0


@dataclass
class Tally:
    """The requests since the last report."""

    served: list[Served] = field(default_factory=list)

    def add(self, served: Served) -> None:
        self.served.append(served)

    def take(self) -> Sequence[Served]:
        taken, self.served = self.served, []
        return taken


def reports(served: Sequence[Served], at: float) -> Iterator[tuple[str, list[Datum]]]:
    """PutMetricData's Namespace and MetricData for the requests of one interval, none where there were none."""
    if not served:
        return
    yield "AWS/ApiGateway", _api(served, at)
    yield "AWS/Lambda", [datum for name in (CREATE, READ) for datum in _function(name, served, at)]
    if faults := sum(one.table_faults for one in served):
        where = {"TableName": "Orders", "Operation": "TransactWriteItems"}
        yield "AWS/DynamoDB", [_datum("SystemErrors", where, [1.0] * faults, "Count", at)]


def _api(served: Sequence[Served], at: float) -> list[Datum]:
    where = {"ApiName": "orders"}
    return [
        _datum("Count", where, [1.0] * len(served), "Count", at),
        _datum("5XXError", where, [float(one.status >= 500) for one in served], "Count", at),
        _datum("4XXError", where, [float(400 <= one.status < 500) for one in served], "Count", at),
        _datum("Latency", where, [1000.0 * one.seconds for one in served], "Milliseconds", at),
    ]


def _function(name: str, served: Sequence[Served], at: float) -> list[Datum]:
    ran = [one for one in served if name in one.functions]
    where = {"FunctionName": name}
    if not ran:
        return []
    return [
        _datum("Invocations", where, [1.0] * len(ran), "Count", at),
        _datum("Errors", where, [float(one.status >= 500) for one in ran], "Count", at),
        _datum("Duration", where, [1000.0 * one.seconds for one in ran], "Milliseconds", at),
    ]


def _datum(name: str, dimensions: Mapping[str, str], values: Sequence[float], unit: str, at: float) -> Datum:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Timestamp": at,
        "StatisticValues": {
            "SampleCount": float(len(values)),
            "Sum": sum(values),
            "Minimum": min(values),
            "Maximum": max(values),
        },
        "Unit": unit,
    }
