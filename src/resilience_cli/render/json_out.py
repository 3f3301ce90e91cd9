"""The same values for programs. The keys are kept for ever; more may be added; ``schema`` counts what breaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, assert_never

from ..model.effects import Effect
from ..model.facts import EndpointOverride
from ..model.plan import Decision, Finding, Intent, NothingToDo, Plan, PlannedStep, Refusal
from ..model.readings import Reading
from ..model.run import Run
from ..model.status import RegionStatus, RouteStatus, Status
from .text_run import Ending
from .words import changes, iso, sides

if TYPE_CHECKING:
    from ..model.drill import DrillResult

SCHEMA = 1
Json = dict[str, Any]


def dumps(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def status_json(status: Status) -> Json:
    return {
        "schema": SCHEMA,
        "app": status.app,
        "observed_at": iso(status.observed_at),
        "caller": status.caller.arn if status.caller else None,
        "credentials_expire_at": iso(status.caller.expires_at) if status.caller else None,
        "account_problem": status.account_problem or None,
        "regions": [_region(region) for region in status.regions],
        "routes": [_route(route) for route in status.routes],
        "signals": [_signal(reading) for reading in status.readings],
        "unread": [unread.model_dump(mode="json") for unread in status.unread],
        "data_at_risk": status.data_at_risk,
        "at_home": status.at_home,
        "lever": _lever(status.routes),
        "recommendation": status.recommendation,
        "unfinished_run": status.unfinished_run or None,
        "endpoint_overrides": overrides_json(status.overrides),
    }


def overrides_json(overrides: Iterable[EndpointOverride]) -> list[Json]:
    return [override.model_dump() for override in overrides]


def _region(region: RegionStatus) -> Json:
    return region.model_dump(mode="json", include={"name", "role", "verdict", "share", "why"})


def _route(route: RouteStatus) -> Json:
    return route.model_dump(mode="json")


def _signal(reading: Reading) -> Json:
    return {
        "kind": reading.kind.value,
        "subject": reading.subject,
        "region": reading.region,
        "seen_from": reading.seen_from,
        "reading": reading.level.value,
        "age_s": reading.age_s,
        "evidence": reading.evidence,
        "counts": reading.counts,
        "flag": reading.flag or None,
    }


def _lever(routes: Sequence[RouteStatus]) -> str | None:
    """The lever that would be used; where the routes differ, each with its name."""
    levers = list(dict.fromkeys(route.lever for route in routes))
    if len(levers) <= 1:
        return levers[0] if levers else None
    return ", ".join(f"{route.name} {route.type}: {route.lever}" for route in routes)


def decision_json(
    decision: Decision, overrides: Sequence[EndpointOverride] = (), expires_at: datetime | None = None
) -> Json:
    """Plan, refusal and nothing-to-do share their keys; ``decision`` says which it is."""
    document = {
        "schema": SCHEMA,
        "decision": "plan",
        "app": decision.app,
        "digest": None,
        "intent": _intent(decision.intent),
        "mode": None,
        "steps": [],
        "guards": [],
        "observed_at": iso(decision.observed_at),
        "credentials_expire_at": iso(expires_at),
        "endpoint_overrides": overrides_json(overrides),
    }
    match decision:
        case Plan():
            return document | _plan(decision)
        case Refusal():
            return document | {
                "decision": "refusal",
                "mode": decision.mode.value,
                "guards": [_guard(guard) for guard in decision.guards],
                "verdicts": [verdict.model_dump(mode="json") for verdict in decision.verdicts],
                "next_command": decision.next_command or None,
            }
        case NothingToDo():
            return document | {"decision": "nothing-to-do", "why": decision.why}
        case _:
            assert_never(decision)


def _intent(intent: Intent) -> Json:
    return intent.model_dump(mode="json")


def _plan(plan: Plan) -> Json:
    return {
        "digest": plan.digest,
        "mode": plan.mode.value,
        "proposed": plan.proposed,
        "source": list(plan.source),
        "target": list(plan.target),
        "steps": [_step(step) for step in plan.steps],
        "guards": [_guard(guard) for guard in plan.guards],
        "verdicts": [verdict.model_dump(mode="json") for verdict in plan.verdicts],
        "data_at_risk": plan.data_at_risk,
    }


def _step(step: PlannedStep) -> Json:
    return {
        "id": step.id,
        "kind": step.kind,
        "why": step.why,
        "effects": [_effect(effect) for effect in step.effects],
        "lever": step.lever.value if step.lever else None,
        "plane": step.plane,
        "needs_regions": list(step.needs_regions),
        "undo": step.undo,
        "best_effort": step.best_effort,
        "skipped": step.skipped or None,
        "expected_s": step.expected_s,
    }


def _effect(effect: Effect) -> Json:
    before, after = sides(effect)
    says = [str(change) for change in changes(effect)]
    return {"kind": effect.kind, "before": before, "after": after, "says": says}


def _guard(guard: Finding) -> Json:
    return {"name": guard.name.value, "says": guard.says.value, "why": guard.why, "cure": guard.cure or None}


def run_json(ending: Ending, overrides: Sequence[EndpointOverride] = ()) -> Json:
    run = ending.run
    return {
        "schema": SCHEMA,
        "run": run.run,
        "app": run.plan.app,
        "verb": run.plan.intent.verb,
        "mode": run.plan.mode.value,
        "plan_digest": run.digest,
        "outcome": run.outcome.value,
        "why": run.why,
        "exit_code": ending.exit_code,
        "next_command": ending.next_command or None,
        "changed": run.changed,
        "started_at": iso(run.started_at),
        "caller": run.caller,
        "steps": _run_steps(run),
        "timings": run.timings.model_dump(),
        "endpoint_overrides": overrides_json(overrides),
    }


def _run_steps(run: Run) -> list[Json]:
    return [
        {
            "id": step.id,
            "state": step.state.value,
            "started_at": iso(step.started_at),
            "finished_at": iso(step.finished_at),
            "evidence": step.evidence,
            "effects": [state.value for state in step.effects],
        }
        for step in run.steps
    ]


def runs_json(endings: Iterable[Ending]) -> Json:
    return {"schema": SCHEMA, "runs": [run_json(ending) for ending in endings]}


def drill_line(result: DrillResult) -> str:
    """One line: several drills make JSON Lines, one drill plain JSON."""
    return json.dumps(drill_json(result)) + "\n"


def drill_json(result: DrillResult) -> Json:
    return {"schema": SCHEMA} | result.model_dump(mode="json")
