"""The steps that change nothing: look, compare with what is required, say what was seen. Each returns its evidence."""

import threading
from collections.abc import Collection
from typing import NamedTuple, assert_never

from .. import simulate
from ..assess import assess, is_enough, verdict_on
from ..model.facts import Facts, Topic
from ..model.plan import GuardName, Mode, Plan
from ..model.readings import Judged, Verdict
from ..model.runbook import Bake, Check, Parallel, Verify, Wait, Watching
from ..observe import gather
from ..planner.found import types_of
from .steps import Stage, StepFailed
from .verifying import CONTROL_PLANE_S, verify

JUDGING = frozenset({Topic.RECORDS, Topic.CHECKS, Topic.CONTROLS, Topic.SIGNALS})
ROUTE53 = (Topic.RECORDS, Topic.CHECKS)
FRESH_S = 2.0  # a look that ended so short a time ago is as good as another


def watch(stage: Stage, step: Watching) -> str:
    """Carry out one watching step. Raises StepFailed, uncertain where what is required could not be read."""
    match step:
        case Check():
            return _check(stage, step)
        case Verify():
            return verify(stage, step)
        case Bake():
            return _bake(stage, step)
        case Wait():
            return _wait(stage, step)
        case _:
            assert_never(step)


def together(stage: Stage, step: Parallel) -> str:
    """Watching steps at once, each in a thread. All are waited for; the step fails with the first, as written, that
    failed and may not, else with those that may."""
    results: dict[str, str | Exception] = {}

    def one(child: Watching) -> None:
        try:
            results[child.id] = _one_of_many(stage, child)
        except Exception as error:  # handed to the step's own thread below
            results[child.id] = error

    threads = [threading.Thread(target=one, args=(child,), daemon=True) for child in step.steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [result for child in step.steps if isinstance(result := results[child.id], Exception)]
    for error in failed:
        if not (isinstance(error, StepFailed) and error.may_fail):
            raise error
    told = "; ".join(f"{child.id}: {results[child.id]}" for child in step.steps)
    if failed:
        raise StepFailed(told, may_fail=True)
    return told


def _one_of_many(stage: Stage, child: Watching) -> str:
    """What a step inside says about emergencies and failing holds for it alone."""
    emergency = stage.plan.mode is Mode.EMERGENCY
    best_effort = emergency and child.in_emergency == "best-effort"
    if emergency and child.in_emergency == "skip":
        return "skipped in an emergency, as the runbook says"
    try:
        return watch(stage, child)
    except StepFailed as failed:
        if best_effort and failed.uncertain:
            return f"tried, best effort in an emergency: {failed.why}"
        may_fail = best_effort or child.on_failure == "continue"
        raise StepFailed(failed.why, uncertain=failed.uncertain, may_fail=may_fail) from failed


def _verdicts(stage: Stage, regions: Collection[str]) -> tuple[Verdict, ...]:
    """Verdicts that are settled for these Regions: a look does not wait for what could not change them, and in an
    emergency not long for Route 53's control plane."""
    end = stage.clock.monotonic() + CONTROL_PLANE_S

    def enough(facts: Facts) -> bool:
        is_late = stage.plan.mode is Mode.EMERGENCY and stage.clock.monotonic() >= end
        return is_enough(stage.app, facts, regions, ROUTE53 if is_late else ())

    return assess(stage.app, gather(stage.world, stage.app, stage.clock, topics=JUDGING, enough=enough))


def _check(stage: Stage, step: Check) -> str:
    """The target must not be impaired (or must be healthy); the source too where the runbook asks for it.

    Unknown passes in an emergency, where the guards have let it pass already; a verdict that was overridden passes as
    long as it is no worse than it was then.
    """
    asks_source = step.source == "healthy" and stage.plan.mode is Mode.PLANNED
    fresh = _fresh(stage)
    asked = (*stage.plan.target, *(stage.plan.source if asks_source else ()))
    verdicts = _verdicts(stage, asked) if fresh is None else assess(stage.app, fresh)
    told = [_fit(stage, step, verdicts, region) for region in stage.plan.target]
    if asks_source:
        for region in stage.plan.source:
            if verdict_on(verdicts, region) is not Judged.HEALTHY:
                raise StepFailed(f"{region} is {verdict_on(verdicts, region)}: {_why(verdicts, region)}")
    return "; ".join(told) + ("" if fresh is None else ", as seen for the plan just now")


def _fresh(stage: Stage) -> Facts | None:
    """The facts of the plan, while they are the present's: when every second counts none is spent on looking twice."""
    if stage.seen is None:
        return None
    age_s = (stage.clock.now() - stage.seen.observed_at).total_seconds()
    return stage.seen if 0 <= age_s <= FRESH_S else None


def _fit(stage: Stage, step: Check, verdicts: tuple[Verdict, ...], region: str) -> str:
    verdict = verdict_on(verdicts, region)
    wanted = verdict is Judged.HEALTHY or (step.target == "not-impaired" and verdict is not Judged.IMPAIRED)
    if wanted or (verdict is Judged.UNKNOWN and stage.plan.mode is Mode.EMERGENCY):
        return f"{region} {verdict}"
    accepted = _accepted(stage.plan, region)
    if accepted is not None and WORSE.index(verdict) <= WORSE.index(accepted.verdict):
        return f"{region} {verdict}, no worse than when target-health was overridden ({accepted.reason})"
    raise StepFailed(f"{region} is {verdict}: {_why(verdicts, region)}", uncertain=verdict is Judged.UNKNOWN)


WORSE = (Judged.HEALTHY, Judged.UNKNOWN, Judged.IMPAIRED)


class _Accepted(NamedTuple):
    """A verdict that the operator took on by overriding target-health, and why."""

    verdict: Judged
    reason: str


def _accepted(plan: Plan, region: str) -> _Accepted | None:
    named = [override for override in plan.intent.overrides if override.guard is GuardName.TARGET_HEALTH]
    return _Accepted(verdict_on(plan.verdicts, region), named[0].reason) if named else None


def _why(verdicts: tuple[Verdict, ...], region: str) -> str:
    return next((verdict.why for verdict in verdicts if verdict.region == region), "no signal about it")


def _bake(stage: Stage, step: Bake) -> str:
    """Every look, until the time is up, must find no target impaired; the last one all of them healthy, where that is
    asked for and nothing else was accepted. Otherwise what stays unknown is said, not failed.

    A target that was impaired when target-health was overridden may stay so; once seen better, it may not fall back.
    """
    end = stage.clock.monotonic() + step.duration
    looks = 0
    taken_on = {
        r for r in stage.plan.target if (taken := _accepted(stage.plan, r)) and taken.verdict is Judged.IMPAIRED
    }
    while True:
        verdicts = _verdicts(stage, stage.plan.target)
        looks += 1
        taken_on &= _impaired(stage, verdicts, taken_on)
        left = end - stage.clock.monotonic()
        unsure = _unsure(stage, step, verdicts)
        if left <= 0 and not unsure:
            last = ", ".join(f"{region} {verdict_on(verdicts, region)}" for region in stage.plan.target)
            still = f" ({', '.join(sorted(taken_on))}: target-health was overridden)" if taken_on else ""
            return f"{last} at the last of {looks} looks over {step.duration:g} s{still}"
        if left <= -step.timeout:
            raise StepFailed("; ".join(unsure), uncertain=True)
        stage.clock.sleep(min(step.every, left) if left > 0 else step.every)


def _impaired(stage: Stage, verdicts: tuple[Verdict, ...], taken_on: Collection[str]) -> set[str]:
    """The targets that are impaired, all of them taken on knowingly. Raises StepFailed for any other."""
    impaired = {region for region in stage.plan.target if verdict_on(verdicts, region) is Judged.IMPAIRED}
    for region in stage.plan.target:
        if region in impaired - set(taken_on):
            raise StepFailed(f"{region} became impaired: {_why(verdicts, region)}")
    return impaired


def _unsure(stage: Stage, step: Bake, verdicts: tuple[Verdict, ...]) -> list[str]:
    """What is not known to be well, where the step asks for more than not impaired."""
    if step.target == "not-impaired":
        return []
    return [
        f"{region} is {verdict_on(verdicts, region)}: {_why(verdicts, region)}"
        for region in stage.plan.target
        if verdict_on(verdicts, region) is not Judged.HEALTHY and not _accepted(stage.plan, region)
    ]


def _wait(stage: Stage, step: Wait) -> str:
    seconds = max(step.duration, _longest_ttl(stage) if step.ttl else 0.0)
    stage.clock.sleep(seconds)
    return f"waited {seconds:g} s"


ALIAS_TTL_S = 60.0  # developer guide: an alias answers with its target's TTL, 60 s for AWS's own targets


def _longest_ttl(stage: Stage) -> float:
    """The longest time a cache may keep an answer given before the change, of any type that clients follow."""
    facts = gather(stage.world, stage.app, stage.clock, topics=frozenset({Topic.RECORDS}))
    ttls = [0.0]
    for route in stage.app.routing:
        zone = simulate.zone_of(route, facts)
        for rtype in types_of(route, facts):
            records = simulate.group(zone.records, route.record.name, rtype) if zone else ()
            ttls += [float(record.ttl) if record.ttl is not None else ALIAS_TTL_S for record in records]
    return max(ttls)
