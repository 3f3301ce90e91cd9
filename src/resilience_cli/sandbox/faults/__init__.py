"""Faults between callers and the sandbox's AWS: scheduled by a monotonic clock, striking the calls they match.

``Faults.around`` is asked for every call; the ports of ARC's cluster endpoints are closed and filled by a thread
that wakes when a fault begins or ends. What a kind does is in ``strike``, what a service would say in ``words``.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any, Protocol

from ...model.fault import ArcEndpointsDown, ClockSkew, Fault, StaleRead, fault_of, fits
from ..arc import ENDPOINT_REGIONS
from ..listener import State
from .asked import Ask, Asked, Told
from .live import Live, concerns
from .names import check
from .queries import around_query
from .recall import Recall
from .strike import recorded, suffer


class Port(Protocol):
    """An ARC endpoint's listener."""

    def become(self, state: State) -> None: ...


class Faults:
    """The faults of one sandbox. Equal seeds and equal calls are struck equally."""

    def __init__(
        self,
        *,
        seed: int = 0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seed = seed
        self._now = now
        self._ports: Callable[[], Mapping[str, Port]] = dict
        self._lives: tuple[Live, ...] = ()
        self._count = 0
        self._guard, self._settling = threading.RLock(), threading.Lock()
        self._news, self._stopped = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def attach(self, ports: Callable[[], Mapping[str, Port]]) -> None:
        """The ARC endpoints' ports by Region, asked for anew each time."""
        self._ports = ports

    def start(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="faults", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends every wait, and the thread. A second call does nothing."""
        self._stopped.set()
        self._news.set()
        for live in self._lives:
            live.gone.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def add(self, fault: Fault) -> str:
        """Schedules it, its ``at`` counted from now. Its id. Raises UnknownName for what there is not."""
        return self.timeline([fault])[0]

    def timeline(self, faults: Sequence[Fault], zero: float | None = None) -> tuple[str, ...]:
        """Schedules them all, or none if one is refused. ``zero``: a moment of the monotonic clock, else now."""
        for fault in faults:
            check(fault)
        with self._guard:
            start = self._now() if zero is None else zero
            added = tuple(self._live(fault, start) for fault in faults)
            if double := _first_double([live.id for live in (*self._lives, *added)]):
                raise ValueError(f"there is a fault {double!r} already")
            self._lives += added
        self._turned()
        return tuple(live.id for live in added)

    def _live(self, fault: Fault, zero: float) -> Live:
        self._count += 1
        id_ = fault.id or f"f{self._count}"
        starts = zero + fault.at
        ends = inf if fault.lasts is None else starts + fault.lasts
        live = Live(id_, fault, starts, ends, self._now, random.Random(f"{self.seed}/{fault.seed}/{self._count}"))
        live.recall = Recall(fault.age) if isinstance(fault, StaleRead) else None
        return live

    def remove(self, id_: str) -> None:
        """Ends it now; what it holds is let go. Raises KeyError for an id there is not."""
        with self._guard:
            found = [live for live in self._lives if live.id == id_]
            if not found:
                raise KeyError(f"there is no fault {id_!r}")
            self._drop(found)

    def clear(self) -> None:
        with self._guard:
            self._drop(self._lives)

    def _drop(self, lives: Sequence[Live]) -> None:
        self._lives = tuple(live for live in self._lives if live not in lives)
        for live in lives:
            live.gone.set()
        self._turned()

    def around(self, asked: Asked, ask: Ask) -> Told:
        """The call under all the faults that strike it, the first scheduled outermost."""
        for live in reversed(self._lives):
            if not self._concerns(live, asked):
                continue
            if live.strikes():
                ask = partial(suffer, live, asked, ask)
            elif live.recall is not None:
                ask = partial(recorded, live, asked, ask)
        return ask()

    def _concerns(self, live: Live, asked: Asked) -> bool:
        down = live.fault.chosen(ENDPOINT_REGIONS) if isinstance(live.fault, ArcEndpointsDown) else ()
        return concerns(live.fault, asked.call, down)

    def around_query(self, packet: bytes, ask: Callable[[], bytes | None]) -> bytes | None:
        """The name server's reply to a query under the faults about it."""
        return around_query(self._lives, packet, ask)

    def clock(self, base: Callable[[], float], service: str) -> Callable[[], float]:
        """The clock a service's store goes by: ``base``, and the skew of the faults about that service."""

        def now() -> float:
            return base() + sum(
                live.fault.by
                for live in self._lives
                if isinstance(live.fault, ClockSkew) and live.is_on() and fits(live.fault.service, service)
            )

        return now

    def as_json(self) -> list[dict[str, Any]]:
        """Each fault scheduled: its id, kind, whether it is on, and the calls it has struck."""
        return [
            {"id": live.id, "kind": live.fault.kind, "on": live.is_on(), "struck": live.struck} for live in self._lives
        ]

    def _turned(self) -> None:
        """Ports follow at once, so that a caller who has added a fault can rely on it."""
        self._settle()
        self._news.set()

    def _settle(self) -> None:
        with self._settling:
            if self._stopped.is_set():
                return
            wanted = _wanted(self._lives)
            for region, port in self._ports().items():
                port.become(wanted.get(region, "open"))

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._news.wait(_until_next(self._lives, self._now()))
            self._news.clear()
            self._settle()


def _wanted(lives: Sequence[Live]) -> dict[str, State]:
    """The ARC endpoints' ports that are not open now; of two faults about one, the closed port wins."""
    wanted: dict[str, State] = {}
    for live in lives:
        fault = live.fault
        if isinstance(fault, ArcEndpointsDown) and live.is_on() and fault.how != "unavailable":
            state: State = "closed" if fault.how == "closed" else "full"
            for region in fault.chosen(ENDPOINT_REGIONS):
                wanted[region] = "closed" if wanted.get(region) == "closed" else state
    return wanted


def _until_next(lives: Sequence[Live], now: float) -> float | None:
    """Seconds until a port has to change; None where none will."""
    edges = [edge for live in lives if isinstance(live.fault, ArcEndpointsDown) for edge in (live.starts, live.ends)]
    ahead = [edge - now for edge in edges if now < edge < inf]
    return min(ahead, default=None)


def _first_double(ids: Sequence[str]) -> str | None:
    return next((id_ for number, id_ in enumerate(ids) if id_ in ids[:number]), None)


__all__ = ["Ask", "Asked", "Faults", "Told", "fault_of"]
