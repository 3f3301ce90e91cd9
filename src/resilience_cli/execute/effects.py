"""One effect, carried out: look, ask for it, look again, until it is seen to hold or the step's time is up.

The world is asked how it stands before every attempt, so that carrying out for the first time, after an attempt whose
answer was lost, and after a crash are one and the same path: what holds already is adopted, never done twice; what
someone else changed is left alone.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import NamedTuple, assert_never

from ..errors import AwsTrouble, Conflicting, SafetyRule, Throttled, Uncertain, Unreachable, UsageError
from ..model.effects import CheckEffect, ControlsEffect, Effect, Receipt, WeightsEffect
from ..model.run import Confirmed, Declined, Entry, Noted, Performed, Performing
from ..observe import look_at
from ..simulate import Standing, standing
from .steps import Stage, StepFailed
from .writing import Pen


class Task(NamedTuple):
    """One effect of one step. ``asked``: there was an attempt before a crash."""

    step: str
    number: int
    effect: Effect
    timeout_s: float
    asked: bool = False


def carry_out(stage: Stage, pen: Pen, task: Task) -> Iterator[Entry]:
    """Raises StepFailed where the effect is not seen to hold in time, saying whether it may have happened."""
    more = stage.waits(task.timeout_s)
    asked = task.asked
    attempt: _Attempt | None = None
    refused_since: float | None = None
    time_left = True
    while True:
        stands = look(stage, task.effect)
        if stands is Standing.AFTER:
            yield pen.write(Performed, step=task.step, effect=task.number, receipt=Receipt(), how="adopted")
            yield from _confirm(stage, pen, task, Receipt(), more)
            return
        if stands is Standing.OTHER:
            raise StepFailed(_foreign(task.effect), stale=True, uncertain=asked)
        if attempt is not None and not time_left:
            raise StepFailed(attempt.why, uncertain=asked)
        attempt = yield from _attempt(stage, pen, task)
        if attempt.receipt is not None:
            yield from _confirm(stage, pen, task, attempt.receipt, more)
            return
        asked = asked or attempt.uncertain
        now = stage.clock.monotonic()
        if attempt.patience_s is None:
            refused_since = None
        elif refused_since is None:
            refused_since = now
        # No more time: what the attempts came to is still read once before anything is said about them.
        time_left = not _is_over(attempt, refused_since, now) and more()


class _Attempt(NamedTuple):
    """What asking once came to. ``patience_s``: how long such a refusal is asked again, None as long as the step has
    time."""

    receipt: Receipt | None = None
    uncertain: bool = False
    patience_s: float | None = None
    why: str = ""


def _is_over(attempt: _Attempt, refused_since: float | None, now: float) -> bool:
    return attempt.patience_s is not None and refused_since is not None and now - refused_since >= attempt.patience_s


def _attempt(stage: Stage, pen: Pen, task: Task) -> Generator[Entry, None, _Attempt]:
    """Ask once. A refusal, and an answer that was lost, come back as no receipt."""
    named = {"step": task.step, "effect": task.number}
    yield pen.write(Performing, **named)
    try:
        receipt = stage.world.perform(task.effect)
    except Uncertain as lost:
        yield pen.write(Noted, step=task.step, text=f"no certain answer ({lost.message}); reading what happened")
        return _Attempt(uncertain=True, why=f"not confirmed within {task.timeout_s:g} s: {lost.message}")
    except UsageError as unusable:  # credentials that are missing or expired: nothing was sent
        yield pen.write(Declined, **named, why=unusable.message)
        raise
    except AwsTrouble as refused:
        yield pen.write(Declined, **named, why=refused.message)
        return _Attempt(patience_s=_patience(refused), why=_refusal(refused, task.timeout_s))
    yield pen.write(Performed, **named, receipt=receipt)
    return _Attempt(receipt=receipt)


WAIT_PERIOD_S = 5.0  # ARC's default WaitPeriodMs, in which changes to a rule's controls fail
RACE_S = 10.0  # for a compare-and-swap that was refused while reads still show what it expects


def _patience(refused: AwsTrouble) -> float | None:
    """How long what surely did not happen is asked for again.

    A safety rule's refusal is tried past the default wait period once, for its words may not say that it only waits.
    """
    match refused:
        case SafetyRule(waiting=True) | Throttled() | Unreachable():
            return None
        case SafetyRule():
            return WAIT_PERIOD_S
        case Conflicting():
            return RACE_S
        case _:
            return 0.0


def _refusal(refused: AwsTrouble, timeout_s: float) -> str:
    if isinstance(refused, SafetyRule) and not refused.waiting:
        return f"ARC's safety rule {', '.join(refused.rules)} refuses: {refused.message}"
    return refused.message if _patience(refused) is not None else f"not done within {timeout_s:g} s: {refused.message}"


def _confirm(stage: Stage, pen: Pen, task: Task, receipt: Receipt, more: Callable[[], bool]) -> Iterator[Entry]:
    """INSYNC, then read back. Raises StepFailed where either is not seen in time."""
    while (reached := stage.world.in_sync(receipt)) != "yes":
        if not more():
            told = "is still PENDING" if reached == "no" else "could not be read"
            raise StepFailed(f"accepted, but change {receipt.change_id} {told}", uncertain=True)
    while (stands := look(stage, task.effect)) is not Standing.AFTER:
        if stands is Standing.OTHER:
            raise StepFailed(_foreign(task.effect), uncertain=False)
        if not more():
            raise StepFailed(f"accepted, but reading it back says {stands}", uncertain=True)
    evidence = "INSYNC and read back" if receipt.change_id else "read back"
    yield pen.write(Confirmed, step=task.step, effect=task.number, evidence=evidence)


def look(stage: Stage, effect: Effect) -> Standing:
    """How the world stands to one effect now."""
    return standing(effect, look_at(stage.world, stage.app, effect, stage.clock, stage.pace.look_s))


def _foreign(effect: Effect) -> str:
    what = "routing controls" if isinstance(effect, ControlsEffect) else "records or health check"
    return f"someone else changed the {what} since the plan was made; their change was left as it is"


def lasting(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """The effects that must still hold when all are done: of several on one thing (a ramp's stages) the last."""
    last = {_subject(effect): effect for effect in effects}
    return tuple(last.values())


def _subject(effect: Effect) -> tuple[str, ...]:
    match effect:
        case WeightsEffect():
            return (effect.zone_id, *sorted({f"{record.name} {record.type}" for record in effect.before}))
        case CheckEffect():
            return (effect.check.id,)
        case ControlsEffect():
            return tuple(sorted(change.arn for change in effect.controls))
        case _:
            assert_never(effect)
