"""Scenarios: a world, a timeline of what goes wrong, the commands an operator types, and what must hold. YAML."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .base import Region, Seconds, Value
from .fault import Fault
from .traffic import Serving

ExitCodes = Annotated[
    tuple[int, ...], BeforeValidator(lambda given: (given,) if isinstance(given, int) else given), Field(min_length=1)
]
At = Annotated[Seconds, Field(ge=0)]


class Staging(Value):
    """The world before anything goes wrong.

    ``shape``: the app's config, ``weighted`` or ``latency`` (latency records behind ARC). ``propagation``: seconds a
    Route 53 change takes to reach the name servers; ``ttl``: of the routed records. ``detection``: seconds a failing
    endpoint takes to be called unhealthy by its health check; without ``health_checks`` the records have none.
    ``rate``: orders a second in each client place. ``levers``: in place of the config's. ``deadline``: the most time
    any of the runbook's steps is given.
    """

    shape: Literal["weighted", "latency"] = "weighted"
    propagation: At = 1.0
    ttl: Annotated[int, Field(ge=1)] = 2
    detection: At = 1.0
    health_checks: bool = True
    rate: Annotated[float, Field(gt=0, le=500)] = 20.0
    keep_alive: At = 1.0
    request_timeout: Annotated[Seconds, Field(gt=0)] = 1.0
    levers: tuple[str, ...] = ()
    deadline: Annotated[Seconds, Field(gt=0)] | None = None


class Lost(Value):
    """A Region cut off: its service and its AWS endpoints swallow what they are sent, nothing replicates in or out."""

    region: Region
    at: At = 0.0
    lasts: Annotated[Seconds, Field(gt=0)] | None = Field(default=None, alias="for")


class Behaves(Value):
    """How a Region's order service behaves from a moment on."""

    region: Region
    at: At = 0.0
    serving: Serving = Serving()


class Switched(Value):
    """Switches of the world turned at a moment: the keys and values that ``POST /_resil/world`` takes."""

    at: At = 0.0
    wish: dict[str, bool | int | float | str | list[str] | dict[str, str] | None] = Field(min_length=1)


class Edited(Value):
    """Someone else gives a weighted record another weight, right before resil's ``before``-th batch of changes."""

    before: Annotated[int, Field(ge=1)] = 1
    set_identifier: str
    weight: Annotated[int, Field(ge=0, le=255)]


class Command(Value):
    """What the operator types, ``at`` the earliest; commands follow one another. ``says``: words that must be shown.

    ``exits``: the exit code that is right, or several where chance decides between them.
    """

    run: tuple[str, ...] = Field(min_length=1)
    at: At = 0.0
    exits: ExitCodes = (0,)
    says: tuple[str, ...] = ()
    writes: Annotated[int, Field(ge=0)] | None = None


class Holds(Value):
    """What must hold at the end. ``answers``: the Region the name server gives each place. Counts are of orders."""

    answers: dict[Region, Region] = Field(default_factory=dict)
    lost_at_most: Annotated[int, Field(ge=0)] | None = 0
    duplicated_at_most: Annotated[int, Field(ge=0)] | None = 0
    failed_at_most: Annotated[int, Field(ge=0)] | None = None
    ratio_at_most: Annotated[float, Field(gt=0)] | None = None


class Scenario(Value):
    """One drill. Times count from the moment traffic flows.

    ``needs``: what resil cannot do yet and the drill is about; ``by_name_only``: why it is not run with all others.
    Either way it is run only where it is asked for by its name. ``settle``: how long it goes on after the commands at
    the least; where traffic moved, until the clients' caches have run out and a second more.
    """

    version: Literal[1]
    name: str
    title: str
    needs: str = ""
    by_name_only: str = ""
    world: Staging = Staging()
    lost: tuple[Lost, ...] = ()
    faults: tuple[Fault, ...] = ()
    services: tuple[Behaves, ...] = ()
    switches: tuple[Switched, ...] = ()
    edits: tuple[Edited, ...] = ()
    commands: tuple[Command, ...] = Field(min_length=1)
    settle: At = 2.0
    holds: Holds = Holds()

    @property
    def is_default(self) -> bool:
        """Whether it is run where no drill is named."""
        return not (self.needs or self.by_name_only)

    def shortened(self) -> "Scenario":
        """The same with short TTLs and propagation, fewer orders, and no demand on how quick it is: for tests that
        share their machine with others."""
        world = self.world.model_copy(
            update={
                "propagation": min(self.world.propagation, 0.5),
                "ttl": 1,
                "rate": min(self.world.rate, 10.0),
                "keep_alive": min(self.world.keep_alive, 0.5),
            }
        )
        return self.model_copy(update={"world": world, "holds": self.holds.model_copy(update={"ratio_at_most": None})})

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        if self.holds.ratio_at_most is not None and not any(c.run[0] == "failover" for c in self.commands):
            raise ValueError("ratio_at_most needs a failover among the commands")
        return self
