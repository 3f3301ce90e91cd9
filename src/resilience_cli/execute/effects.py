"""One effect, carried out: look, ask for it, look again, until it is seen to hold or the step's time is up.

The world is asked how it stands before every attempt, so that carrying out for the first time, after an attempt whose
answer was lost, and after a crash are one and the same path: what holds already is adopted, never done twice; what
someone else changed is left alone.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..errors import AwsTrouble, Conflicting, SafetyRule, Throttled, Uncertain
from ..model.effects import ControlsEffect, Effect, Receipt
from ..model.run import Confirmed, Declined, Entry, Noted, Performed, Performing
from ..observe import look_at
from ..simulate import Standing, standing
from .steps import Stage, StepFailed
from .writing import Pen


class Task(NamedTuple):
    """One effect of one step. ``receipt``: what an attempt before a crash was given."""

    step: str
    number: int
    effect: Effect
    timeout_s: float
    receipt: Receipt | None = None


def carry_out(stage: Stage, pen: Pen, task: Task) -> Iterator[Entry]:
    """Raises StepFailed where the effect is not seen to hold in time, saying whether it may have happened."""
    more = stage.waits(task.timeout_s)
    receipt = task.receipt
    asked = False
    while True:
        stands = _look(stage, task.effect)
        if stands is Standing.AFTER:
            if receipt is None:
                yield pen.write(Performed, step=task.step, effect=task.number, receipt=Receipt(), how="adopted")
            yield from _confirm(stage, pen, task, receipt or Receipt(), more)
            return
        if stands is Standing.OTHER:
            raise StepFailed(_foreign(task.effect), stale=True, uncertain=asked)
        attempt = _attempt(stage, pen, task)
        yield from attempt.entries
        receipt, asked = attempt.receipt or receipt, attempt.uncertain
        if attempt.receipt is None and not more():
            raise StepFailed(f"not done within {task.timeout_s:g} s: {attempt.why}", uncertain=attempt.uncertain)
        if attempt.receipt is not None:
            yield from _confirm(stage, pen, task, attempt.receipt, more)
            return


class _Attempt(NamedTuple):
    entries: tuple[Entry, ...]
    receipt: Receipt | None
    uncertain: bool
    why: str


def _attempt(stage: Stage, pen: Pen, task: Task) -> _Attempt:
    """Ask once. A refusal that waiting may cure, and an answer that was lost, come back as no receipt."""
    named = {"step": task.step, "effect": task.number}
    began = pen.write(Performing, **named)
    try:
        receipt = stage.world.perform(task.effect)
    except Uncertain as lost:
        note = pen.write(Noted, step=task.step, text=f"no certain answer ({lost.message}); reading what happened")
        return _Attempt((began, note), None, True, lost.message)
    except (Throttled, Conflicting) as refused:
        declined = pen.write(Declined, **named, why=refused.message)
        return _Attempt((began, declined), None, False, refused.message)
    except SafetyRule as refused:
        declined = pen.write(Declined, **named, why=refused.message)
        if not refused.waiting:
            rules = ", ".join(refused.rules)
            raise StepFailed(f"ARC's safety rule {rules} refuses: {refused.message}") from refused
        return _Attempt((began, declined), None, False, refused.message)
    except AwsTrouble as refused:
        pen.write(Declined, **named, why=refused.message)
        raise StepFailed(refused.message) from refused
    performed = pen.write(Performed, **named, receipt=receipt)
    return _Attempt((began, performed), receipt, False, "")


def _confirm(stage: Stage, pen: Pen, task: Task, receipt: Receipt, more: Callable[[], bool]) -> Iterator[Entry]:
    """INSYNC, then read back. Raises StepFailed where either is not seen in time."""
    while (reached := stage.world.in_sync(receipt)) != "yes":
        if not more():
            told = "is still PENDING" if reached == "no" else "could not be read"
            raise StepFailed(f"accepted, but change {receipt.change_id} {told}", uncertain=True)
    while (stands := _look(stage, task.effect)) is not Standing.AFTER:
        if stands is Standing.OTHER:
            raise StepFailed(_foreign(task.effect), uncertain=False)
        if not more():
            raise StepFailed(f"accepted, but reading it back says {stands}", uncertain=True)
    evidence = "INSYNC and read back" if receipt.change_id else "read back"
    yield pen.write(Confirmed, step=task.step, effect=task.number, evidence=evidence)


def _look(stage: Stage, effect: Effect) -> Standing:
    return standing(effect, look_at(stage.world, stage.app, effect, stage.clock, stage.pace.look_s))


def _foreign(effect: Effect) -> str:
    what = "routing controls" if isinstance(effect, ControlsEffect) else "records or health check"
    return f"someone else changed the {what} since the plan was made; their change was left as it is"
