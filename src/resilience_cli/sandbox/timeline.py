"""What goes wrong in a drill, and when: a scenario's events turned on and off by a clock of their own."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..model.drill import FaultTold
from ..model.fault import ArcEndpointsDown, BlackHole
from ..model.scenario import Behaves, Edited, Lost, Scenario
from ..model.traffic import Serving
from .arc import ENDPOINT_REGIONS
from .orders import World
from .service import AwsError, Call


class Turn(NamedTuple):
    """One thing done to the world, ``at`` seconds from the timeline's zero."""

    at: float
    do: Callable[[], object]


class Timeline:
    """Runs a scenario's turns in a thread. A turn that fails is kept in ``problems``: the drill has not held."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self._scenario, self._world = scenario, world
        self._turns = sorted(_turns(scenario, world), key=lambda turn: turn.at)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.problems: list[str] = []

    def start(self, zero: float) -> None:
        """``zero`` is monotonic. Faults between callers and AWS run by the injector's own clock."""
        scenario = self._scenario
        self._world.faults.timeline([*scenario.faults, *_lost_calls(scenario.lost)], zero)
        self._world.sandbox.intercept.extend(_edits(scenario.edits, self._world))
        self._thread = threading.Thread(target=self._run, args=(zero,), name="timeline")
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, zero: float) -> None:
        for turn in self._turns:
            if self._over.wait(max(0.0, zero + turn.at - time.monotonic())):
                return
            try:
                turn.do()
            except Exception as problem:  # the drill must end, and say so
                self.problems.append(f"at {turn.at:g} s: {type(problem).__name__}: {problem}")


def told(scenario: Scenario) -> tuple[FaultTold, ...]:
    """The timeline in words."""

    def until(at: float, lasts: float | None) -> float | None:
        return None if lasts is None else at + lasts

    found = [
        FaultTold(what=f"{lost.region} cut off", from_s=lost.at, until_s=until(lost.at, lost.lasts))
        for lost in scenario.lost
    ]
    found += [
        FaultTold(what=fault.kind, from_s=fault.at, until_s=until(fault.at, fault.lasts)) for fault in scenario.faults
    ]
    found += [
        FaultTold(what=f"{b.region}: {_words(b.serving.model_dump(exclude_defaults=True)) or 'sound'}", from_s=b.at)
        for b in scenario.services
    ]
    found += [FaultTold(what=_words(switched.wish), from_s=switched.at) for switched in scenario.switches]
    return tuple(sorted(found, key=lambda each: each.from_s))


def _words(told: Mapping[str, object]) -> str:
    """``{"stall": {"from": R, "to": S}}`` -> ``stall from R to S``."""
    parts = (f"{key} {_words(value) if isinstance(value, dict) else value}" for key, value in told.items())
    return " ".join(" ".join(parts).split())


def _turns(scenario: Scenario, world: World) -> Iterator[Turn]:
    yield from (_behaves(world, behaves) for behaves in scenario.services)
    for switched in scenario.switches:
        yield Turn(switched.at, lambda wish=switched.wish: world.control(wish))  # type: ignore[misc]
    for lost in scenario.lost:
        yield from _lost(world, lost)


def _behaves(world: World, behaves: Behaves) -> Turn:
    return Turn(behaves.at, lambda: world.application.behave(behaves.region, behaves.serving))


def _lost(world: World, lost: Lost) -> Iterator[Turn]:
    """The Region's service falls silent and its replication is cut; both come back when the loss is over."""
    if lost.region not in world.layout.serving:
        return
    yield Turn(lost.at, lambda: world.application.behave(lost.region, Serving(silent=True)))
    yield Turn(lost.at, lambda: world.control({"isolate": lost.region}))
    if lost.lasts is not None:
        yield Turn(lost.at + lost.lasts, lambda: world.application.behave(lost.region, Serving()))
        yield Turn(lost.at + lost.lasts, lambda: world.control({"rejoin": lost.region}))


def _lost_calls(losses: Sequence[Lost]) -> Iterator[BlackHole | ArcEndpointsDown]:
    """What a caller outside meets when a Region is cut off: its AWS endpoints, an ARC endpoint of its among them."""
    for lost in losses:
        when = {"at": lost.at, "for": lost.lasts}
        yield BlackHole.model_validate({"kind": "black-hole", "region": lost.region, **when})
        if lost.region in ENDPOINT_REGIONS:
            down = {"kind": "arc-endpoints-down", "endpoints": (lost.region,), "how": "backlog"}
            yield ArcEndpointsDown.model_validate({**down, **when})


def _edits(edits: Sequence[Edited], world: World) -> Iterator[Callable[[Call], AwsError | None]]:
    for edited in edits:
        yield _Editor(edited, world).before


class _Editor:
    """Someone else at the same record: edits it right before a certain batch of resil's arrives."""

    def __init__(self, edited: Edited, world: World) -> None:
        self._edited, self._world, self._left = edited, world, edited.before

    def before(self, call: Call) -> AwsError | None:
        if (call.service, call.operation) == ("route53", "ChangeResourceRecordSets"):
            self._left -= 1
            if self._left == 0:
                with self._world.sandbox.lock:
                    self._edit()
        return None

    def _edit(self) -> None:
        def ask(operation: str, **params: object) -> dict[str, list[dict[str, object]]]:
            zone = self._world.routing.zone_id
            call = Call("route53", operation, "us-east-1", "someone-else", {"HostedZoneId": zone, **params})
            return self._world.route53.handle(call)

        records = ask("ListResourceRecordSets")["ResourceRecordSets"]
        theirs = next(record for record in records if record.get("SetIdentifier") == self._edited.set_identifier)
        change = {"Action": "UPSERT", "ResourceRecordSet": {**theirs, "Weight": self._edited.weight}}
        ask("ChangeResourceRecordSets", ChangeBatch={"Changes": [change]})
