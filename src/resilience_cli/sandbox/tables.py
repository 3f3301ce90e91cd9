"""DynamoDB global tables: what DescribeTable says of replicas, and the lag each source Region publishes.

The tables themselves and their items are kept by the backend behind the sandbox, one table a Region; this adds the
members of a global table to its DescribeTable. ``ReplicationLatency`` is published in the *source* Region's
CloudWatch, by TableName and ReceivingRegion (DynamoDB developer guide, "Monitoring global tables").
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .cloudwatch_metrics import MetricStore, metric_key, sample
from .operations import Answer
from .service import AwsError, Call

VERSION = "2019.11.21"
Describe = Callable[[Call], dict[str, Any]]  # the backend's own answer to DescribeTable


@dataclass
class GlobalTable:
    """One global table: the Regions of its replicas, and any status other than ACTIVE."""

    name: str
    regions: tuple[str, ...]
    consistency: str = "EVENTUAL"
    status: dict[str, str] = field(default_factory=dict)


class GlobalTables:
    """A Service of one operation: the frame sends all of DynamoDB's others to the backend."""

    name = "dynamodb"
    operations = frozenset({"DescribeTable"})

    def __init__(self, metrics: MetricStore, describe: Describe, seed: int = 7) -> None:
        self._metrics = metrics
        self._describe = describe
        self._random = random.Random(seed)
        self.tables: dict[str, GlobalTable] = {}
        self.lag_ms: tuple[float, float] | None = (600.0, 1200.0)

    def add(self, table: GlobalTable) -> None:
        self.tables[table.name] = table

    def handle(self, call: Call) -> Answer:
        """The backend's answer, with the global table's members where the table is one in this Region."""
        if call.operation not in self.operations:
            raise AwsError("UnknownOperationException", f"the sandbox does not serve dynamodb:{call.operation} here")
        name = call.params["TableName"].rsplit("table/", 1)[-1]
        answer = self._describe(call)
        table = self.tables.get(name)
        if table is None or call.region not in table.regions:
            return answer
        return answer | {"Table": answer["Table"] | self._global(table, call.region)}

    def _global(self, table: GlobalTable, here: str) -> Answer:
        """A replica's DescribeTable lists all replicas, its own Region's included."""
        return {
            "GlobalTableVersion": VERSION,
            "MultiRegionConsistency": table.consistency,
            "Replicas": [
                {"RegionName": region, "ReplicaStatus": table.status.get(region, "ACTIVE")} for region in table.regions
            ],
        }

    def set_lag(self, low_ms: float | None, high_ms: float | None = None) -> None:
        """The range new datapoints are drawn from; None stops them, as a Region without writes publishes none."""
        self.lag_ms = None if low_ms is None else (low_ms, low_ms if high_ms is None else high_ms)

    def publish(self, at: float) -> None:
        """One datapoint for every table and ordered pair of Regions. STRONG tables publish none, as MRSC does."""
        if self.lag_ms is None:
            return
        for table in self.tables.values():
            for source in table.regions if table.consistency == "EVENTUAL" else ():
                for target in table.regions:
                    if target != source:
                        self._metrics.publish(
                            lag_key(table.name, source, target), at, sample(self._lag()), "Milliseconds"
                        )

    def erase(self, since: float) -> None:
        """Forget the datapoints since then, so that a new lag is seen without waiting for the old to pass."""
        for table in self.tables.values():
            for source in table.regions:
                for target in table.regions:
                    self._metrics.erase(lag_key(table.name, source, target), since)

    def _lag(self) -> float:
        low, high = self.lag_ms or (0.0, 0.0)
        return self._random.uniform(low, high)


def lag_key(table: str, source: str, target: str) -> Any:
    """The series of one direction of one table's replication."""
    return metric_key(source, "AWS/DynamoDB", "ReplicationLatency", {"TableName": table, "ReceivingRegion": target})
