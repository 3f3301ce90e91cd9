"""One sandbox for the tests of its frame: real HTTP over loopback, real boto3 clients, made once (they are slow)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config

from resilience_cli.sandbox.route53 import Route53
from resilience_cli.sandbox.server import Sandbox
from resilience_cli.sandbox.service import AwsError, Call

KEY = "AKIDTESTS"


class SettableClock:
    """Epoch seconds that stand still until moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Recorder:
    """A service that remembers the calls it got and answers what the test set."""

    name: str
    seen: list[Call] = field(default_factory=list)
    reply: Callable[[Call], dict[str, Any]] = lambda _: {}

    def handle(self, call: Call) -> dict[str, Any]:
        self.seen.append(call)
        return self.reply(call)


class DescribeOverlay:
    """A service of one operation, on top of what moto answers."""

    name = "dynamodb"
    operations = frozenset({"DescribeTable"})

    def __init__(self, ask: Callable[[Call], dict[str, Any]]) -> None:
        self._ask = ask

    def handle(self, call: Call) -> dict[str, Any]:
        answer = self._ask(call)
        return answer | {"Table": answer["Table"] | {"GlobalTableVersion": "2019.11.21"}}


RECORDED = (
    "cloudwatch",
    "health",
    "synthetics",
    "route53-recovery-cluster",
    "route53-recovery-control-config",
)


@dataclass
class Bench:
    """The sandbox under test with its clock, its stores, and clients by service and Region."""

    sandbox: Sandbox
    clock: SettableClock
    route53: Route53
    recorders: dict[str, Recorder]
    session: boto3.Session
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = "us-west-2", url: str | None = None) -> Any:
        key = (service, region, url or self.sandbox.url)
        if key not in self._clients:
            once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
            make: Any = self.session.client
            self._clients[key] = make(service, region_name=region, endpoint_url=key[2], config=once)
        return self._clients[key]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def steer(wish: dict[str, Any]) -> dict[str, Any]:
    return {"got": wish, "name": wish["name"]}


@pytest.fixture(scope="session")
def _shared_bench() -> Iterator[Bench]:
    clock = SettableClock()
    route53 = Route53(clock, propagation=5.0)
    recorders = {name: Recorder(name) for name in RECORDED}
    session = boto3.Session(aws_access_key_id=KEY, aws_secret_access_key="secret", region_name="us-west-2")
    overlay = DescribeOverlay(lambda call: sandbox.moto.ask(call, "DynamoDB_20120810"))
    with Sandbox([route53, overlay, *recorders.values()], control=steer, clock=clock) as sandbox:
        bench = Bench(sandbox, clock, route53, recorders, session)
        yield bench
        bench.close()


@pytest.fixture
def bench(_shared_bench: Bench) -> Iterator[Bench]:
    """The shared sandbox, its log and hooks as new."""
    _shared_bench.sandbox.calls.clear()
    for recorder in _shared_bench.recorders.values():
        recorder.seen.clear()
        recorder.reply = lambda _: {}
    yield _shared_bench
    _shared_bench.sandbox.intercept.clear()
    _shared_bench.sandbox.after.clear()


def refusing(error: AwsError) -> Callable[[Call], dict[str, Any]]:
    """A reply that raises."""

    def reply(_: Call) -> dict[str, Any]:
        raise error

    return reply
