"""What the shells need of the outside: Protocols that adapters implement and ``wiring`` hands in.

The same shells run against AWS, the sandbox and memory; only the World differs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from .model.app import App
from .model.effects import Effect, Receipt
from .model.facts import EndpointOverride, Knowledge, Seen, Topic
from .model.plan import Plan
from .model.readings import Reading
from .model.run import Entry


@dataclass(frozen=True)
class Read:
    """One small read: ``ask`` blocks, bounded by itself, and raises AwsTrouble where it gets no answer.

    ``unanswered`` are the readings to record, with the reason as evidence, when it raised or was not waited for.
    """

    topic: Topic
    subject: str
    region: str
    ask: Callable[[], Seen]
    unanswered: Callable[[str], tuple[Reading, ...]] = field(default=lambda why: ())


class World(Protocol):
    """Where traffic is routed: AWS, the sandbox, or memory."""

    def reads(self, app: App, topics: frozenset[Topic]) -> Sequence[Read]:
        """The reads that answer these topics for this app, independent of one another."""
        ...

    def reads_for(self, app: App, effect: Effect) -> Sequence[Read]:
        """The reads that tell whether this effect holds, and nothing more."""
        ...

    def perform(self, effect: Effect) -> Receipt:
        """Ask for the effect once, as compare-and-swap where AWS has one.

        Raises Conflicting, SafetyRule, Denied, Throttled, NotFound or Malformed where it surely did not happen,
        Uncertain where it may have.
        """
        ...

    def in_sync(self, receipt: Receipt) -> Knowledge:
        """Whether the accepted write has reached the data plane (Route 53 GetChange); ``unknown`` if unreadable."""
        ...

    def overrides(self) -> Sequence[EndpointOverride]:
        """Endpoints in use that are not AWS's own."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """UTC, with its zone."""
        ...

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class JournalStore(Protocol):
    """Append-only journals, one a run. An entry is durable when ``append`` returns."""

    def append(self, run: str, entry: Entry) -> None: ...

    def entries(self, run: str) -> Sequence[Entry]:
        """All whole entries in order; a torn tail is not an entry. Raises UsageError for an unknown run."""
        ...

    def runs(self) -> Sequence[str]:
        """Run ids, oldest first."""
        ...

    def hold(self, run: str) -> AbstractContextManager[None]:
        """Be the one run of this app while inside. Raises Busy, naming the other run."""
        ...


class Operator(Protocol):
    """The person (or the flags that speak for one). ``how`` is how they agree."""

    @property
    def how(self) -> Literal["typed", "yes", "digest"]: ...

    def approves(self, plan: Plan, question: str) -> bool:
        """Ask for one ``approve`` step."""
        ...


Entries = Iterator[Entry]
