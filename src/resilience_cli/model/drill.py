"""What a drill saw: the commands as an operator would see them, the name server's answers, and the times between."""

from typing import Annotated, Literal

from pydantic import Field

from .base import Region, Value


class Asked(Value):
    """The name server's answers at one moment: for each place (a client subnet near a Region), the Region answered.

    A place whose answer could not be attributed, or did not come, has "".
    """

    kind: Literal["asked"] = "asked"
    name: str
    when: str
    answers: dict[Region, str]


class CommandRun(Value):
    """One command, run as a process of its own. ``writes``: the mutating AWS calls it made, by the sandbox's log."""

    kind: Literal["command"] = "command"
    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    writes: tuple[str, ...]


class Moved(Value):
    """How long a shift took as the name server's clients could see it, in seconds from the command's start.

    ``floor_s`` is what no tool could beat here: the sandbox's propagation delay.
    """

    kind: Literal["moved"] = "moved"
    command: str
    first_answer_s: float | None
    every_answer_s: float | None
    floor_s: float


class Note(Value):
    """A word of the drill's own."""

    kind: Literal["note"] = "note"
    text: str


DrillEvent = Annotated[Asked | CommandRun | Moved | Note, Field(discriminator="kind")]


class Orders(Value):
    """Orders as clients saw them; None where the drill sends none."""

    acknowledged: int | None = None
    missing_at_takeover: int | None = None
    lost: int | None = None
    duplicated: int | None = None


class DrillResult(Value):
    """The whole drill. ``failures`` says what did not hold; empty when it passed."""

    scenario: str
    passed: bool
    rto_s: float | None
    floor_s: float | None
    ratio: float | None
    orders: Orders = Orders()
    failures: tuple[str, ...] = ()
    events: tuple[DrillEvent, ...] = ()
