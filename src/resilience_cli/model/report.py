"""What a report of a run holds: everything its page, its markdown and its JSON show, and nothing they would have to
work out. What was not recorded is None or empty, and ``missing`` says so in words."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from .base import Region, Value
from .facts import Answer, Unread
from .plan import Finding, Override
from .readings import Reading, Verdict
from .run import EffectState, Outcome, StepState, Timings


class Kept(StrEnum):
    """Whether an objective was kept. UNKNOWN: not measured. UNSET: resil.yaml sets none."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    UNSET = "unset"


class Measure(Value):
    """One figure beside its objective; ``how`` says what was measured, or why nothing was."""

    measured_s: float | None = None
    objective_s: float | None = None
    kept: Kept = Kept.UNKNOWN
    how: str = ""


class BannerKind(StrEnum):
    NOT_AWS = "not-aws"
    REHEARSAL = "rehearsal"
    EXERCISE = "exercise"
    DRILL = "drill"
    UNFINISHED = "unfinished"


class Banner(Value):
    """What must be read before anything else on the page."""

    kind: BannerKind
    title: str
    text: str


class Moment(Value):
    """Each Region's share (0-1) at one second, counted from the command's typing. Less than 1 in all: sent nowhere.

    ``failed``: the share of requests that failed; None where requests were not seen.
    """

    second: float
    shares: dict[str, float]
    failed: float | None = None


class Series(Value):
    """Shares over time. ``measured``: seen by clients; otherwise as configured and read back. ``until_s``: the end."""

    title: str
    measured: bool
    moments: tuple[Moment, ...]
    until_s: float
    ends: str = ""


class Fault(Value):
    """A fault of a drill, in seconds from the command's typing. ``until_s`` is None where it was never lifted."""

    what: str
    from_s: float
    until_s: float | None = None


class OutageTold(Value):
    """What clients in one place felt. ``lasted_s``: first failed request to first steady second; None: none came."""

    place: str
    lasted_s: float | None
    failed: int


class Command(Value):
    """One command of a drill."""

    line: str
    exit_code: int
    seconds: float
    writes: int


class Clients(Value):
    """What a drill saw from outside. Every field but the scenario may be absent; seconds count as ``Moment``'s do."""

    scenario: str
    passed: bool | None = None
    rto_s: float | None = None
    floor_s: float | None = None
    floor_why: str = ""
    ratio: float | None = None
    orders: dict[str, int] = Field(default_factory=dict)
    rpo_s: float | None = None
    rpo: str = ""
    takeover_s: float | None = None
    traffic: tuple[Moment, ...] = ()
    faults: tuple[Fault, ...] = ()
    outages: tuple[OutageTold, ...] = ()
    commands: tuple[Command, ...] = ()
    failures: tuple[str, ...] = ()


class Changed(Value):
    """One line of an effect: what, before and after."""

    what: str
    before: str
    after: str


class EffectTold(Value):
    """One effect of a step, with its state as the journal leaves it."""

    state: EffectState
    changes: tuple[Changed, ...]


class StepTold(Value):
    """One step: what was planned, and what the journal tells of it. ``notes`` are in the journal's order."""

    id: str
    kind: str
    state: StepState
    why: str = ""
    evidence: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    from_s: float | None = None
    took_s: float | None = None
    lever: str = ""
    plane: str = "none"
    undo: str = ""
    effects: tuple[EffectTold, ...] = ()
    notes: tuple[str, ...] = ()


class Approval(Value):
    """Who agreed to what, and how."""

    at: datetime
    by: str
    what: str
    how: str


class Request(Value):
    """One accepted write: what AWS's own logs can be searched for."""

    at: datetime
    step: str
    request_id: str
    change_id: str
    endpoint: str
    how: str


class Told(Value):
    """One journal entry in words."""

    seq: int
    at: datetime
    words: str


class Advice(Value):
    """What to do next: a command, and why."""

    command: str
    why: str


class Report(Value):
    """One run, told from its journal; for a drill also what its clients saw.

    The keys of ``run`` in design.md's contract are kept: run, plan_digest, outcome, exit_code, steps, timings.
    """

    run: str
    app: str
    title: str
    verb: str = ""
    mode: str = ""
    source: tuple[Region, ...] = ()
    target: tuple[Region, ...] = ()
    serving: tuple[Region, ...] = ()
    outcome: Outcome | None = None
    exit_code: int | None = None
    why: str = ""
    plan_digest: str = ""
    caller: str = ""
    host: str = ""
    typed_at: datetime | None = None
    ended_at: datetime | None = None
    total_s: float = 0.0
    banners: tuple[Banner, ...] = ()
    missing: tuple[str, ...] = ()
    next: tuple[Advice, ...] = ()
    rto: Measure = Measure()
    rpo: Measure = Measure()
    timings: Timings = Timings()
    configured: Series | None = None
    clients: Clients | None = None
    steps: tuple[StepTold, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    readings: tuple[Reading, ...] = ()
    answers: tuple[Answer, ...] = ()
    unread: tuple[Unread, ...] = ()
    observed_at: datetime | None = None
    data_at_risk: str = ""
    guards: tuple[Finding, ...] = ()
    overrides: tuple[Override, ...] = ()
    approvals: tuple[Approval, ...] = ()
    requests: tuple[Request, ...] = ()
    journal: tuple[Told, ...] = ()
    schema_: Literal[1] = Field(default=1, alias="schema")
