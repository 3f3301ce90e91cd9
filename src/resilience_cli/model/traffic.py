"""What clients saw of the application: their requests, their resolvers' caches, their connections; and its faults.

Every event has two clocks: ``at`` is the wall's (epoch seconds), ``mono`` CLOCK_MONOTONIC's, which on Linux is one
for all processes of a machine. Durations and orders in time are read off ``mono`` only: a wall clock may be set.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from .base import Region, Value

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Place = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
SENT = (200, 201)


class ClientPlace(Value):
    """Clients behind one resolver: what it sends as client subnet, and how many orders a second they place."""

    name: Place
    subnet: str
    rate: float = Field(gt=0)


class ClientPlan(Value):
    """What one process of clients does. It ends by itself: after ``seconds``, or ``count`` orders a place if sooner.

    ``keep_alive``: a connection older than this is not used again; the next one is made through the resolver.
    ``label`` begins every order's id, so that two runs in one world do not place the same orders.
    """

    url: str = Field(pattern=r"^http://[^/:]+:\d+$")
    resolver: str = Field(pattern=r"^[^:]+:\d+$")
    places: tuple[ClientPlace, ...] = Field(min_length=1)
    seconds: float = Field(gt=0, le=3600)
    count: int | None = Field(default=None, ge=1)
    keep_alive: float = Field(default=5.0, ge=0)
    timeout: float = Field(default=2.0, gt=0)
    seed: int = 0
    label: str = "order"


class _Event(Value):
    at: float
    mono: float


class Began(_Event):
    """The first line of a log: what was to be done."""

    kind: Literal["began"] = "began"
    plan: ClientPlan


class Requested(_Event):
    """One order placed, tried once. ``mono`` is its start; ``status`` is 0 and ``error`` says why if none came back.

    ``address`` is where it went ("" if the name could not be resolved), ``region`` who answered by its own word.
    """

    kind: Literal["request"] = "request"
    place: Place
    took: float
    address: str
    region: str
    op: Literal["create"]
    order: str
    status: int
    error: str = ""

    @property
    def is_ok(self) -> bool:
        return self.status in SENT


class Resolved(_Event):
    """A resolver's cache took an answer in. ``mono`` is when it asked, ``expires`` (monotonic) when it asks anew."""

    kind: Literal["resolved"] = "resolved"
    place: Place
    took: float
    addresses: tuple[str, ...]
    ttl: float
    expires: float


class Unresolved(_Event):
    """A resolver got no address."""

    kind: Literal["unresolved"] = "unresolved"
    place: Place
    took: float
    why: str


class Connected(_Event):
    """A connection was established. ``connection`` counts them within one log."""

    kind: Literal["connected"] = "connected"
    place: Place
    address: str
    connection: int


class Closed(_Event):
    """A connection was given up: its time was up (``age``), it failed a request (``failed``), or the run was over."""

    kind: Literal["closed"] = "closed"
    place: Place
    address: str
    connection: int
    why: Literal["age", "failed", "end"]


class Ended(_Event):
    """The last line of a log that is whole."""

    kind: Literal["ended"] = "ended"


TrafficEvent = Annotated[
    Began | Requested | Resolved | Unresolved | Connected | Closed | Ended, Field(discriminator="kind")
]


class TrafficLog(Value):
    """One run of clients. Requests are in order of their start, the rest in order of time."""

    places: tuple[Place, ...]
    requests: tuple[Requested, ...]
    resolutions: tuple[Resolved | Unresolved, ...]
    connections: tuple[Connected | Closed, ...]
    plan: ClientPlan | None
    is_whole: bool

    @classmethod
    def of(cls, events: Iterable[TrafficEvent]) -> "TrafficLog":
        """The log of these events, in whatever order they were written."""
        ordered = sorted(events, key=lambda event: event.mono)
        plan = next((event.plan for event in ordered if isinstance(event, Began)), None)
        requests = tuple(event for event in ordered if isinstance(event, Requested))
        named = [place.name for place in plan.places] if plan else [request.place for request in requests]
        return cls(
            places=tuple(dict.fromkeys(named)),
            requests=requests,
            resolutions=tuple(event for event in ordered if isinstance(event, Resolved | Unresolved)),
            connections=tuple(event for event in ordered if isinstance(event, Connected | Closed)),
            plan=plan,
            is_whole=any(isinstance(event, Ended) for event in ordered),
        )


class Serving(Value):
    """How a Regional order service behaves. The default is sound.

    ``port``: ``closed`` refuses connections and cuts those there are; ``full`` has a full backlog, so that new
    connections hang while those there are go on. ``silent``: a black hole, which accepts and reads and never answers.
    ``failing``: the share of requests answered 503. ``latency_ms`` is added to every answer, ``jitter_ms`` at most.
    """

    port: Literal["open", "closed", "full"] = "open"
    silent: bool = False
    failing: Share = 0.0
    latency_ms: float = Field(default=0.0, ge=0.0)
    jitter_ms: float = Field(default=0.0, ge=0.0)

    @property
    def is_cut_off(self) -> bool:
        """Whether nothing gets out of the Region: then it reports nothing of itself either."""
        return self.silent or self.port == "closed"


class Outage(Value):
    """One place's outage, monotonic. ``steady``: the start of the first second without a failure; None if none came."""

    place: Place
    began: float
    steady: float | None
    failed: int

    @property
    def seconds(self) -> float | None:
        return None if self.steady is None else self.steady - self.began


class TrafficSecond(Value):
    """Who was sent how much of one second's requests. ``second`` counts from the first request of the log."""

    second: int
    requests: int
    failed: int
    shares: dict[Region, float]


class Floor(Value):
    """What no tool could beat: until the answer could change, and until the clients could notice that it had."""

    propagation_s: float
    ttl_left_s: float
    drain_s: float

    @property
    def total_s(self) -> float:
        return self.propagation_s + max(self.ttl_left_s, self.drain_s)
