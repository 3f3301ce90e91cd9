"""How much the sandbox takes: AWS calls a second through its front door, and orders a second through the whole world.

    python benchmarks/sandbox_calls.py

The callers are processes of their own, as a drill's are; the world is another. Exits 1 where a bound does not hold.
"""

import http.client
import json
import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from resilience_cli import traffic
from resilience_cli.model.traffic import ClientPlace, ClientPlan, TrafficLog
from resilience_cli.sandbox.client_process import Clients
from resilience_cli.sandbox.orders import World, build
from resilience_cli.sandbox.orders_resources import PRIMARY

CALLERS, EACH = 4, 500
ORDERS_A_SECOND, ORDERS_S = 200.0, 10.0
FLOOR_CALLS = 300.0


class Row(NamedTuple):
    what: str
    measured: str
    bound: str
    holds: bool


class Caller:
    """One kept connection that puts items and lists record sets in turn; every answer must be a 200."""

    def __init__(self, place: str, zone: str, name: str) -> None:
        self._zone, self._name = zone, name
        self._connection = http.client.HTTPConnection(place)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def put(self, number: int) -> None:
        item = {"id": {"S": f"{self._name}-{number}"}, "quantity": {"N": "1"}}
        body = {"TableName": "Orders", "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
        headers = {"X-Amz-Target": "DynamoDB_20120810.PutItem", "Content-Type": "application/x-amz-json-1.0"}
        self._call("POST", "/", json.dumps(body).encode(), headers | _signed("dynamodb", PRIMARY))

    def list(self, number: int) -> None:
        del number
        self._call("GET", f"/2013-04-01/hostedzone/{self._zone}/rrset", b"", _signed("route53", "us-east-1"))

    def both(self, number: int) -> None:
        (self.list if number % 2 else self.put)(number)

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self._connection.request(method, path, body, headers)
        with self._connection.getresponse() as response:
            told = response.read()
            if response.status != 200:
                raise SystemExit(f"{method} {path} was answered {response.status}: {told!r}")


def _signed(service: str, region: str) -> dict[str, str]:
    scope = f"benchmark/20260101/{region}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def _call_often(place: str, zone: str, kind: str, name: str) -> None:
    caller = Caller(place, zone, f"{kind}-{name}")
    act: Callable[[int], None] = {"put": caller.put, "list": caller.list, "both": caller.both}[kind]
    for number in range(EACH):
        act(number)


def calls_a_second(world: World, kind: str) -> float:
    place = world.sandbox.url.removeprefix("http://")
    spawn = multiprocessing.get_context("spawn")
    jobs = [(place, world.routing.zone_id, kind, str(number)) for number in range(CALLERS)]
    with spawn.Pool(CALLERS) as pool:
        pool.map(len, ["warm"] * CALLERS)  # the processes are there before the clock starts
        start = time.perf_counter()
        pool.starmap(_call_often, jobs, chunksize=1)
        return CALLERS * EACH / (time.perf_counter() - start)


def calls(world: World) -> list[Row]:
    rates = {kind: calls_a_second(world, kind) for kind in ("both", "put", "list")}
    words = {"both": "PutItem and ListResourceRecordSets mixed", "put": "PutItem", "list": "ListResourceRecordSets"}
    return [
        Row(
            words[kind],
            f"{rate:.0f} calls/s",
            f"at least {FLOOR_CALLS:.0f}" if kind == "both" else "",
            kind != "both" or rate >= FLOOR_CALLS,
        )
        for kind, rate in rates.items()
    ]


def orders(world: World, folder: Path) -> Row:
    """Orders as a drill's clients place them, in two places, with canaries and health checks beside them."""
    near = (("near-west", "198.51.100.0/24"), ("near-east", "203.0.113.0/24"))
    places = tuple(ClientPlace(name=name, subnet=subnet, rate=ORDERS_A_SECOND / 2) for name, subnet in near)
    url = f"http://api.example.com:{world.endpoints[PRIMARY].port}"
    plan = ClientPlan(url=url, resolver=world.dns, places=places, seconds=ORDERS_S)
    clients = Clients(plan, folder)
    clients.start()
    try:
        clients.wait()
        log = clients.read()
    finally:
        clients.stop()
    held = len(traffic.acknowledged(log)) / (log.requests[-1].mono - log.requests[0].mono)
    took = sorted(request.took for request in log.requests)
    measured = (
        f"{held:.0f}/s, {traffic.failures(log)} failed, {_millis(took, 0.5)} median, {_millis(took, 0.99)} at 99 %"
    )
    return Row("orders through clients, DNS, services and tables", measured, "200/s, none failed", _held(held, log))


def _held(held: float, log: TrafficLog) -> bool:
    return held >= ORDERS_A_SECOND * 0.99 and not traffic.failures(log)


def _millis(took: Sequence[float], part: float) -> str:
    return f"{1000 * took[int(part * (len(took) - 1))]:.1f} ms"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="resil-bench-") as name:
        world = build(Path(name), moving=True)
        world.start()
        try:
            rows = [*calls(world), orders(world, Path(name))]
        finally:
            world.stop()
    table = Table("what", "measured", "bound", "holds")
    for row in rows:
        table.add_row(row.what, row.measured, row.bound, ("yes" if row.holds else "NO") if row.bound else "")
    Console(width=140).print(table)
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
