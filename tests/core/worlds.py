"""Worlds with something wrong, around a MemoryWorld; and a run in one of them, from plan to the last entry."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

from resilience_cli import execute, journal
from resilience_cli.adapters.memory import Agrees, MemoryJournal, MemoryWorld, RehearsalClock
from resilience_cli.errors import AwsTrouble, Throttled, Uncertain
from resilience_cli.execute import Author, Pace, Stage
from resilience_cli.model.app import App
from resilience_cli.model.effects import Effect, Receipt
from resilience_cli.model.facts import EndpointOverride, Facts, Knowledge, Seen, Topic
from resilience_cli.model.plan import Intent, Plan
from resilience_cli.model.run import Entry, Run
from resilience_cli.model.runbook import Runbook
from resilience_cli.planner import plan as planned
from resilience_cli.ports import JournalStore, Operator, Read, World

from . import builders as b

Act = Callable[[MemoryWorld, Effect], Receipt]
AUTHOR = Author("oncall", "laptop", "yes", b.NOON)


class Wrapped:
    """A World that passes everything on, and remembers which effects took place."""

    def __init__(self, inner: MemoryWorld) -> None:
        self.inner = inner
        self.done: list[Effect] = []

    def reads(self, app: App, topics: frozenset[Topic]) -> Sequence[Read]:
        return self.inner.reads(app, topics)

    def reads_for(self, app: App, effect: Effect) -> Sequence[Read]:
        return self.inner.reads_for(app, effect)

    def perform(self, effect: Effect) -> Receipt:
        receipt = self.inner.perform(effect)
        self.done.append(effect)
        return receipt

    def in_sync(self, receipt: Receipt) -> Knowledge:
        return self.inner.in_sync(receipt)

    def overrides(self) -> Sequence[EndpointOverride]:
        return self.inner.overrides()


class Scripted(Wrapped):
    """Answers the first writes as the script says, then as memory does. ``change`` comes with every receipt."""

    def __init__(self, facts: Facts, *acts: Act, always: Act | None = None) -> None:
        super().__init__(MemoryWorld(facts))
        self._acts, self._always = list(acts), always
        self.asked = 0

    def perform(self, effect: Effect) -> Receipt:
        self.asked += 1
        act = self._acts.pop(0) if self._acts else self._always
        if act is None:
            return super().perform(effect)
        before = self.inner.facts
        try:
            return act(self.inner, effect)
        finally:
            if self.inner.facts is not before:
                self.done.append(effect)


def refuses(trouble: AwsTrouble) -> Act:
    def act(world: MemoryWorld, effect: Effect) -> Receipt:
        raise trouble

    return act


def succeeds(world: MemoryWorld, effect: Effect) -> Receipt:
    return world.perform(effect)


def loses_the_answer(world: MemoryWorld, effect: Effect) -> Receipt:
    """The write takes place, and nobody hears of it."""
    world.perform(effect)
    raise Uncertain("read timeout")


class Unreadable(Scripted):
    """Nothing about effects can be read for the first ``looks`` looks (by default ever)."""

    def __init__(self, facts: Facts, *acts: Act, looks: int | None = None, always: Act | None = None) -> None:
        super().__init__(facts, *acts, always=always)
        self._blind = looks

    def reads_for(self, app: App, effect: Effect) -> Sequence[Read]:
        if self._blind is not None and self._blind <= 0:
            return super().reads_for(app, effect)
        self._blind = None if self._blind is None else self._blind - 1

        def ask() -> Seen:
            raise Throttled("rate exceeded")

        return [Read(topic, f"{topic}", "us-east-1", ask) for topic in (Topic.RECORDS, Topic.CHECKS, Topic.CONTROLS)]


class Told(Scripted):
    """Signals as they come to be: ``later`` takes the place of the facts' readings after the first write."""

    def __init__(self, facts: Facts, later: Facts) -> None:
        super().__init__(facts)
        self._later = later

    def perform(self, effect: Effect) -> Receipt:
        receipt = super().perform(effect)
        self.inner.facts = self.inner.facts.model_copy(update={"readings": self._later.readings})
        return receipt


