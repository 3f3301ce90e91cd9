"""Asynchronous replication of the global tables: each Region's writes reach the others later, and the last one wins.

A write is applied elsewhere after its link's lag. A link that is stalled, or has an isolated Region at an end, holds
what comes due; it arrives after the link is free again, unless a newer write to the same key is there by then, which
suppresses it (DynamoDB developer guide, "Evacuating a Region with global tables": unpropagated writes are held, not
lost). Newer is by the time of the write, item by item; a transaction's writes may so be seen one by one elsewhere.
"""

import heapq
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from .cloudwatch_metrics import MetricStore, sample
from .replication_copies import Change, Key
from .replication_ledger import Clock, Extract, Fate, Stamp, Write, WriteLedger
from .replication_links import Pair
from .tables import GlobalTable, GlobalTables, lag_key

BATCH = 100  # deliveries under one hold of the sandbox's lock: a few milliseconds

Version = tuple[float, int]  # of an item in a Region: the time of its last write, and the write's number


class Store(Protocol):
    """Where the items are: ``replication_copies.Copies``."""

    def watch(self, region: str, table: str) -> None: ...
    def changes(self) -> Sequence[Change]: ...
    def apply(self, region: str, table: str, key: Key, image: Any) -> None: ...
    def touch(self, region: str, table: str, words: str) -> None: ...


class _Delivery(NamedTuple):
    """One write on its way to one Region. Sorts by when it is due, then by the order of the writes."""

    due: float
    number: int
    target: str
    write: Write
    version: Version
    image: Any


class Replication:
    """Called under the sandbox's lock, but for ``next_due``, which anyone may look at."""

    def __init__(self, tables: GlobalTables, store: Store, metrics: MetricStore, clock: Clock | None = None) -> None:
        self._tables, self._store, self._metrics = tables, store, metrics
        self._clock = clock or Clock()
        self._links = tables.links
        self._queue: list[_Delivery] = []
        self._held: list[_Delivery] = []
        self._versions: dict[tuple[str, Key, str], Version] = {}
        self._number = 0
        self.ledger = WriteLedger()
        self.background = True
        self.next_due = float("inf")

    def collect(self) -> None:
        """Take up what clients have written since the last call. The sandbox calls it after each of moto's answers."""
        changes = self._store.changes()
        for change in changes:
            table = self._tables.tables.get(change.table)
            if table is not None and change.region in table.regions:
                self._take(change, table)
        if changes:
            self._set_next_due()

    def deliver(self, most: int = BATCH) -> None:
        """Apply up to so many writes that are due, or set them aside where their link holds."""
        self.collect()  # or a write from elsewhere might pass one made here that was not yet taken up
        now = self._clock()
        while self._queue and self._queue[0].due <= now.mono and most > 0:
            delivery = heapq.heappop(self._queue)
            if self._links.holds((delivery.write.region, delivery.target)):
                self._held.append(delivery)
            else:
                self._settle(delivery, now)
                most -= 1
        self._set_next_due()

    def beat(self) -> None:
        """Every few seconds: watch tables that are new, and write the world's own item to each table in each Region.

        The tables so have some traffic besides the clients': without writes there is no ReplicationLatency.
        """
        now = self._clock()
        for table in self._tables.tables.values():
            for region in table.regions:
                self._store.watch(region, table.name)
                if self.background:
                    self._store.touch(region, table.name, f"{now.wall:.3f}")
        self.collect()

    def stall(self, pair: Pair) -> None:
        self._links.stalled.add(pair)

    def resume(self, pair: Pair) -> None:
        self._links.stalled.discard(pair)
        self._release()

    def isolate(self, region: str) -> None:
        """Cut the Region off: what it writes does not get out, and what others write does not get in."""
        self._links.isolated.add(region)

    def rejoin(self, region: str) -> None:
        self._links.isolated.discard(region)
        self._release()

    def hurry(self) -> None:
        """After a change of lag: writes under way need no longer from here on than new ones do."""
        now = self._clock().mono
        self._queue = [self._hurried(delivery, now) for delivery in self._queue]
        heapq.heapify(self._queue)
        self._set_next_due()

    @property
    def waiting(self) -> int:
        """How many deliveries are under way or held."""
        return len(self._queue) + len(self._held)

    @property
    def under_way(self) -> int:
        """How many of them will arrive by themselves, sooner or later."""
        return len(self._queue)

    def extract(self, table: str | None = None) -> Extract:
        """The ledger of one table, or of all."""
        if table is not None and table not in self._tables.tables:
            raise ValueError(f"no global table {table!r}; there are {', '.join(self._tables.tables)}")
        return self.ledger.of(table, self._clock())

    def _take(self, change: Change, table: GlobalTable) -> None:
        """Note the write with its version, and send it to the other Regions."""
        self._number += 1
        slot = (change.table, change.key, change.region)
        before = self._versions.get(slot, (0.0, 0))
        version = (max(change.at.wall, before[0]), self._number)  # a clock set back must not undo a write made later
        self._versions[slot] = version
        others = [region for region in table.regions if region != change.region]
        fates = dict.fromkeys(others, Fate())
        write = Write(
            self._number,
            change.table,
            change.key,
            change.region,
            change.at,
            change.is_new,
            deleted=change.image is None,
            fates=fates,
        )
        self.ledger.add(write)
        for target in others:
            self._send(_Delivery(change.at.mono, self._number, target, write, version, change.image), table)

    def _send(self, delivery: _Delivery, table: GlobalTable) -> None:
        if table.consistency == "STRONG":  # no write is acknowledged there before it is everywhere
            self._apply(delivery, self._clock())
            return
        heapq.heappush(self._queue, delivery._replace(due=delivery.due + self._delay(delivery)))

    def _settle(self, delivery: _Delivery, now: Stamp) -> None:
        """The write has come: applied or suppressed, it took this long, and the source Region's CloudWatch says so."""
        self._apply(delivery, now)
        if self._tables.published:
            write = delivery.write
            took = sample((now.mono - write.at.mono) * 1000)
            key = lag_key(write.table, write.region, delivery.target)
            self._metrics.publish(key, now.wall, took, "Milliseconds")

    def _apply(self, delivery: _Delivery, now: Stamp) -> None:
        write, target = delivery.write, delivery.target
        slot = (write.table, write.key, target)
        if self._versions.get(slot, (0.0, 0)) > delivery.version:
            write.fates[target] = Fate("suppressed", now)
            return
        self._versions[slot] = delivery.version
        self._store.apply(target, write.table, write.key, delivery.image)
        write.fates[target] = Fate("arrived", now)

    def _release(self) -> None:
        """Send on what is held no longer, with a lag of its own from now: a backlog is not there all at once."""
        now = self._clock().mono
        held, self._held = self._held, []
        for delivery in held:
            if self._links.holds((delivery.write.region, delivery.target)):
                self._held.append(delivery)
            else:
                heapq.heappush(self._queue, delivery._replace(due=now + self._delay(delivery)))
        self._set_next_due()

    def _hurried(self, delivery: _Delivery, now: float) -> _Delivery:
        return delivery._replace(due=min(delivery.due, now + self._delay(delivery)))

    def _delay(self, delivery: _Delivery) -> float:
        write = delivery.write
        return self._links.delay_s((write.region, delivery.target), write.table, write.key[0])

    def _set_next_due(self) -> None:
        self.next_due = self._queue[0].due if self._queue else float("inf")
