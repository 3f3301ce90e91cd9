"""DynamoDB global tables: what DescribeTable says of replicas, and the lag each source Region publishes.

The tables themselves and their items are kept by the backend behind the sandbox, one table a Region; this adds the
members of a global table to its DescribeTable, and ``replication`` carries the items. ``ReplicationLatency`` is
published in the *source* Region's CloudWatch, by TableName and ReceivingRegion (DynamoDB developer guide, "Monitoring
global tables"): by ``replication`` for each write that arrives, by this for a past in which there were no clients yet.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from .cloudwatch_metrics import MetricStore, metric_key, sample
from .operations import Answer
from .replication_links import Links, Pair, Range
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
        self.links = Links(seed)
        self.published = True

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

    @property
    def lag_ms(self) -> Range | None:
        """The usual lag; None while no datapoints are published."""
        return self.links.lag_ms() if self.published else None

    def set_lag(self, low_ms: float | None, high_ms: float | None = None) -> None:
        """The range new delays are drawn from; None only ends the datapoints, as in a Region without writes."""
        self.published = low_ms is not None
        if low_ms is not None:
            self.links.set_lag((low_ms, low_ms if high_ms is None else high_ms))

    def publish(self, at: float, pair: Pair | None = None) -> None:
        """Tell the past: a datapoint for every table and link. STRONG tables publish none, as MRSC does."""
        for table, link in self._published_links():
            if pair in (None, link) and not self.links.holds(link):
                low, high = self.links.lag_ms(link)
                told = sample(self._random.uniform(low, high))
                self._metrics.publish(lag_key(table, *link), at, told, "Milliseconds")

    def erase(self, since: float, pair: Pair | None = None) -> None:
        """Forget the datapoints since then, so that a new lag is seen without waiting for the old to pass."""
        for table in self.tables.values():
            for link in _links(table):
                if pair in (None, link):
                    self._metrics.erase(lag_key(table.name, *link), since)

    def _published_links(self) -> Iterator[tuple[str, Pair]]:
        for table in self.tables.values() if self.published else ():
            if table.consistency == "EVENTUAL":
                yield from ((table.name, link) for link in _links(table))


def _links(table: GlobalTable) -> Iterator[Pair]:
    return permutations(table.regions, 2)


def lag_key(table: str, source: str, target: str) -> Any:
    """The series of one direction of one table's replication."""
    return metric_key(source, "AWS/DynamoDB", "ReplicationLatency", {"TableName": table, "ReceivingRegion": target})
