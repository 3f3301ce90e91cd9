"""What a guard is asked about, and how it answers. Pure."""

from typing import NamedTuple

from .. import simulate
from ..model.app import App, Route
from ..model.effects import Effect
from ..model.facts import Facts
from ..model.plan import Finding, GuardName, Intent, Mode, Says
from ..model.readings import Verdict
from .moves import Move


class Case(NamedTuple):
    """Everything a guard may ask about."""

    app: App
    intent: Intent
    mode: Mode
    facts: Facts
    verdicts: tuple[Verdict, ...]
    source: tuple[str, ...]
    target: tuple[str, ...]
    moves: tuple[tuple[Route, Move], ...]
    unmoved: tuple[str, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(effect for _, move in self.moves for stage in move.stages for effect in stage)

    @property
    def emergency(self) -> bool:
        return self.mode is Mode.EMERGENCY

    @property
    def unread(self) -> str:
        """Which routed names' records could not be read, in words; "" where all were."""
        names = [route.record.name for route in self.app.routing if simulate.zone_of(route, self.facts) is None]
        return f"the records of {', '.join(dict.fromkeys(names))} could not be read" if names else ""


def yes(name: GuardName, why: str) -> Finding:
    return Finding(name=name, says=Says.YES, why=why)


def no(name: GuardName, why: str, cure: str) -> Finding:
    return Finding(name=name, says=Says.NO, why=why, cure=cure)


def warns(name: GuardName, why: str, cure: str = "") -> Finding:
    return Finding(name=name, says=Says.WARNS, why=why, cure=cure)


READ_RECORDS = "allow or await route53:ListResourceRecordSets"


def unsure(case: Case, name: GuardName, why: str, cure: str = READ_RECORDS) -> Finding:
    """What could not be told is no yes: an emergency goes on with a warning, anything planned is refused."""
    return warns(name, why, cure) if case.emergency else no(name, why, cure)
