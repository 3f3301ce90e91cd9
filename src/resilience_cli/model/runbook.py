"""Runbooks: YAML files of typed steps. A closed set: a typo is an error with a line number, not a surprise at 03:00."""

from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from .base import Seconds, Value

StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
OnFailure = Literal["stop", "continue"]
InEmergency = Literal["run", "best-effort", "skip"]


class StepBase(Value):
    """What every step has. ``needs`` names steps that come before; without it steps run in the order written.

    ``on_failure: continue`` goes on to the next step; the run is not done for all that. ``in_emergency: best-effort``
    goes on too in an emergency, and counts a step that could not be carried out as skipped, saying why.
    """

    id: StepId
    needs: tuple[StepId, ...] = ()
    timeout: Seconds = Field(default=300.0, gt=0)
    on_failure: OnFailure = "stop"
    in_emergency: InEmergency = "run"
    why: str = ""


Timed = TypeVar("Timed", bound=StepBase)


def _in_time(step: Timed, duration: float) -> Timed:
    if "timeout" in step.model_fields_set and duration > step.timeout:
        raise ValueError(f"step {step.id} lasts {duration:g} s, longer than its timeout of {step.timeout:g} s")
    return step


class Check(StepBase):
    """Look again and require the target's verdict (and the source's, where asked) before going on."""

    step: Literal["check"]
    target: Literal["healthy", "not-impaired"] = "not-impaired"
    source: Literal["any", "healthy"] = "any"


class Approve(StepBase):
    """Stop until a person agrees on the terminal; ``--yes`` and ``--approve DIGEST`` agree beforehand."""

    step: Literal["approve"]
    question: str = "Go on?"


class Ramp(Value):
    """Rising shares of the way in percent, ending at 100 (the target's final share); a bake after each but the last."""

    shares: tuple[Annotated[int, Field(gt=0, le=100)], ...] = Field(min_length=1)
    bake: Seconds = Field(default=60.0, ge=0)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if list(self.shares) != sorted(set(self.shares)) or self.shares[-1] != 100:
            raise ValueError(f"a ramp's shares rise and end at 100, not {list(self.shares)}")
        return self


class ShiftTraffic(StepBase):
    """Move the traffic, by the first usable lever of each route. ``settle``: seconds given to become INSYNC."""

    step: Literal["shift-traffic"]
    ramp: Ramp | None = None


class Verify(StepBase):
    """Require what was changed to be seen from outside: authoritative answers, and the target's endpoints answering."""

    step: Literal["verify"]
    answers: bool = True
    endpoints: bool = True


class Bake(StepBase):
    """Watch the Regions that serve for a time; one that becomes impaired fails the step.

    ``target: healthy``: they must be healthy at the last look too, which is waited for until the step's timeout. The
    bakes between a ramp's stages are so: a share rises only on a Region that is known to be well.
    """

    step: Literal["bake"]
    duration: Seconds = Field(default=60.0, gt=0, alias="for")
    every: Seconds = Field(default=10.0, gt=0)
    target: Literal["healthy", "not-impaired"] = "not-impaired"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        return _in_time(self, self.duration)


class Wait(StepBase):
    """Let a fixed time pass: ``for``, or with ``ttl`` the longest TTL of the records that were changed."""

    step: Literal["wait"]
    duration: Seconds = Field(default=0.0, ge=0, alias="for")
    ttl: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        return _in_time(self, self.duration)


Watching = Annotated[Check | Verify | Bake | Wait, Field(discriminator="step")]


class Parallel(StepBase):
    """Steps run at once. Only steps that change nothing: traffic moves one step at a time, along a known path."""

    step: Literal["parallel"]
    steps: tuple[Watching, ...] = Field(min_length=1)


Step = Annotated[Check | Approve | ShiftTraffic | Verify | Bake | Wait | Parallel, Field(discriminator="step")]


def _with_children(step: "Step") -> tuple[StepBase, ...]:
    return (step, *step.steps) if isinstance(step, Parallel) else (step,)


class Runbook(Value):
    """One runbook, for live use, drill and dry run alike."""

    version: Literal[1]
    name: str
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids(self) -> Self:
        ids = [step.id for step in self.every_step()]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"step id {', '.join(twice)} is used twice")
        return self

    @model_validator(mode="after")
    def _shifts_and_verifies(self) -> Self:
        """One shift, for its path is simulated once; and a verify after it: not verified is not done."""
        order = self.ordered()
        shifts = [number for number, step in enumerate(order) if isinstance(step, ShiftTraffic)]
        if len(shifts) != 1:
            raise ValueError(f"a runbook has one shift-traffic step, not {len(shifts)}")
        early = [part.id for step in order[: shifts[0]] for part in _with_children(step) if isinstance(part, Verify)]
        if early:
            raise ValueError(f"step {', '.join(early)} verifies what was not done yet: it comes after shift-traffic")
        verifies = [part for step in order[shifts[0] :] for part in _with_children(step) if isinstance(part, Verify)]
        if not any(verify.answers or verify.endpoints for verify in verifies):
            raise ValueError("a runbook has a verify step after shift-traffic: not verified is not done")
        for part in (order[shifts[0]], *verifies):
            if part.in_emergency != "run" or part.on_failure != "stop":
                raise ValueError(f"step {part.id} moves or verifies the traffic: it can't be skipped or let fail")
        return self

    def every_step(self) -> tuple[StepBase, ...]:
        """The steps and those inside ``parallel``, in the order written."""
        return tuple(found for step in self.steps for found in _with_children(step))

    @model_validator(mode="after")
    def _needs(self) -> Self:
        self.ordered()
        return self

    def ordered(self) -> tuple[Step, ...]:
        """The steps with every ``needs`` satisfied, otherwise as written. ValueError for an unknown id or a cycle."""
        done: set[str] = set()
        left = list(self.steps)
        known = {step.id for step in self.steps}
        for step in left:
            for need in step.needs:
                if need not in known:
                    raise ValueError(f"step {step.id} needs {need}, which is no step of this runbook")
        order: list[Step] = []
        while left:
            ready = next((step for step in left if set(step.needs) <= done), None)
            if ready is None:
                raise ValueError(f"a cycle: steps {', '.join(step.id for step in left)} need one another")
            left.remove(ready)
            done.add(ready.id)
            order.append(ready)
        return tuple(order)
