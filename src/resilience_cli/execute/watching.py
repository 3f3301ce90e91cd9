"""The steps that change nothing: look, compare with what is required, say what was seen. Each returns its evidence."""

import threading
from collections.abc import Collection
from typing import assert_never

from .. import simulate
from ..assess import assess, is_enough, verdict_on
from ..model.app import App, Endpoints, Route
from ..model.facts import Answer, Facts, Topic
from ..model.plan import Mode
from ..model.readings import Judged, Level, SignalKind, Verdict
from ..model.runbook import Bake, Check, Parallel, Verify, Wait, Watching
from ..observe import gather
from .steps import Stage, StepFailed

ROUTED = frozenset({Topic.RECORDS, Topic.CHECKS, Topic.CONTROLS})
JUDGING = ROUTED | {Topic.SIGNALS}
FRESH_S = 2.0  # a look that ended so short a time ago is as good as another


def watch(stage: Stage, step: Watching) -> str:
    """Carry out one watching step. Raises StepFailed, uncertain where what is required could not be read."""
    match step:
        case Check():
            return _check(stage, step)
        case Verify():
            return _verify(stage, step)
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
    """Verdicts that are settled for these Regions: a look does not wait for what could not change them."""

    def enough(facts: Facts) -> bool:
        return is_enough(stage.app, facts, regions)

    return assess(stage.app, gather(stage.world, stage.app, stage.clock, topics=JUDGING, enough=enough))


def _check(stage: Stage, step: Check) -> str:
    """The target must not be impaired (or must be healthy); the source too where the runbook asks for it.

    Unknown passes only in an emergency, where the guards have let it pass already.
    """
    asks_source = step.source == "healthy" and stage.plan.mode is Mode.PLANNED
    fresh = _fresh(stage)
    asked = (*stage.plan.target, *(stage.plan.source if asks_source else ()))
    verdicts = _verdicts(stage, asked) if fresh is None else assess(stage.app, fresh)
    for region in stage.plan.target:
        verdict = verdict_on(verdicts, region)
        wanted = verdict is Judged.HEALTHY or (step.target == "not-impaired" and verdict is not Judged.IMPAIRED)
        if not wanted and not (verdict is Judged.UNKNOWN and stage.plan.mode is Mode.EMERGENCY):
            raise StepFailed(f"{region} is {verdict}: {_why(verdicts, region)}", uncertain=verdict is Judged.UNKNOWN)
    if asks_source:
        for region in stage.plan.source:
            if verdict_on(verdicts, region) is not Judged.HEALTHY:
                raise StepFailed(f"{region} is {verdict_on(verdicts, region)}: {_why(verdicts, region)}")
    when = "" if fresh is None else ", as seen for the plan just now"
    return "; ".join(f"{region} {verdict_on(verdicts, region)}" for region in stage.plan.target) + when


def _fresh(stage: Stage) -> Facts | None:
    """The facts of the plan, while they are the present's: when every second counts none is spent on looking twice."""
    if stage.seen is None:
        return None
    age_s = (stage.clock.now() - stage.seen.observed_at).total_seconds()
    return stage.seen if 0 <= age_s <= FRESH_S else None


def _why(verdicts: tuple[Verdict, ...], region: str) -> str:
    return next((verdict.why for verdict in verdicts if verdict.region == region), "no signal about it")


def _verify(stage: Stage, step: Verify) -> str:
    """Ask until it is seen: every place's answer as the records now say, none of a Region that was left."""
    more = stage.waits(step.timeout)
    while True:
        told, wrong, unread = _seen_from_outside(stage, step)
        if not wrong and not unread:
            return "; ".join(told)
        if not more():
            raise StepFailed("; ".join(wrong + unread), uncertain=not wrong)


def _seen_from_outside(stage: Stage, step: Verify) -> tuple[list[str], list[str], list[str]]:
    told: list[str] = []
    wrong: list[str] = []
    unread: list[str] = []
    if step.answers:
        facts = gather(stage.world, stage.app, stage.clock, topics=ROUTED | {Topic.ANSWERS})
        for route in stage.app.routing:
            _compare_answers(stage, route, facts, told, wrong, unread)
    if step.endpoints and any(stage.app.signals_of(Endpoints)):
        _compare_endpoints(stage, told, wrong, unread)
    return told, wrong, unread


