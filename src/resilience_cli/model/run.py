"""A run as its journal tells it: the entries, and the state they fold to."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .base import Value
from .effects import Receipt
from .facts import Answer, EndpointOverride, Unread
from .plan import Plan
from .readings import Reading


class EntryBase(Value):
    """``seq`` counts from 1 without gaps; ``at`` is UTC."""

    seq: int
    at: datetime


class Planned(EntryBase):
    """The first entry of every journal: what will be done, by whom, and the evidence as it stood at the decision.

    What resumes is this plan, never a file.
    """

    kind: Literal["planned"] = "planned"
    run: str
    plan: Plan
    digest: str
    caller: str
    host: str
    typed_at: datetime
    decided_at: datetime
    endpoints: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    answers: tuple[Answer, ...] = ()
    unread: tuple[Unread, ...] = ()
    schema_: Literal[1] = Field(default=1, alias="schema")


class Approved(EntryBase):
    """Who agreed, and how: typed on the terminal, ``--yes``, or ``--approve`` with the digest."""

    kind: Literal["approved"] = "approved"
    how: Literal["typed", "yes", "digest"]
    step: str = ""


class Started(EntryBase):
    """Durable before the effect: from here on the step may have changed something."""

    kind: Literal["started"] = "started"
    step: str


class Performing(EntryBase):
    """Durable before one effect of a step is asked for."""

    kind: Literal["performing"] = "performing"
    step: str
    effect: int


class Performed(EntryBase):
    """The effect was accepted (``how``: performed), or found to hold already (adopted). It is not yet verified."""

    kind: Literal["performed"] = "performed"
    step: str
    effect: int
    receipt: Receipt
    how: Literal["performed", "adopted"] = "performed"


class Declined(EntryBase):
    """AWS said no: this effect surely did not happen."""

    kind: Literal["declined"] = "declined"
    step: str
    effect: int
    why: str


class Confirmed(EntryBase):
    """The effect was read back and holds."""

    kind: Literal["confirmed"] = "confirmed"
    step: str
    effect: int
    evidence: str


class Noted(EntryBase):
    """Something worth telling within a step: progress, a retry, a judgement."""

    kind: Literal["noted"] = "noted"
    step: str
    text: str


class Finished(EntryBase):
    kind: Literal["finished"] = "finished"
    step: str
    evidence: str


class Skipped(EntryBase):
    kind: Literal["skipped"] = "skipped"
    step: str
    why: str


class Failed(EntryBase):
    """The step did not reach its end. Like Started without Finished, it leaves its effects uncertain."""

    kind: Literal["failed"] = "failed"
    step: str
    why: str
    uncertain: bool = False
    carried_on: bool = False


class Resumed(EntryBase):
    kind: Literal["resumed"] = "resumed"
    caller: str
    host: str


class Outcome(StrEnum):
    """How a run ended; RUNNING while its journal has no Closed entry."""

    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    STALE = "stale"
    INTERRUPTED = "interrupted"


EXIT_CODES: dict[Outcome, int] = {
    Outcome.DONE: 0,
    Outcome.REFUSED: 3,
    Outcome.INCOMPLETE: 5,
    Outcome.UNKNOWN: 6,
    Outcome.STALE: 8,
    Outcome.INTERRUPTED: 130,
}


class Closed(EntryBase):
    """The last word of a run, until it is resumed. ``final``: going on could not help, for the world is another."""

    kind: Literal["closed"] = "closed"
    outcome: Outcome
    why: str
    final: bool = False


Entry = Annotated[
    Planned
    | Approved
    | Started
    | Performing
    | Performed
    | Declined
    | Confirmed
    | Noted
    | Finished
    | Skipped
    | Failed
    | Resumed
    | Closed,
    Field(discriminator="kind"),
]


class StepState(StrEnum):
    PENDING = "pending"
    STARTED = "started"
    FINISHED = "finished"
    SKIPPED = "skipped"
    FAILED = "failed"


class EffectState(StrEnum):
    """UNTOUCHED: surely not asked for. UNCERTAIN: asked for, not confirmed. CONFIRMED: read back."""

    UNTOUCHED = "untouched"
    UNCERTAIN = "uncertain"
    CONFIRMED = "confirmed"


class StepRun(Value):
    """One step of a run. ``effects[i]`` is the state of the planned step's i-th effect."""

    id: str
    state: StepState = StepState.PENDING
    started_at: datetime | None = None
    finished_at: datetime | None = None
    evidence: str = ""
    effects: tuple[EffectState, ...] = ()
    receipts: tuple[Receipt | None, ...] = ()


class Timings(Value):
    """Seconds. detect: typed to facts; decide: facts to approval; act: approval to the last write accepted;
    propagate: to its confirmation; settle: to the end of the run. None where that part was not reached."""

    detect_s: float | None = None
    decide_s: float | None = None
    act_s: float | None = None
    propagate_s: float | None = None
    settle_s: float | None = None


class Run(Value):
    """One execution of a plan: only ever the fold of its journal."""

    run: str
    plan: Plan
    digest: str
    caller: str
    host: str
    outcome: Outcome
    why: str = ""
    started_at: datetime
    steps: tuple[StepRun, ...]
    timings: Timings = Timings()
    last_seq: int
    final: bool = False
    endpoints: tuple[str, ...] = ()

    @property
    def overrides(self) -> tuple[EndpointOverride, ...]:
        """The endpoints that were not AWS's own when the run began: it is told as what it was, wherever it is read."""
        told = (text.rpartition(" ") for text in self.endpoints)
        return tuple(EndpointOverride(service=service, url=url) for service, _, url in told)

    @property
    def changed(self) -> bool:
        """Whether any effect was asked for: nothing changed only if every effect is untouched."""
        return any(state is not EffectState.UNTOUCHED for step in self.steps for state in step.effects)

    @property
    def resumable(self) -> bool:
        return self.outcome not in (Outcome.DONE, Outcome.REFUSED, Outcome.STALE) and not self.final
