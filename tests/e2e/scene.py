"""What an end-to-end test has before it: the reference world, ``resil`` as a process, and eyes of its own.

Nothing resil says is believed: records are read with an SDK client, answers with a DNS query, writes in the call log.
"""

import copy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from resilience_cli.sandbox.eyes import Eyes, Place
from resilience_cli.sandbox.orders import World
from resilience_cli.sandbox.orders_resources import ADDRESSES
from resilience_cli.sandbox.service import AwsError, Call
from resilience_cli.wiring import shipped_runbooks

WEST, EAST, OBSERVER = "us-west-2", "us-east-1", "us-east-2"
WEIGHTED, LATENCY = "resil.yaml", "orders-latency.yaml"
API, ORDERS = "api.example.com.", "orders.example.com."
NAMES = {WEIGHTED: API, LATENCY: ORDERS}
PLACES = (Place(WEST, "198.51.100.0/24"), Place(EAST, "203.0.113.0/24"))
ALL_WEST, ALL_EAST = {WEST: WEST, EAST: WEST}, {WEST: EAST, EAST: EAST}
LOCAL = {WEST: WEST, EAST: EAST}
ENOUGH_S = 60

Settings = dict[str, Any]
Edit = Callable[[Settings], None]


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything on the screen on one line, so that words can be looked for whatever the width."""
        return " ".join((self.err + "\n" + self.out).split())

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Scene:
    """One test's place in the world: a folder with its own configs, runbooks and state."""

    world: World
    folder: Path
    clients: dict[str, Any]
    config: str = WEIGHTED
    env: dict[str, str] = field(default_factory=dict)
    begun: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def uses(self, config: str = WEIGHTED, edit: Edit | None = None, *, timeout: str | None = None) -> None:
        """From here on resil reads this config: the world's own with short runbooks, changed by ``edit``.

        ``timeout``: that of the steps that shift and verify.
        """
        settings = yaml.safe_load((self.world.directory / config).read_text())
        settings["runbooks"] = {book: f"{book}.yaml" for book in ("failover", "failback")}
        settings["state"] = {"path": f"state-{Path(config).stem}"}
        if edit is not None:
            edit(settings)
        for book in ("failover", "failback"):
            (self.folder / f"{book}.yaml").write_text(yaml.safe_dump(_hurried(book, timeout), sort_keys=False))
        (self.folder / config).write_text(yaml.safe_dump(settings, sort_keys=False))
        self.config = config

    def beside(self, name: str) -> "Scene":
        """A scene in the same world with a folder, config and state of its own."""
        folder = self.folder / name
        folder.mkdir()
        return Scene(self.world, folder, self.clients, begun=self.begun)

    def environment(self) -> dict[str, str]:
        """Nothing of the machine's own AWS or resil settings; the sandbox in their place."""
        own = {"RESIL_CONFIG": str(self.folder / self.config), "RESIL_POLL_S": "0.1", "COLUMNS": "80"}
        return {**bare_environment(self.folder), **self.world.exports(), **own, **self.env}

    def resil(self, *argv: str, env: dict[str, str] | None = None) -> Ended:
        process = self.begins(*argv, env=env)
        return ended(process)

    def begins(self, *argv: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start resil and do not wait for it."""
        process = subprocess.Popen(
            (sys.executable, "-m", "resilience_cli", *argv),
            env=self.environment() if env is None else env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hears_interrupts,
        )
        self.begun.append(process)
        return process

    def end_all(self) -> None:
        """No process outlives its test, whatever became of the test."""
        for process in self.begun:
            with process:
                process.kill()

    def at_once(self, *commands: Sequence[str]) -> list[Ended]:
        """Several commands side by side, for they spend their time on starting up."""
        return [ended(process) for process in [self.begins(*argv) for argv in commands]]

    def answers(self) -> dict[str, str]:
        """The Region that clients near each Region are sent to, by the world's name server."""
        return Eyes(self.world.dns, NAMES[self.config], PLACES, ADDRESSES).ask()

    def writes(self) -> list[str]:
        return [entry.operation for entry in self.world.sandbox.calls.entries(writes_only=True)]

    def records(self, name: str = API, rtype: str = "A") -> list[dict[str, Any]]:
        """The record sets of one name as an ordinary SDK client lists them."""
        zone = self.world.routing.zone_id
        listed = self.clients["route53"].list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [record for record in listed if (record["Name"], record["Type"]) == (name, rtype)]

    def weights(self) -> dict[str, int]:
        return {record["SetIdentifier"].removeprefix("orders-"): record["Weight"] for record in self.records()}

    def change(self, *changes: tuple[str, dict[str, Any]], zone: str | None = None) -> None:
        """Change records as somebody else would, not waiting for it."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        zone = zone or self.world.routing.zone_id
        self.clients["route53"].change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def foreign_edit(self) -> list[dict[str, Any]]:
        """Somebody else lowers the records' TTL; the records as they are then."""
        self.change(*[("UPSERT", each | {"TTL": 30}) for each in self.records()])
        return self.records()

    def check(self, check_id: str) -> dict[str, Any]:
        answer = self.clients["route53"].get_health_check(HealthCheckId=check_id)
        found: dict[str, Any] = answer["HealthCheck"]
        return found

    def controls(self) -> dict[str, str]:
        """The routing controls' states, from the store itself."""
        return {region: self.world.arc.state(arn) for region, arn in self.world.routing.controls.items()}

    def journal(self) -> list[dict[str, Any]]:
        """The entries of the newest run that are whole on the disk now."""
        files = sorted(self.journals())
        lines = files[-1].read_bytes().split(b"\n")[:-1] if files else []
        return [json.loads(line) for line in lines]

    def journals(self) -> list[Path]:
        return list(self.folder.glob("state*/**/runs/*.jsonl"))

    def journal_tells(self, kind: str) -> bool:
        return any(entry["kind"] == kind for entry in self.journal())


def _hears_interrupts() -> None:
    """As at a terminal, also where the tests were started in the background: a shell makes those deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a process to end by itself; one that does not is ended, and the test fails."""
    with process:
        try:
            out, err = process.communicate(timeout=ENOUGH_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Ended(process.returncode, out, err)


def bare_environment(home: Path) -> dict[str, str]:
    """What a process needs to run at all, its home among it: nothing of AWS's or resil's comes along."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true"}


def soon(holds: Callable[[], bool], within: float = ENOUGH_S) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


class Held:
    """Calls of some operations that wait until they are let go; ``reached`` is set when the first one waits."""

    def __init__(self, holds: Callable[[Call], bool]) -> None:
        self._holds = holds
        self.reached, self._free = threading.Event(), threading.Event()

    def __call__(self, call: Call) -> AwsError | None:
        if self._holds(call) and not self._free.is_set():
            self.reached.set()
            self._free.wait(ENOUGH_S)
        return None

    def let_go(self) -> None:
        self._free.set()


@contextmanager
def held(world: World, holds: Callable[[Call], bool] | str, *, after: bool = False) -> Iterator[Held]:
    """While inside, calls of an operation, or those that are meant, hang: before they take effect, or after."""
    hold = Held((lambda call: call.operation == holds) if isinstance(holds, str) else holds)
    hooks = world.sandbox.after if after else world.sandbox.intercept
    hooks.append(hold)
    try:
        yield hold
    finally:
        hold.let_go()
        hooks.remove(hold)


@contextmanager
def refused(world: World, operation: str, error: AwsError, times: int | None = None) -> Iterator[list[Call]]:
    """While inside, calls of an operation are refused, all or the first ``times``; the calls that were."""
    met: list[Call] = []

    def refuse(call: Call) -> AwsError | None:
        if call.operation != operation or (times is not None and len(met) >= times):
            return None
        met.append(call)
        return error

    world.sandbox.intercept.append(refuse)
    try:
        yield met
    finally:
        world.sandbox.intercept.remove(refuse)


@contextmanager
def meanwhile(world: World, operation: str, do: Callable[[], object], number: int = 1) -> Iterator[None]:
    """While inside, the n-th call of an operation is preceded by something that somebody else does."""
    seen: list[Call] = []

    def act(call: Call) -> AwsError | None:
        if call.operation == operation and call.caller != SOMEBODY_ELSE:
            seen.append(call)
            if len(seen) == number:
                do()
        return None

    world.sandbox.intercept.append(act)
    try:
        yield
    finally:
        world.sandbox.intercept.remove(act)


SOMEBODY_ELSE = "AKIASOMEBODYELSE"


def make_clients(world: World) -> dict[str, Any]:
    """SDK clients of somebody else than resil."""
    session = boto3.Session(aws_access_key_id=SOMEBODY_ELSE, aws_secret_access_key="secret", region_name=EAST)
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
    make: Any = session.client
    return {"route53": make("route53", endpoint_url=world.sandbox.url, config=once)}


def photograph(world: World) -> Callable[[], None]:
    """What puts the world back to how it is now, whatever a test does to it."""
    route53, arc = world.route53, world.arc
    zones = {zone_id: copy.copy(zone) for zone_id, zone in route53._zones.items()}
    checks, rules, propagation = dict(route53.checks._checks), dict(arc.rules), route53.propagation
    states = {arn: control.state for arn, control in arc.controls.items()}

    def put_back() -> None:
        with world.sandbox.lock:
            world.sandbox.intercept.clear()
            world.sandbox.after.clear()
            _replace(route53._zones, {zone_id: copy.copy(zone) for zone_id, zone in zones.items()})
            _replace(route53.checks._checks, checks)
            _replace(arc.rules, rules)
            for arn, state in states.items():
                arc.controls[arn].state = state
            arc._changed.clear()
            route53.propagation = propagation
            world.arc_cluster.down = set()
            world.control({"health_plan": True, "lag_ms": [600, 1200]})
            if world.signals.canaries != "start":
                world.control({"canaries": "start"})
            for region, share in world.signals.failing.items():
                if share:
                    world.recover(region)
        soon(lambda: all(world.checks.healthy(check) for check in checks))
        world.sandbox.calls.clear()

    return put_back


def _replace(store: dict[Any, Any], content: dict[Any, Any]) -> None:
    store.clear()
    store.update(content)


def _hurried(book: str, timeout: str | None) -> Settings:
    """A live runbook with its watching times cut short."""
    settings: Settings = yaml.safe_load((shipped_runbooks() / f"{book}.yaml").read_text())
    for step in settings["steps"]:
        if step["step"] == "bake":
            step |= {"for": 0.2, "every": 0.1}
        if "ramp" in step:
            step["ramp"]["bake"] = 0.1
        if timeout is not None and step["step"] in ("shift-traffic", "verify"):
            step["timeout"] = timeout
    return settings
