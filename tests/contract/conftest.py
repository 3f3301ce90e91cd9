"""The worlds one contract is held against: memory, and the AWS adapters on the sandbox, over real HTTP and DNS."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.world import AwsWorld
from resilience_cli.adapters.memory import MemoryWorld
from resilience_cli.adapters.terminal import SystemClock
from resilience_cli.adapters.yaml_files import load_app
from resilience_cli.model.app import App
from resilience_cli.model.effects import Effect, Receipt
from resilience_cli.model.facts import Facts, Topic
from resilience_cli.observe import gather, look_at
from resilience_cli.ports import World
from resilience_cli.sandbox.faults import Faults
from resilience_cli.sandbox.orders import build

CLOCK = SystemClock()
PROPAGATION_S = 0.3


@dataclass(frozen=True)
class Stage:
    """One app in one world."""

    app: App
    world: World

    def facts(self, *topics: Topic) -> Facts:
        return gather(self.world, self.app, CLOCK, topics=frozenset(topics or Topic))

    def seen_by(self, effect: Effect) -> Facts:
        return look_at(self.world, self.app, effect, CLOCK, deadline_s=10)

    def settle(self, receipt: Receipt, within_s: float = 5.0) -> None:
        """Until the change is in sync; fails where it does not become so."""
        end = CLOCK.monotonic() + within_s
        while self.world.in_sync(receipt) != "yes":
            assert CLOCK.monotonic() < end, "not in sync in time"
            CLOCK.sleep(0.05)


@dataclass(frozen=True)
class Sandboxed:
    """The running sandbox's two apps: weighted records, and latency records behind ARC."""

    weighted: Stage
    latency: Stage
    faults: Faults


@pytest.fixture(scope="package")
def sandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    directory: Path = tmp_path_factory.mktemp("orders")
    world = build(directory, propagation=PROPAGATION_S, wait_period_ms=0)
    world.start()
    try:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in world.exports().items():
                environment.setenv(name, value)
            sessions = Sessions()
            weighted, latency = (load_app(directory / name) for name in ("resil.yaml", "orders-latency.yaml"))
            yield Sandboxed(
                Stage(weighted, AwsWorld(sessions, weighted, now=CLOCK.now)),
                Stage(latency, AwsWorld(sessions, latency, now=CLOCK.now)),
                world.sandbox.faults,
            )
    finally:
        world.stop()


def _in(kind: str, stage: Stage) -> Stage:
    """The stage itself, or one in memory that starts from what is seen on it."""
    return stage if kind == "sandbox" else Stage(stage.app, MemoryWorld(stage.facts()))


@pytest.fixture(params=["memory", "sandbox"])
def weighted(request: pytest.FixtureRequest, sandboxed: Sandboxed) -> Stage:
    return _in(request.param, sandboxed.weighted)


@pytest.fixture(params=["memory", "sandbox"])
def latency(request: pytest.FixtureRequest, sandboxed: Sandboxed) -> Stage:
    return _in(request.param, sandboxed.latency)
