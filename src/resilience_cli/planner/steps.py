"""The runbook's steps with their effects filled in, as they will run. Pure."""

from collections.abc import Sequence
from typing import Literal, assert_never

from ..errors import UsageError
from ..model.app import App, LeverKind, Route
from ..model.effects import PLANE, CheckEffect, ControlsEffect, Effect, WeightsEffect
from ..model.plan import Mode, PlannedStep
from ..model.runbook import Approve, Bake, Check, Parallel, Ramp, Runbook, ShiftTraffic, Step, Verify, Wait
from .moves import Move

ROUTE53_CONTROL_PLANE = "us-east-1"  # "best practices for Route 53": record and health-check changes are made there
EXPECTED = {LeverKind.WEIGHTS: 60.0, LeverKind.HEALTH_CHECK: 60.0, LeverKind.ROUTING_CONTROL: 5.0}

Moves = Sequence[tuple[Route, Move]]


def fill(app: App, runbook: Runbook, mode: Mode, moves: Moves, ramp: Ramp | None) -> tuple[PlannedStep, ...]:
    """Every step of the runbook in order; a shift becomes one step a stage, with a bake between a ramp's stages."""
    found: list[PlannedStep] = []
    for step in runbook.ordered():
        if isinstance(step, ShiftTraffic):
            found += _shift(app, step, mode, moves, ramp)
        else:
            found.append(_plain(step, mode))
    ids = [step.id for step in found]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise UsageError(f"step {', '.join(twice)} has the name of a stage of the ramp", hint="give it another id")
    return tuple(found)


def _plain(step: Step, mode: Mode) -> PlannedStep:
    emergency = mode is Mode.EMERGENCY
    return PlannedStep(
        id=step.id,
        kind=step.step,
        why=step.why or _purpose(step),
        spec=step,
        best_effort=emergency and step.in_emergency == "best-effort",
        skipped="skipped in an emergency, as the runbook says" if emergency and step.in_emergency == "skip" else "",
        expected_s=step.duration if isinstance(step, Bake | Wait) else None,
    )


def _purpose(step: Step) -> str:
    match step:
        case Check():
            return "look again right before traffic moves"
        case Approve():
            return "a person agrees"
        case ShiftTraffic():
            return "move the traffic"
        case Verify():
            return "not verified is not done"
        case Bake():
            return "see the Regions that serve stay well"
        case Wait():
            return "let caches expire" if step.ttl else "let time pass"
        case Parallel():
            return "several looks at once"
        case _:
            assert_never(step)


def _shift(app: App, step: ShiftTraffic, mode: Mode, moves: Moves, ramp: Ramp | None) -> list[PlannedStep]:
    best_effort = mode is Mode.EMERGENCY and step.in_emergency == "best-effort"
    at_once = [(route, move) for route, move in moves if not move.percents]
    rising = [(route, move) for route, move in moves if move.percents]
    found = []
    if at_once:
        stage = [(route, move, move.stages[0]) for route, move in at_once]
        found.append(_stage(app, step, step.id, stage, best_effort))
    for percent in sorted({percent for _, move in rising for percent in move.percents}):
        stage = [
            (route, move, move.stages[move.percents.index(percent)])
            for route, move in rising
            if percent in move.percents
        ]
        found.append(_stage(app, step, f"{step.id}-{percent}", stage, best_effort))
        if ramp and ramp.bake and percent != ramp.shares[-1]:
            # ids are at most 41 characters long
            bake = Bake.model_validate(
                {"id": f"{step.id[:32]}-{percent}-bake", "step": "bake", "for": ramp.bake, "target": "healthy"}
            )
            found.append(_plain(bake, mode))
    return found


def _stage(
    app: App,
    step: ShiftTraffic,
    step_id: str,
    stage: Sequence[tuple[Route, Move, tuple[Effect, ...]]],
    best_effort: bool,
) -> PlannedStep:
    levers = list(dict.fromkeys(move.lever for _, move, _ in stage))
    effects = tuple(effect for _, _, effects in stage for effect in effects)
    planes: set[Literal["data", "control"]] = {PLANE[effect.kind] for effect in effects}
    return PlannedStep(
        id=step_id,
        kind=step.step,
        why="; ".join(dict.fromkeys(f"by {move.lever}: {move.why}" for _, move, _ in stage)),
        spec=step,
        effects=effects,
        lever=levers[0],
        plane="control" if "control" in planes else "data",
        needs_regions=_needs(app, effects),
        undo="; ".join(_undo(effect) for effect in effects),
        best_effort=best_effort,
        expected_s=max(EXPECTED[lever] for lever in levers),
    )


def _needs(app: App, effects: Sequence[Effect]) -> tuple[str, ...]:
    """The Regions that must work for these writes; of the ARC endpoints any one outside the Region being left."""
    needs: list[str] = []
    for effect in effects:
        if isinstance(effect, ControlsEffect) and app.arc is not None:
            needs += ["any of " + ", ".join(e.region for e in app.arc.cluster if e.region != effect.avoid)]
        else:
            needs.append(ROUTE53_CONTROL_PLANE)
    return tuple(dict.fromkeys(needs))


def _undo(effect: Effect) -> str:
    match effect:
        case WeightsEffect():
            told = ", ".join(f"{record.set_identifier} {record.weight}" for record in effect.before)
            return f"weights back to {told}"
        case CheckEffect():
            before = effect.check.before
            return f"{effect.check.id} back to Disabled={before.disabled} Inverted={before.inverted}"
        case ControlsEffect():
            return "routing controls back to " + ", ".join(f"{c.region} {c.before}" for c in effect.controls)
        case _:
            assert_never(effect)
