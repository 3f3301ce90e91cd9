"""The walk every drill of this storey takes: status, failover, status, failback, status, each a process of its own.

Nothing the commands say is believed: the name server is asked from a client subnet near each Region before, during
and after, and the sandbox's call log tells what was written.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..model.base import parse_duration
from ..model.drill import Asked, CommandRun, DrillEvent, DrillResult, Moved, Note
from .eyes import Eyes, Place
from .orders import World, build
from .orders_resources import ADDRESSES, PRIMARY, STANDBY

COMMAND_TIMEOUT_S = 600
TARGET, HOME = STANDBY, PRIMARY


class Shape(NamedTuple):
    """One of the reference application's two shapes. ``home``: the Region each place is answered with at home."""

    scenario: str
    config: str
    name: str
    home: Mapping[str, str]
    words: str


SHAPES = {
    "weighted": Shape(
        "weighted",
        "resil.yaml",
        "api.example.com.",
        {HOME: HOME, TARGET: HOME},
        "weighted records with endpoint health checks",
    ),
    "latency": Shape(
        "latency",
        "orders-latency.yaml",
        "orders.example.com.",
        {HOME: HOME, TARGET: TARGET},
        "the Guidance's latency records behind ARC routing controls",
    ),
}
PLACES = (Place(HOME, "198.51.100.0/24"), Place(TARGET, "203.0.113.0/24"))


def drill(
    scenario: str, runbooks: Sequence[Path], *, pace: float = 0.1, propagation: float = 1.0
) -> Iterator[DrillEvent | DrillResult]:
    """Events as they happen, the DrillResult last.

    ``runbooks`` are the live ones; ``pace`` is what their watching times are scaled by.
    """
    shape = SHAPES[scenario]
    with tempfile.TemporaryDirectory(prefix="resil-drill-") as folder, _running(Path(folder), propagation) as world:
        point_at_copies(Path(folder) / shape.config, runbooks, pace)
        yield Note(text=f"the live runbooks' watching times run at {pace:g} of their length")
        walk = _Walk(shape, world, Path(folder), propagation)
        yield from walk.events()
        yield walk.result()


@contextmanager
def _running(folder: Path, propagation: float) -> Iterator[World]:
    world = build(folder, propagation=propagation)
    world.start()
    try:
        yield world
    finally:
        world.stop()


class _Walk:
    """One walk through a running sandbox; keeps what it saw and what did not hold."""

    def __init__(self, shape: Shape, world: World, folder: Path, propagation: float) -> None:
        self.shape, self.world, self.propagation = shape, world, propagation
        self.exports = world.exports()
        self.eyes = Eyes(self.exports["RESIL_DNS"], shape.name, PLACES, ADDRESSES)
        self.folder = folder
        self.seen: list[DrillEvent] = []
        self.failures: list[str] = []
        self.shift: Moved | None = None

    def events(self) -> Iterator[DrillEvent]:
        for event in self._story():
            self.seen.append(event)
            yield event

    def _story(self) -> Iterator[DrillEvent]:
        at_target = dict.fromkeys(self.shape.home, TARGET)
        yield Note(text=f"{self.shape.scenario}: {self.shape.words}")
        yield self._asks("before", self.shape.home)
        yield self._runs("status", writes=False)
        yield from self._moves(("failover", "--to", TARGET, "--yes"), at_target)
        yield self._asks("after failover", at_target)
        yield self._runs("status", writes=False)
        yield from self._moves(("failback", "--yes"), self.shape.home)
        yield self._asks("home again", self.shape.home)
        yield self._runs("status", writes=False)

    def _asks(self, when: str, expected: Mapping[str, str]) -> Asked:
        answers = self.eyes.ask()
        if answers != dict(expected):
            self.failures.append(f"{when}: the name server answers {answers}, expected {dict(expected)}")
        return Asked(name=self.shape.name, when=when, answers=answers)

    def _moves(self, argv: Sequence[str], goal: Mapping[str, str]) -> Iterator[DrillEvent]:
        """A command that moves traffic, watched by the name server's answers while it runs."""
        start = time.monotonic()
        with self.eyes.watching(goal) as watched:
            yield self._runs(*argv, writes=True)
        first, every = (None if at is None else round(at - start, 2) for at in (watched.first, watched.every))
        moved = Moved(command=argv[0], first_answer_s=first, every_answer_s=every, floor_s=self.propagation_of(argv[0]))
        if every is None:
            self.failures.append(f"{argv[0]}: the name server's answers never all became {dict(goal)}")
        self.shift = self.shift or moved
        yield moved

    def propagation_of(self, verb: str) -> float:
        return self.propagation if self.shape.scenario == "weighted" else 0.0

    def _runs(self, *argv: str, writes: bool) -> CommandRun:
        before = len(self._writes())
        start = time.monotonic()
        done = subprocess.run(
            (sys.executable, "-m", "resilience_cli", *argv),
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        seconds = round(time.monotonic() - start, 2)
        wrote = tuple(self._writes()[before:])
        if done.returncode != 0:
            self.failures.append(f"resil {' '.join(argv)} exited {done.returncode}: {done.stderr.strip()[-400:]}")
        if bool(wrote) != writes:
            self.failures.append(f"resil {' '.join(argv)} made the writes {list(wrote)}")
        return CommandRun(
            argv=("resil", *argv),
            exit_code=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
            seconds=seconds,
            writes=wrote,
        )

    def _writes(self) -> list[str]:
        return [f"{call.service} {call.operation}" for call in self.world.sandbox.calls.entries(writes_only=True)]

    def _environment(self) -> dict[str, str]:
        """The caller's environment without anything of AWS's or resil's, and the sandbox's in its place."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "RESIL_"))}
        config = {"RESIL_CONFIG": str(self.folder / self.shape.config), "RESIL_POLL_S": "0.2"}
        return {**kept, **self.exports, **config, "AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": "100"}

    def result(self) -> DrillResult:
        rto = self.shift.every_answer_s if self.shift else None
        floor = self.shift.floor_s if self.shift and self.shift.floor_s else None
        return DrillResult(
            scenario=self.shape.scenario,
            passed=not self.failures,
            rto_s=rto,
            floor_s=floor,
            ratio=round(rto / floor, 2) if rto and floor else None,
            failures=tuple(self.failures),
            events=tuple(self.seen),
        )


def point_at_copies(config: Path, runbooks: Sequence[Path], pace: float) -> None:
    """Copies of the runbooks beside the config, their watching times scaled, and the config pointed at them."""
    settings: dict[str, Any] = yaml.safe_load(config.read_text())
    for source in runbooks:
        book = yaml.safe_load(source.read_text())
        book["steps"] = [_scaled(step, pace) for step in book["steps"]]
        (config.parent / source.name).write_text(yaml.safe_dump(book, sort_keys=False))
    settings["runbooks"] = {source.stem: source.name for source in runbooks}
    config.write_text(yaml.safe_dump(settings, sort_keys=False))


def _scaled(step: dict[str, Any], pace: float) -> dict[str, Any]:
    scaled = dict(step)
    for key in ("for", "every", "bake"):
        if key in scaled:
            seconds = parse_duration(scaled[key])
            assert isinstance(seconds, int | float), "the live runbooks' times are durations"
            scaled[key] = seconds * pace
    if isinstance(scaled.get("ramp"), dict):
        scaled["ramp"] = _scaled(scaled["ramp"], pace)
    return scaled
