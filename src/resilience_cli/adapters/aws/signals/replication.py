"""DynamoDB global tables: are the replicas there, and how far behind are they.

Source: DynamoDB developer guide, "Monitoring global tables": ReplicationLatency is published per table and
``ReceivingRegion``, in milliseconds, in the *source* Region's CloudWatch, and only for tables of eventual consistency.
API reference: ``TableDescription.Replicas`` (``ReplicaStatus``), ``MultiRegionConsistency`` (STRONG: a write is in the
other Regions before it is acknowledged, and no latency is published).

No datapoint is not zero lag: a table without writes and a replication that has stopped look the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ....errors import AwsTrouble, Denied, Malformed, NotFound
from ....model.app import App, Replication
from ....model.readings import Level, Reading, SignalKind
from ....ports import Read
from ..reading import Now, age, shortened, signal_read
from ..session import Answer, Sessions
from .metric_data import Query, Series, fetch

NAMESPACE = "AWS/DynamoDB"
METRIC = "ReplicationLatency"
PERIOD_S = 60
STALE_S = 240.0  # CloudWatch has a minute's datapoint a minute or two after it; what is older tells of the past
Table = Answer | AwsTrouble
Lags = dict[tuple[str, str], Series]


@dataclass(frozen=True)
class _Look:
    """One look at the replication out of one Region."""

    spec: Replication
    app: App
    sessions: Sessions
    now: Now
    source: str

    @property
    def receiving(self) -> tuple[str, ...]:
        return tuple(region for region in self.app.regions.serving if region != self.source)

    def readings(self) -> Iterator[Reading]:
        tables = {name: self._table(name) for name in self.spec.tables}
        eventual = [name for name, table in tables.items() if isinstance(table, dict) and _has_lag(table)]
        lags: Lags | AwsTrouble
        try:
            lags = self._lags(eventual) if eventual else {}
        except AwsTrouble as trouble:
            lags = trouble
        for name, table in tables.items():
            yield self._reading(name, table, lags)

    def _table(self, name: str) -> Table:
        """The table, or why this one is refused: the others may not be. A Region that is silent is asked no further."""
        try:
            answer = self.sessions.reader("dynamodb", self.source).patiently("DescribeTable", TableName=name)
            table: Answer = answer["Table"]
        except (Denied, Malformed, NotFound) as trouble:
            return trouble
        return table

    def _lags(self, tables: list[str]) -> Lags:
        pairs = [(table, region) for table in tables for region in self.receiving]
        queries = [
            Query(NAMESPACE, METRIC, (("TableName", table), ("ReceivingRegion", region)), "Maximum", PERIOD_S)
            for table, region in pairs
        ]
        moment = self.now()
        start = moment - timedelta(seconds=self.spec.window)
        series = fetch(self.sessions.reader("cloudwatch", self.source), queries, start, moment)
        return dict(zip(pairs, series, strict=True))

    def _reading(self, name: str, table: Table, lags: Lags | AwsTrouble) -> Reading:
        if isinstance(table, AwsTrouble):
            return _unknown(self.source, name, table.message)
        if not table.get("Replicas"):
            return _unknown(self.source, name, "not a global table: it has no replicas")
        broken = self._broken(table)
        if broken:
            return self._said(name, Level.BAD, broken)
        if not _is_eventual(table):
            said = "not applicable: strong multi-Region consistency (MRSC), nothing is ever behind"
            return self._said(name, Level.OK, said).model_copy(update={"counts": False})
        if isinstance(lags, AwsTrouble):
            return _unknown(self.source, name, lags.message)
        return self._lag(name, {region: lags[name, region] for region in self.receiving})

    def _broken(self, table: Answer) -> str:
        """Replicas that are not ACTIVE, and serving Regions without one."""
        status = {replica["RegionName"]: replica.get("ReplicaStatus") for replica in table["Replicas"]}
        not_active = [f"replica in {region} is {s}" for region, s in sorted(status.items()) if s != "ACTIVE"]
        lacking = [f"no replica in {region}" for region in self.receiving if region not in status]
        return "; ".join(not_active + lacking)

    def _lag(self, name: str, series: dict[str, Series]) -> Reading:
        for region, found in series.items():
            if found.trouble:
                return _unknown(self.source, name, f"CloudWatch gave no data ({found.trouble})")
            if not found.points:
                said = f"no {METRIC} to {region} for {self.spec.window:.0f} s"
                return _unknown(self.source, name, f"{said}: no writes, or replication stopped; not zero lag")
        lag, region = max((value / 1000, region) for region, found in series.items() for _, value in found.points)
        oldest, behind = min((found.points[0][0], region) for region, found in series.items())
        if (ago := (self.now() - oldest).total_seconds()) > STALE_S:
            said = f"the last {METRIC} to {behind} is {ago:.0f} s old"
            return _unknown(self.source, name, f"{said}: no writes since, or replication stopped; not zero lag")
        level = Level.BAD if lag > self.spec.max_lag else Level.OK
        said = f"{lag:.3g} s behind in {region} at most in {self.spec.window:.0f} s; {self.spec.max_lag:g} s allowed"
        update = {"lag_s": lag, "age_s": age(self.now(), oldest)}
        return self._said(name, level, said).model_copy(update=update)

    def _said(self, name: str, level: Level, said: str) -> Reading:
        return _unknown(self.source, name, said).model_copy(update={"level": level, "age_s": 0.0})


def reads(spec: Replication, app: App, sessions: Sessions, now: Now) -> list[Read]:
    """One read for each serving Region, as the source of its writes."""
    return [_read(_Look(spec, app, sessions, now, source)) for source in app.regions.serving]


def _read(look: _Look) -> Read:
    def ask() -> Iterable[Reading]:
        return look.readings()

    def unanswered(why: str) -> tuple[Reading, ...]:
        return tuple(_unknown(look.source, name, why) for name in look.spec.tables)

    return signal_read(f"replication of {', '.join(look.spec.tables)}", look.source, ask, unanswered)


def _has_lag(table: Answer) -> bool:
    return bool(table.get("Replicas")) and _is_eventual(table)


def _is_eventual(table: Answer) -> bool:
    return str(table.get("MultiRegionConsistency")) != "STRONG"


def _unknown(source: str, name: str, why: str) -> Reading:
    return Reading(
        kind=SignalKind.REPLICATION,
        subject=name,
        region=source,
        seen_from=source,
        level=Level.UNKNOWN,
        evidence=shortened(why),
        source=f"replication:{source}:{name}",
    )
