"""Plans: what would be done and why, frozen and with a digest; or every guard that says no."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from .app import LeverKind
from .base import Region, Value, digest_of
from .effects import Effect
from .readings import Verdict
from .runbook import Step


class Mode(StrEnum):
    """AUTO is what may be asked for; a plan's mode is one of the other two."""

    AUTO = "auto"
    PLANNED = "planned"
    EMERGENCY = "emergency"


class GuardName(StrEnum):
    """The named conditions that can refuse a plan."""

    ACCOUNT = "account"
    SOURCE_EXPECTED = "source-expected"
    TARGET_HEALTH = "target-health"
    REPLICATION = "replication"
    TRAJECTORY = "trajectory"
    DRIFT = "drift"
    RECORD_PROTECTION = "record-protection"
    SHARED_HEALTH_CHECK = "shared-health-check"
    SIBLING_RECORDS = "sibling-records"
    TTL = "ttl"
    SAFETY_RULE = "safety-rule"


class Says(StrEnum):
    """``WARNS`` is shown and does not block. ``OVERRIDDEN`` would have said no, and was overridden by its name."""

    YES = "yes"
    NO = "no"
    WARNS = "warns"
    OVERRIDDEN = "overridden"


class Finding(Value):
    """What one guard says, why, and what would change its mind."""

    name: GuardName
    says: Says
    why: str
    cure: str = ""


class Override(Value):
    """One guard overridden by name. For ``safety-rule`` the rule's own ARN is named too (``safety-rule=ARN``)."""

    guard: GuardName
    reason: str
    subject: str = ""


class Intent(Value):
    """What the operator asked for."""

    verb: Literal["failover", "failback"]
    to: Region | None = None
    source: Region | None = None
    mode: Mode = Mode.AUTO
    overrides: tuple[Override, ...] = ()
    exercise: bool = False


class PlannedStep(Value):
    """One step as it will run: the runbook's words (``spec``) and the effects they came to."""

    id: str
    kind: str
    why: str
    spec: Step
    effects: tuple[Effect, ...] = ()
    lever: LeverKind | None = None
    plane: Literal["data", "control", "none"] = "none"
    needs_regions: tuple[str, ...] = ()
    undo: str = ""
    best_effort: bool = False
    skipped: str = ""
    expected_s: float | None = None


class Plan(Value):
    """The frozen result of (app, runbook, intent, facts). ``proposed``: an emergency that a person must confirm."""

    app: str
    intent: Intent
    mode: Literal[Mode.PLANNED, Mode.EMERGENCY]
    proposed: bool = False
    target: tuple[Region, ...]
    source: tuple[Region, ...]
    steps: tuple[PlannedStep, ...]
    guards: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...] = ()
    observed_at: datetime
    data_at_risk: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over what will be done. Left out: what is re-checked at apply and may differ in figures
        (guards' words, verdicts, times)."""
        what = self.model_dump(mode="json", exclude={"guards", "verdicts", "observed_at", "data_at_risk"})
        return digest_of(what)

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(effect for step in self.steps for effect in step.effects)


class Refusal(Value):
    """No plan: every guard that was asked, those that say no among them."""

    app: str
    intent: Intent
    mode: Literal[Mode.PLANNED, Mode.EMERGENCY]
    guards: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...] = ()
    observed_at: datetime
    next_command: str = ""


class NothingToDo(Value):
    """Traffic is already where it was asked to be."""

    app: str
    intent: Intent
    why: str
    observed_at: datetime


Decision = Plan | Refusal | NothingToDo