def _compare_answers(
    stage: Stage, route: Route, facts: Facts, told: list[str], wrong: list[str], unread: list[str]
) -> None:
    name = route.record.name
    answers = [answer for answer in facts.answers if (answer.name, answer.type) == (name, route.record.type)]
    if route.private and not answers:
        told.append(f"{name}: private zone, not asked from here")
        return
    left = set(stage.plan.source) - set(stage.plan.target) if stage.plan.intent.verb == "failover" else set()
    allowed = simulate.reachable(stage.app, route, facts)
    if left and simulate.zone_of(route, facts) is None:
        # Route 53's control plane may be what is down. Who must not be answered is known without it.
        allowed = dict.fromkeys(stage.app.regions.serving, frozenset(stage.app.regions.serving))
        told.append(f"{name}: its records could not be read, so judged by its answers alone")
    if not answers or not any(allowed.values()):
        whys = "; ".join(each.why for each in facts.unread) or "no name server named"
        unread.append(f"{name}: no answer to verify by ({whys})")
        return
    for answer in answers:
        given = answer.region or ", ".join(answer.addresses) or "nothing"
        line = f"{name} asked from {answer.near or 'anywhere'} answers {given}"
        if answer.region is None:
            unread.append(f"{line}, which is no Region's address as far as could be resolved")
        else:
            right = answer.region in _allowed_at(allowed, answer) - left
            (told if right else wrong).append(line)


def _allowed_at(allowed: dict[str, frozenset[str]], answer: Answer) -> frozenset[str]:
    if answer.near is not None and answer.near in allowed:
        return allowed[answer.near]
    return frozenset().union(*allowed.values())


def _compare_endpoints(stage: Stage, told: list[str], wrong: list[str], unread: list[str]) -> None:
    probes = _only_endpoints(stage.app, stage.plan.target)
    facts = gather(stage.world, probes, stage.clock, topics=frozenset({Topic.SIGNALS}))
    for region in stage.plan.target:
        found = [r for r in facts.readings if r.kind is SignalKind.ENDPOINT and r.region == region]
        for reading in found:
            line = f"{region} endpoint: {reading.evidence}"
            {Level.OK: told, Level.BAD: wrong, Level.UNKNOWN: unread}[reading.level].append(line)
        if not found and any(region in probe.urls for probe in probes.signals_of(Endpoints)):
            unread.append(f"{region} endpoint: no reading of it")


def _only_endpoints(app: App, regions: Collection[str]) -> App:
    """The app with no signal but the probes of these Regions: nothing is asked in a Region that was left."""
    kept = [(spec, {r: url for r, url in spec.urls.items() if r in regions}) for spec in app.signals_of(Endpoints)]
    probes = tuple(spec.model_copy(update={"urls": urls}) for spec, urls in kept if urls)
    return app.model_copy(update={"signals": probes})


def _bake(stage: Stage, step: Bake) -> str:
    """Every look, until the time is up, must find no target impaired. What stays unknown is said, not failed."""
    end = stage.clock.monotonic() + step.duration
    looks = 0
    while True:
        verdicts = _verdicts(stage, stage.plan.target)
        looks += 1
        for region in stage.plan.target:
            if verdict_on(verdicts, region) is Judged.IMPAIRED:
                raise StepFailed(f"{region} became impaired: {_why(verdicts, region)}")
        left = end - stage.clock.monotonic()
        if left <= 0:
            last = ", ".join(f"{region} {verdict_on(verdicts, region)}" for region in stage.plan.target)
            return f"{last} at the last of {looks} looks over {step.duration:g} s"
        stage.clock.sleep(min(step.every, left))


def _wait(stage: Stage, step: Wait) -> str:
    seconds = max(step.duration, _longest_ttl(stage) if step.ttl else 0.0)
    stage.clock.sleep(seconds)
    return f"waited {seconds:g} s"


ALIAS_TTL_S = 60.0  # developer guide: an alias answers with its target's TTL, 60 s for AWS's own targets


def _longest_ttl(stage: Stage) -> float:
    """The longest time a cache may keep an answer given before the change."""
    facts = gather(stage.world, stage.app, stage.clock, topics=frozenset({Topic.RECORDS}))
    ttls = [0.0]
    for route in stage.app.routing:
        zone = simulate.zone_of(route, facts)
        records = simulate.group(zone.records, route.record.name, route.record.type) if zone else ()
        ttls += [float(record.ttl) if record.ttl is not None else ALIAS_TTL_S for record in records]
    return max(ttls)
