"""The application's clients, one process for all places: ``python -m resilience_cli.sandbox.clients``.

Each place has a resolver's cache and its connections. Orders are placed at a constant rate whatever the answers do
(an open loop: a slow answer must not slow the asking down, or an outage would look shorter than it was), each is tried
once, and everything is written to a log. It ends by itself, and when the process that started it does.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ..model.traffic import (
    Began,
    ClientPlace,
    ClientPlan,
    Closed,
    Connected,
    Ended,
    Requested,
    Resolved,
    Unresolved,
)
from .child import obey
from .client_log import LogWriter
from .dns_cache import DnsCache, Entry, NoAddress
from .http_async import Answer, Connection, Gone

_REAP_S = 0.25


@dataclass
class _Kept:
    """A connection and since when (monotonic) there is one."""

    connection: Connection
    address: str
    number: int
    since: float


@dataclass
class _Asking:
    """One request under way: as much as is known of it when it ends, however it does."""

    order: str
    started: float
    kept: _Kept | None = None
    address: str = ""


@dataclass
class _Place:
    """The clients of one place. ``numbers`` counts the connections of all places."""

    place: ClientPlace
    plan: ClientPlan
    log: LogWriter
    numbers: "count[int]"
    dice: random.Random
    idle: list[_Kept] = field(default_factory=list)

    def __post_init__(self) -> None:
        where = urlsplit(self.plan.url)
        self._host, self._port = str(where.hostname), int(where.port or 80)
        self.cache = DnsCache(self.plan.resolver, self._host, self.place.subnet, self._learnt, self._not_learnt)

    async def send(self, number: int) -> None:
        """One order, tried once, bounded by the timeout, and noted however it ends."""
        order = self._order(number)
        asking = _Asking(str(order["id"]), time.monotonic())
        try:
            async with asyncio.timeout(self.plan.timeout):
                answer = await self._exchange(asking, json.dumps(order).encode())
        except (TimeoutError, OSError, Gone, NoAddress) as problem:
            self._note(asking, None, _words(problem))
        else:
            self._note(asking, answer, "" if answer.status < 400 else f"HTTP {answer.status}")

    async def _exchange(self, asking: _Asking, body: bytes) -> Answer:
        """Keeps the connection if it was good for the whole exchange, and gives it up otherwise."""
        answered = False
        try:
            asking.kept = kept = self._take_kept() or await self._connect(asking)
            asking.address = kept.address
            headers = {"Content-Type": "application/json"}
            answer = await kept.connection.ask("POST", "/orders", body, headers)
            answered = kept.connection.is_reusable
            return answer
        finally:
            if asking.kept is not None:
                self._put_back(asking.kept, answered)

    def _take_kept(self) -> _Kept | None:
        """The connection used last, if it is young enough and still there."""
        while self.idle:
            kept = self.idle.pop()
            if self._is_old(kept):
                self._give_up(kept, "age")
            elif not kept.connection.is_reusable:
                self._give_up(kept, "failed")
            else:
                return kept
        return None

    async def _connect(self, asking: _Asking) -> _Kept:
        asking.address = address = await self.cache.address()
        connection = await Connection.open(address, self._port, self._host)
        kept = _Kept(connection, address, next(self.numbers), time.monotonic())
        now = kept.since
        self.log.add(
            Connected(at=self.log.wall(now), mono=now, place=self.place.name, address=address, connection=kept.number)
        )
        return kept

    def _put_back(self, kept: _Kept, answered: bool) -> None:
        if not answered:
            self._give_up(kept, "failed")
        elif self._is_old(kept):
            self._give_up(kept, "age")
        else:
            self.idle.append(kept)

    def _is_old(self, kept: _Kept) -> bool:
        return time.monotonic() - kept.since >= self.plan.keep_alive

    def reap(self) -> None:
        """Gives up the connections whose time is up: one that nobody uses would otherwise stay."""
        old = [kept for kept in self.idle if self._is_old(kept)]
        self.idle = [kept for kept in self.idle if kept not in old]
        for kept in old:
            self._give_up(kept, "age")

    def _give_up(self, kept: _Kept, why: Literal["age", "failed", "end"]) -> None:
        kept.connection.close()
        now = time.monotonic()
        self.log.add(
            Closed(
                at=self.log.wall(now),
                mono=now,
                place=self.place.name,
                address=kept.address,
                connection=kept.number,
                why=why,
            )
        )

    async def close(self) -> None:
        await self.cache.close()
        for kept in self.idle:
            self._give_up(kept, "end")
        self.idle.clear()

    def _order(self, number: int) -> dict[str, Any]:
        return {
            "id": f"{self.plan.label}-{self.place.name}-{number:06d}",
            "customer": f"customer-{self.dice.randrange(1000):04d}",
            "product": f"product-{self.dice.randrange(100):03d}",
            "quantity": self.dice.randint(1, 5),
        }

    def _note(self, asking: _Asking, answer: Answer | None, error: str) -> None:
        self.log.add(
            Requested(
                at=self.log.wall(asking.started),
                mono=asking.started,
                place=self.place.name,
                took=time.monotonic() - asking.started,
                address=asking.address,
                region=answer.headers.get("x-region", "") if answer else "",
                op="create",
                order=asking.order,
                status=answer.status if answer else 0,
                error=error,
            )
        )

    def _learnt(self, entry: Entry) -> None:
        self.log.add(
            Resolved(
                at=self.log.wall(entry.asked),
                mono=entry.asked,
                place=self.place.name,
                took=entry.took,
                addresses=entry.addresses,
                ttl=entry.ttl,
                expires=entry.expires,
            )
        )

    def _not_learnt(self, asked: float, took: float, why: str) -> None:
        self.log.add(Unresolved(at=self.log.wall(asked), mono=asked, place=self.place.name, took=took, why=why))


def _words(problem: Exception) -> str:
    """Why there was no answer, in a word first, so that a log can be grepped."""
    match problem:
        case TimeoutError():
            return "timeout"
        case ConnectionRefusedError():
            return "refused"
        case NoAddress():
            return f"dns: {problem}"
        case Gone():
            return f"cut: {problem}"
        case _:
            return f"{type(problem).__name__}: {problem}"


async def place_orders(place: _Place) -> None:
    """The arrivals of one place, at their times; one that is late is sent at once. Waits for the answers at the end."""
    loop = asyncio.get_running_loop()
    zero, step = loop.time(), 1.0 / place.place.rate
    asking: set[asyncio.Task[None]] = set()
    try:
        for number in range(_arrivals(place.plan, place.place)):
            await asyncio.sleep(max(0.0, zero + number * step - loop.time()))
            task = asyncio.create_task(place.send(number))
            asking.add(task)
            task.add_done_callback(asking.discard)
    finally:
        if asking:
            await asyncio.wait(asking)


def _arrivals(plan: ClientPlan, place: ClientPlace) -> int:
    most = int(plan.seconds * place.rate)
    return most if plan.count is None else min(most, plan.count)


async def _reap(places: Sequence[_Place]) -> None:
    while True:
        await asyncio.sleep(_REAP_S)
        for place in places:
            place.reap()


async def run(plan: ClientPlan, log: LogWriter, until: Callable[[], Awaitable[None]]) -> None:
    """All places until their orders are placed, or ``until`` is over if that is sooner."""
    now = time.monotonic()
    log.add(Began(at=log.wall(now), mono=now, plan=plan))
    numbers = count(1)
    seeds = random.Random(plan.seed)
    places = [_Place(place, plan, log, numbers, random.Random(seeds.random())) for place in plan.places]
    orders = asyncio.gather(*(place_orders(place) for place in places))
    told_to_end, reaping = asyncio.ensure_future(until()), asyncio.create_task(_reap(places))
    try:
        await asyncio.wait((orders, told_to_end), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (orders, told_to_end, reaping):
            task.cancel()
        await asyncio.gather(orders, told_to_end, reaping, return_exceptions=True)
        for place in places:
            await place.close()
    now = time.monotonic()
    log.add(Ended(at=log.wall(now), mono=now))


async def _refuse(line: str) -> str:
    raise ValueError(f"clients do what their plan says, not {line!r}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="resilience_cli.sandbox.clients")
    parser.add_argument("--plan", required=True, help="a model.traffic.ClientPlan as JSON")
    parser.add_argument("--log", required=True, type=Path)
    options = parser.parse_args()
    plan = ClientPlan.model_validate_json(options.plan)
    with options.log.open("w", encoding="utf-8") as file, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(plan, LogWriter(file), lambda: obey(_refuse)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