class Declines:
    """An operator who says no."""

    how: Literal["typed", "yes", "digest"] = "typed"

    def approves(self, plan: Plan, question: str) -> bool:
        return False


class Crash(BaseException):
    """The process is gone: nobody catches this."""


@dataclass
class Fuse:
    """Blows at the n-th point it is asked about; None never."""

    at: int | None
    points: int = 0

    def burn(self) -> None:
        self.points += 1
        if self.points == self.at:
            raise Crash


@dataclass
class FusedJournal:
    """A journal with a point of possible death before and after every entry."""

    inner: JournalStore
    fuse: Fuse

    def append(self, run: str, entry: Entry) -> None:
        self.fuse.burn()
        self.inner.append(run, entry)
        self.fuse.burn()

    def entries(self, run: str) -> Sequence[Entry]:
        return self.inner.entries(run)

    def runs(self) -> Sequence[str]:
        return self.inner.runs()

    def hold(self, run: str) -> AbstractContextManager[None]:
        return self.inner.hold(run)


class FusedWorld(Wrapped):
    """A world with a point of possible death before and after every effect. Shares what was done with ``world``."""

    def __init__(self, world: Wrapped, fuse: Fuse) -> None:
        super().__init__(world.inner)
        self._world, self._fuse = world, fuse

    def perform(self, effect: Effect) -> Receipt:
        self._fuse.burn()
        receipt = self._world.perform(effect)
        self._fuse.burn()
        return receipt


@dataclass
class Scene:
    """One app, the facts it starts from, and a plan for it."""

    app: App
    facts: Facts
    plan: Plan
    store: MemoryJournal = field(default_factory=MemoryJournal)
    clock: RehearsalClock = field(default_factory=lambda: RehearsalClock(b.NOON))

    def stage(self, world: World, operator: Operator | None = None) -> Stage:
        return Stage(self.app, self.plan, world, self.clock, operator or Agrees(), Pace(look_s=5.0))

    def start(self, world: World, operator: Operator | None = None) -> Iterator[Entry]:
        return execute.start(self.stage(world, operator), self.store, "run", AUTHOR, self.facts)

    def resume(self, world: World, operator: Operator | None = None) -> Iterator[Entry]:
        return execute.resume(self.stage(world, operator), self.store, "run", AUTHOR)

    def run(self, world: World, operator: Operator | None = None) -> Run:
        list(self.start(world, operator))
        return self.told

    def resumed(self, world: World, operator: Operator | None = None) -> Run:
        list(self.resume(world, operator))
        return self.told

    @property
    def told(self) -> Run:
        return journal.fold(self.store.entries("run"))

    @property
    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.store.entries("run")]


def scene(app: App, facts: Facts, intent: Intent, book: Runbook | None = None) -> Scene:
    decision = planned(app, book or b.runbook(), intent, facts)
    assert isinstance(decision, Plan), b.told(decision)
    return Scene(app, facts, decision)


def weights_scene() -> Scene:
    app = b.weighted_app()
    return scene(app, b.facts(app), b.failover())


def checks_scene() -> Scene:
    """Two effects one after another: the target's switches back, then the source forced."""
    app = b.app("latency", levers=["health-check"])
    return scene(
        app, b.facts(app, checks={b.WEST: "forced", b.EAST: "healthy"}, prior={b.WEST: "on"}), b.failover(b.WEST)
    )


def controls_scene(override: Sequence[str] = ()) -> Scene:
    app = b.arc_app()
    return scene(app, b.facts(app), b.failover(override=override))


def ramp_scene() -> Scene:
    """Every lever away from home: a check, then weights in two stages."""
    app = b.weighted_app(levers=["weights", "health-check"])
    checks = {b.WEST: "forced", b.EAST: "healthy"}
    facts = b.facts(app, weights={b.EAST: 100}, checks=checks, prior={b.WEST: "on"})
    return scene(app, facts, b.failback(), b.runbook(ramp=[50, 100]))
