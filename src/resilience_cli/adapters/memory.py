"""A World in memory: facts, changed by ``simulate.apply``. What rehearsals, dry runs and the core's tests run in.

It stands by the contract that the AWS adapter stands by: compare-and-swap, and answers by Route 53's rules.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Literal

from ..errors import Busy, Conflicting, UsageError
from ..model.app import App, Route
from ..model.effects import Effect, Receipt
from ..model.facts import Answer, EndpointOverride, Facts, Knowledge, Seen, Topic
from ..model.plan import Plan
from ..model.run import Entry
from ..planner.found import types_of
from ..ports import Read
from ..simulate import Standing, apply, shares_near, standing


class MemoryWorld:
    """Starts from facts that were observed; every effect is applied to them at once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def reads(self, app: App, topics: frozenset[Topic]) -> Sequence[Read]:
        return [
            Read(topic, f"remembered {topic}", "memory", lambda seen=seen: seen)  # type: ignore[misc]
            for topic in Topic
            if topic in topics
            for seen in self._seen(app, topic)
        ]

    def _seen(self, app: App, topic: Topic) -> Iterator[Seen]:
        facts = self.facts
        match topic:
            case Topic.CALLER:
                yield Seen(caller=facts.caller)
            case Topic.RECORDS:
                yield from (Seen(zone=zone) for zone in facts.zones)
            case Topic.CHECKS:
                yield Seen(checks=facts.checks, checks_whole=facts.checks_whole, check_uses=facts.check_uses)
            case Topic.CONTROLS:
                yield Seen(controls=facts.controls)
            case Topic.SIGNALS:
                kinds = {signal.kind for signal in app.signals}
                yield Seen(readings=tuple(reading for reading in facts.readings if reading.kind in kinds))
            case Topic.ANSWERS:
                yield Seen(answers=tuple(answer for route in app.routing for answer in self._answers(app, route)))

    def _answers(self, app: App, route: Route) -> Iterator[Answer]:
        """For every type that clients follow under the routed name."""
        for place, rtype in product(app.regions.serving, types_of(route, self.facts)):
            shares = shares_near(app, route, self.facts, place, rtype=rtype)
            if shares:
                most = max(sorted(shares), key=lambda region: shares[region])
                yield Answer(
                    name=route.record.name,
                    type=rtype,
                    near=place,
                    server="simulated",
                    addresses=(),
                    region=most or None,
                )

    def reads_for(self, app: App, effect: Effect) -> Sequence[Read]:
        return self.reads(app, frozenset({Topic.RECORDS, Topic.CHECKS, Topic.CONTROLS}))

    def perform(self, effect: Effect) -> Receipt:
        if standing(effect, self.facts) is not Standing.BEFORE:
            raise Conflicting("the world is not as the effect expects it")
        self.facts = apply(effect, self.facts)
        return Receipt(request_id="simulated")

    def in_sync(self, receipt: Receipt) -> Knowledge:
        return "yes"

    def overrides(self) -> Sequence[EndpointOverride]:
        return self.facts.overrides


class MemoryJournal:
    """Journals that live as long as the process."""

    def __init__(self) -> None:
        self._runs: dict[str, list[Entry]] = {}
        self._held = ""

    def append(self, run: str, entry: Entry) -> None:
        self._runs.setdefault(run, []).append(entry)

    def entries(self, run: str) -> Sequence[Entry]:
        if run not in self._runs:
            raise UsageError(f"no run {run}")
        return tuple(self._runs[run])

    def runs(self) -> Sequence[str]:
        return tuple(self._runs)

    @contextmanager
    def hold(self, run: str) -> Iterator[None]:
        if self._held:
            raise Busy(f"run {self._held} of this app is going on")
        self._held = run
        try:
            yield
        finally:
            self._held = ""


class RehearsalClock:
    """Time that passes only by sleeping, so that a rehearsal of an hour takes no time."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime.now(UTC)
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self._passed += max(seconds, 0.0)


class Agrees:
    """An operator who agrees to every question: approval was given beforehand."""

    how: Literal["typed", "yes", "digest"] = "yes"

    def approves(self, plan: Plan, question: str) -> bool:
        return True
