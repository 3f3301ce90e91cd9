"""What was asked of the sandbox: one line a request, bounded, so that a drill can prove what resil called and when."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

OK = "ok"
NO_ANSWER = "no answer"
_KEPT = 50_000

# An operation that starts with one of these changes nothing. Anything else counts as a write: a log that takes a
# write for a read would let a dry run pass that was none.
_READS = (
    "Get",
    "List",
    "Describe",
    "Test",
    "Query",
    "Scan",
    "BatchGet",
    "TransactGet",
    "Head",
    "Select",
    "Search",
    "Lookup",
    "Filter",
    "Simulate",
    "AssumeRole",
    "DecodeAuthorizationMessage",
)


def is_write(operation: str) -> bool:
    """Whether the operation may change something, by its name. ``GET /path`` stands for an operation not known."""
    return not operation.startswith((*_READS, "GET ", "HEAD "))


@dataclass(frozen=True)
class Entry:
    """One request. ``time``: its arrival. ``outcome``: ok, AWS's error code, "no answer", or ``fault:KIND`` with what
    the service said, if it was asked; ``status`` 0 where none was sent.

    ``number``: its place in the log, from 1. ``duration_ms``: from its arrival until its answer began to be sent;
    None where none was.
    """

    time: str
    service: str
    operation: str
    region: str
    caller: str
    status: int
    outcome: str
    write: bool
    number: int = 0
    duration_ms: float | None = None

    def line(self) -> str:
        mark = "W" if self.write else "r"
        who = self.caller or "-"
        return f"{self.time} {mark} {self.service} {self.operation} {self.region or '-'} {who} {self.outcome}"


class CallLog:
    """The last 50,000 requests, oldest first; ``dropped`` says how many older ones were let go."""

    def __init__(self, clock: Callable[[], float], kept: int = _KEPT) -> None:
        self._clock, self._entries = clock, deque[Entry](maxlen=kept)
        self._guard, self._count = threading.Lock(), 0

    def add(
        self,
        service: str,
        operation: str,
        region: str,
        caller: str,
        status: int,
        outcome: str,
        *,
        at: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """``at``: its arrival in epoch seconds (now without one), ``seconds`` how long its answer took."""
        moment = datetime.fromtimestamp(self._clock() if at is None else at, UTC)
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        took = None if seconds is None else round(seconds * 1000, 3)
        write = is_write(operation)
        with self._guard:
            self._count += 1
            entry = Entry(text, service, operation, region, caller, status, outcome, write, self._count, took)
            self._entries.append(entry)

    def entries(self, *, writes_only: bool = False, since: int = 0) -> tuple[Entry, ...]:
        """Those with a number above ``since``, in the order in which they were answered (or given up)."""
        with self._guard:
            kept = tuple(self._entries)
        return tuple(entry for entry in kept if entry.number > since and (entry.write or not writes_only))

    @property
    def dropped(self) -> int:
        return self._count - len(self._entries)

    def clear(self) -> None:
        """Forgets everything, for tests that count from here."""
        with self._guard:
            self._entries.clear()
            self._count = 0

    def as_json(self, *, writes_only: bool = False, since: int = 0) -> dict[str, Any]:
        """``last`` is the number to give as ``since`` for what comes after."""
        with self._guard:
            last = self._count
        calls = [asdict(entry) for entry in self.entries(writes_only=writes_only, since=since) if entry.number <= last]
        return {"calls": calls, "dropped": self.dropped, "last": last}
