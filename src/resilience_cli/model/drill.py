"""What a drill saw: the commands as an operator would see them, the name server's answers, and what clients felt."""

from typing import Annotated, Literal

from pydantic import Field

from .app import App
from .base import Region, Value
from .ledger import DataLoss
from .run import Entry, Timings
from .traffic import Floor, Outage, TrafficSecond


class Asked(Value):
    """The name server's answers at one moment: for each place (a client subnet near a Region), the Region answered.

    A place whose answer could not be attributed, or did not come, has "".
    """

    kind: Literal["asked"] = "asked"
    name: str
    when: str
    answers: dict[Region, str]


class CommandRun(Value):
    """One command, run as a process of its own. ``writes``: the mutating AWS calls it made, by the sandbox's log.

    ``typed_s`` counts from the moment traffic flowed; ``changed_s`` from ``typed_s`` to the first changed answer of
    the name server, None where none changed while it ran.
    """

    kind: Literal["command"] = "command"
    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    writes: tuple[str, ...]
    typed_s: float = 0.0
    changed_s: float | None = None


class Note(Value):
    """A word of the drill's own."""

    kind: Literal["note"] = "note"
    text: str


DrillEvent = Annotated[Asked | CommandRun | Note, Field(discriminator="kind")]


class Orders(Value):
    """Orders as clients saw them; None where that was not measured.

    ``lost`` are gone for good; ``held`` are in a Region that is still cut off, and may yet arrive.
    """

    acknowledged: int | None = None
    failed: int | None = None
    missing_at_takeover: int | None = None
    later_arrived: int | None = None
    later_suppressed: int | None = None
    held: int | None = None
    lost: int | None = None
    duplicated: int | None = None


class FaultTold(Value):
    """One thing that went wrong on purpose, in seconds from the moment traffic flowed."""

    what: str
    from_s: float
    until_s: float | None = None


class Seen(Value):
    """Everything a drill measured. Seconds count from the moment traffic flowed; ``takeover_s`` is when the name
    server's answers changed."""

    traffic: tuple[TrafficSecond, ...] = ()
    outages: tuple[Outage, ...] = ()
    faults: tuple[FaultTold, ...] = ()
    floor: Floor | None = None
    loss: DataLoss | None = None
    takeover_s: float | None = None
    timings: Timings = Timings()
    guards: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


class DrillResult(Value):
    """The whole drill. ``failures`` says what did not hold; empty when it passed.

    ``rto_s``: from the failover's typing to the start of the first request after which no place sees a failure for a
    second; ``floor_s``: what no tool could beat in this run; ``ratio``: of the two. ``app`` and ``journal``, of the
    first run that came of it, are for the drill's page and not part of its JSON.
    """

    scenario: str
    title: str = ""
    passed: bool
    rto_s: float | None
    floor_s: float | None
    ratio: float | None
    orders: Orders = Orders()
    failures: tuple[str, ...] = ()
    seen: Seen = Seen()
    events: tuple[DrillEvent, ...] = ()
    app: App | None = Field(default=None, exclude=True)
    journal: tuple[Entry, ...] = Field(default=(), exclude=True)
