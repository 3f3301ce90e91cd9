"""The sandbox's own record of every write to a global table: when it was made, and when it reached each Region."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

KEPT = 200_000  # a table's writes: more than a quarter of an hour of 200 orders a second


class Stamp(NamedTuple):
    """Epoch seconds, and the monotonic clock that all processes of a machine share (CLOCK_MONOTONIC on Linux)."""

    wall: float
    mono: float

    def as_json(self) -> dict[str, float]:
        return self._asdict()


class Clock:
    """The sandbox's two clocks, read together."""

    def __init__(self, wall: Callable[[], float] = time.time, mono: Callable[[], float] = time.monotonic) -> None:
        self._wall, self.mono = wall, mono

    def __call__(self) -> Stamp:
        return Stamp(self._wall(), self.mono())


class Fate(NamedTuple):
    state: str = "pending"
    at: Stamp | None = None

    def as_json(self) -> dict[str, Any]:
        return {"state": self.state} | ({"at": self.at.as_json()} if self.at else {})


@dataclass(slots=True)
class Write:
    """One write as it was made; ``fates`` is filled in as it reaches the other Regions, and alone ever changes."""

    number: int
    table: str
    key: tuple[str, ...]
    region: str
    at: Stamp
    is_new: bool
    deleted: bool
    fates: dict[str, Fate] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "table": self.table,
            "key": list(self.key),
            "region": self.region,
            "at": self.at.as_json(),
            "is_new": self.is_new,
            "deleted": self.deleted,
            "fates": {region: fate.as_json() for region, fate in self.fates.items()},
        }


class Extract(NamedTuple):
    """A copy of the list of writes: quick to take under the lock, and put into words without it."""

    now: Stamp
    writes: list[Write]
    dropped: int

    def as_json(self) -> dict[str, Any]:
        """The page ``model.ledger.Ledger`` reads."""
        return {"now": self.now.as_json(), "writes": [w.as_json() for w in self.writes], "dropped": self.dropped}


class WriteLedger:
    """Each table's last writes; an idle table's are not pushed out by a busy one's."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._writes: dict[str, deque[Write]] = {}
        self._count: dict[str, int] = {}

    def add(self, write: Write) -> None:
        self._writes.setdefault(write.table, deque(maxlen=self._kept)).append(write)
        self._count[write.table] = self._count.get(write.table, 0) + 1

    def of(self, table: str | None, now: Stamp) -> Extract:
        """The writes kept, of one table or of all, in order."""
        tables = list(self._writes) if table is None else [table]
        found = [write for name in tables for write in self._writes.get(name, ())]
        dropped = sum(self._count.get(name, 0) for name in tables) - len(found)
        return Extract(now, sorted(found, key=lambda write: write.number), dropped)
