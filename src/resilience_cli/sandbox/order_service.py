"""A Region's order service, a process of its own: ``python -m resilience_cli.sandbox.order_service``.

    POST /orders          {"id": ..., ...}: 201 when kept, 200 if the very same order is there, 409 if another is
    GET  /orders/ID       200, or 404
    GET  /health          shallow: the process answers
    GET  /canary          a write and a read of a canary's item

Every answer names its Region in ``X-Region``. What the Region's DynamoDB does not do for it is a 503. The process
whose child it is passes it the listening socket, tells it how to behave by lines of ``model.traffic.Serving`` on
stdin, each answered by a line on stdout when it is so, and ends it by closing stdin.
"""

import argparse
import asyncio
import contextlib
import json
import random
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import unquote, urlsplit

from ..model.traffic import Serving
from .aws_async import CLOUDWATCH, Aws, Unanswered
from .child import obey
from .door import Door
from .http_async import Answer, Message, converse
from .order_metrics import CREATE, READ, Served, Tally, reports
from .order_table import Created, Order, OrderTable, TableError

REPORT_S = 1.0
CANARY_ITEMS = 32
_STATUS = {Created.NEW: 201, Created.SAME: 200, Created.TAKEN: 409}


@dataclass
class OrderService:
    """Answers requests by the table, as ``serving`` has it behave."""

    region: str
    table: OrderTable
    serving: Serving = field(default_factory=Serving)
    tally: Tally = field(default_factory=Tally)
    dice: random.Random = field(default_factory=lambda: random.Random(5))
    looks: "count[int]" = field(default_factory=count)

    async def handle(self, message: Message) -> Answer | None:
        """None: never answered, whether it was taken up before the hole opened or not."""
        started = time.monotonic()
        path = urlsplit(message.target).path
        answer, faults = await self._perform(message, path)
        if wait := self._delay():
            await asyncio.sleep(wait)
        if self.serving.silent:
            return None
        if functions := _functions(message.method, path):
            self.tally.add(Served(functions, answer.status, time.monotonic() - started, faults))
        return answer

    async def _perform(self, message: Message, path: str) -> tuple[Answer, int]:
        """The answer, and how many faults of DynamoDB's were met on the way to it."""
        if self.serving.silent or self.dice.random() < self.serving.failing:
            return self._say(503, {"message": "Service Unavailable"}), 0
        try:
            return await self._route(message, path), 0
        except Unanswered as problem:
            return self._say(503, {"message": str(problem)}), 0
        except TableError as problem:
            return self._say(503, {"message": f"DynamoDB: {problem}"}), int(problem.is_fault)

    async def _route(self, message: Message, path: str) -> Answer:
        match message.method, path.strip("/").split("/"):
            case "POST", ["orders"]:
                return await self._create(message.body)
            case "GET", ["orders", order_id]:
                order = await self.table.read(unquote(order_id))
                return self._say(404, {"message": "no such order"}) if order is None else self._say(200, dict(order))
            case "GET", ["health"]:
                return self._say(200, {"region": self.region})
            case "GET", ["canary"]:
                return await self._canary()
            case _:
                return self._say(404, {"message": "Not Found"})

    async def _create(self, body: bytes) -> Answer:
        order = _order_in(body)
        if order is None:
            return self._say(400, {"message": "an order is a JSON object with an id"})
        done = await self.table.create(order)
        return self._say(_STATUS[done], {"id": order["id"], "created": done.value})

    async def _canary(self) -> Answer:
        """What is read must be what was written. Several canaries ask at once: each look has an item of its own."""
        name = f"canary-{self.region}-{next(self.looks) % CANARY_ITEMS}"
        look = {"id": name, "at": time.time_ns()}
        await self.table.put(look)
        sound = await self.table.read(name) == look
        return self._say(200 if sound else 503, {"region": self.region})

    def _delay(self) -> float:
        return (self.serving.latency_ms + self.dice.uniform(0.0, self.serving.jitter_ms)) / 1000.0

    def _say(self, status: int, body: dict[str, Any]) -> Answer:
        headers = {"Content-Type": "application/json", "X-Region": self.region}
        return Answer(status, json.dumps(body).encode(), headers)


def _functions(method: str, path: str) -> tuple[str, ...]:
    """The Guidance's functions that a request runs; none for a request that is not the API's."""
    match method, path.strip("/").partition("/")[0]:
        case "POST", "orders":
            return (CREATE,)
        case "GET", "orders":
            return (READ,)
        case "GET", "canary":
            return (CREATE, READ)
        case _:
            return ()


def _order_in(body: bytes) -> Order | None:
    try:
        order = json.loads(body)
    except ValueError:
        return None
    fit = isinstance(order, dict) and isinstance(order.get("id"), str) and order["id"]
    return order if fit else None


async def report(service: OrderService, aws: Aws) -> None:
    """Every second what was served in it. A Region that is cut off says nothing; what CloudWatch refuses is lost."""
    while True:
        await asyncio.sleep(REPORT_S)
        served = service.tally.take()
        if service.serving.is_cut_off:
            continue
        for namespace, data in reports(served, time.time()):
            with contextlib.suppress(Unanswered):
                await aws.ask(CLOUDWATCH, "PutMetricData", {"Namespace": namespace, "MetricData": data})


def steering(service: OrderService, door: Door) -> Callable[[str], Awaitable[str]]:
    """What a line on stdin does: from its answer on the service behaves so. What a hole swallowed stays swallowed."""

    async def steer(line: str) -> str:
        wanted, before = Serving.model_validate_json(line), service.serving
        service.serving = wanted
        if before.silent and not wanted.silent:
            await door.cut()  # those that are there now, from before the switch: none that comes after it
        await door.turn(wanted.port)
        return wanted.model_dump_json()

    return steer


async def run(region: str, listening: socket.socket, aws: tuple[str, int]) -> None:
    caller = f"order-service-{region}"
    table_aws, metrics_aws = Aws(*aws, caller, region), Aws(*aws, caller, region, timeout=1.0)
    service = OrderService(region, OrderTable(table_aws))
    door = Door(listening, lambda reader, writer: converse(reader, writer, service.handle))
    await door.turn("open")
    reporting = asyncio.create_task(report(service, metrics_aws))
    try:
        await obey(steering(service, door))
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await door.turn("closed")
        table_aws.close()
        metrics_aws.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="resilience_cli.sandbox.order_service")
    parser.add_argument("--region", required=True)
    parser.add_argument("--socket", type=int, required=True, help="the descriptor of a bound, listening socket")
    parser.add_argument("--aws", required=True, help="the sandbox's URL")
    options = parser.parse_args()
    place = urlsplit(options.aws)
    with contextlib.suppress(KeyboardInterrupt):
        listening = socket.socket(fileno=options.socket)
        asyncio.run(run(options.region, listening, (str(place.hostname), int(place.port or 80))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
