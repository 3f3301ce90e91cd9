"""(App, Runbook, Intent, Facts) -> a Plan, a Refusal with every guard that says no, or nothing to do. Pure.

Inside: ``found`` (the records as they are), ``moves`` (what each lever would do), ``weights`` (shares and integers),
``trajectory`` (the path simulated), ``guards`` and ``record_guards`` (who may refuse a ``case``), ``steps`` (the
runbook's steps with their effects), ``homecoming`` (whether traffic is home once the levers are).
"""

from collections.abc import Sequence
from typing import Literal

from .. import simulate
from ..assess import assess, data_at_risk, verdict_on
from ..errors import UsageError
from ..model.app import App, LeverKind, Route
from ..model.effects import PLANE, Effect
from ..model.facts import Facts
from ..model.plan import Decision, Finding, GuardName, Intent, Mode, NothingToDo, Plan, Refusal, Says
from ..model.readings import Judged, Verdict
from ..model.records import Policy
from ..model.runbook import Ramp, Runbook, ShiftTraffic
from . import guards, steps
from .case import Case
from .found import contradictions, entitled, home_regions
from .homecoming import kept_away
from .moves import Away, Course, Homeward, Move, Unusable, move, regions_raised

FIRST_ON_THE_WAY_HOME = (LeverKind.ROUTING_CONTROL, LeverKind.HEALTH_CHECK, LeverKind.WEIGHTS)


def plan(app: App, runbook: Runbook, intent: Intent, facts: Facts) -> Decision:
    """Decide. Raises UsageError where the operator's words or resil.yaml do not fit the world."""
    _check_words(app, intent)
    verdicts = assess(app, facts)
    course = _course(app, intent)
    mode = _mode(intent, course, verdicts)
    pinned = guards.pinned_account(app, facts)
    differs = contradictions(app, [route for route in app.routing if _reads_records(route, course, mode)], facts)
    if differs and pinned.says is Says.NO:  # what another account holds says nothing about resil.yaml
        return _refusal(app, intent, mode, (pinned,), verdicts, facts)
    if differs:
        raise differs
    ramp = _ramp(runbook) if mode is Mode.PLANNED else None
    moves, unmoved = _moves(app, facts, intent, course, mode, ramp)
    if not moves and not unmoved and _is_there(app, facts, course):
        if pinned.says is Says.NO:
            return _refusal(app, intent, mode, (pinned,), verdicts, facts)
        return NothingToDo(app=app.app, intent=intent, why=_already(app, facts, course), observed_at=facts.observed_at)
    source, target = _ends(app, facts, course, moves)
    case = Case(app, intent, mode, facts, verdicts, source, target, moves, unmoved)
    findings = guards.ask_all(case)
    if any(finding.says is Says.NO for finding in findings):
        return _refusal(app, intent, mode, findings, verdicts, facts)
    return Plan(
        app=app.app,
        intent=intent,
        mode=mode,
        proposed=intent.mode is Mode.AUTO and mode is Mode.EMERGENCY,
        target=target,
        source=source,
        steps=steps.fill(app, runbook, mode, moves, ramp),
        guards=findings,
        verdicts=verdicts,
        observed_at=facts.observed_at,
        data_at_risk=data_at_risk(app, facts.readings, source),
    )


def _check_words(app: App, intent: Intent) -> None:
    serving = app.regions.serving
    for option, region in (("--to", intent.to), ("--from", intent.source)):
        if region is not None and region not in serving:
            raise UsageError(f"{option} {region}: not a serving Region", hint=f"resil.yaml has {', '.join(serving)}")
    if intent.to is not None and intent.to == intent.source:
        raise UsageError(f"--from and --to are both {intent.to}")
    if intent.verb == "failover" and intent.to is None:
        raise UsageError("failover needs --to REGION", hint=f"one of {', '.join(serving)}")
    if intent.verb == "failover" and intent.source is None and len(serving) > 2:
        raise UsageError("with three or more serving Regions --from must say which one is left")
    for override in intent.overrides:
        if override.guard in guards.NEVER_OVERRIDABLE:
            raise UsageError(f"the guard {override.guard} can't be overridden")
        if override.guard is GuardName.SAFETY_RULE and not override.subject:
            raise UsageError(
                "a safety rule is overridden by its own name",
                hint="--override safety-rule=ARN, as ARC's refusal names it",
            )


def _refusal(
    app: App,
    intent: Intent,
    mode: Literal[Mode.PLANNED, Mode.EMERGENCY],
    findings: tuple[Finding, ...],
    verdicts: tuple[Verdict, ...],
    facts: Facts,
) -> Refusal:
    return Refusal(
        app=app.app,
        intent=intent,
        mode=mode,
        guards=findings,
        verdicts=verdicts,
        observed_at=facts.observed_at,
        next_command="resil status",
    )


def _reads_records(route: Route, course: Course, mode: Mode) -> bool:
    """Whether a plan depends on the route's records: all but an emergency that has routing controls alone to set."""
    alone = tuple(route.levers) == (LeverKind.ROUTING_CONTROL,)
    return not (alone and mode is Mode.EMERGENCY and isinstance(course, Away))


def _course(app: App, intent: Intent) -> Course:
    if intent.verb == "failback":
        return Homeward()
    assert intent.to is not None, "checked in _check_words"
    others = [region for region in app.regions.serving if region != intent.to]
    return Away(intent.source or others[0], intent.to)


def _mode(intent: Intent, course: Course, verdicts: Sequence[Verdict]) -> Literal[Mode.PLANNED, Mode.EMERGENCY]:
    """``auto`` is planned while the Region being left is healthy, and proposes an emergency otherwise."""
    if intent.mode is Mode.EMERGENCY:
        return Mode.EMERGENCY
    if intent.mode is Mode.PLANNED or isinstance(course, Homeward):
        return Mode.PLANNED
    return Mode.PLANNED if verdict_on(verdicts, course.source) is Judged.HEALTHY else Mode.EMERGENCY


def _ramp(runbook: Runbook) -> Ramp | None:
    return next((step.ramp for step in runbook.steps if isinstance(step, ShiftTraffic) and step.ramp), None)


def _moves(
    app: App, facts: Facts, intent: Intent, course: Course, mode: Mode, ramp: Ramp | None
) -> tuple[tuple[tuple[Route, Move], ...], tuple[str, ...]]:
    """Each route's moves with something left to do, and why the routes that can't be moved can't."""
    rules = tuple(o.subject for o in intent.overrides if o.guard is GuardName.SAFETY_RULE)
    found: list[tuple[Route, Move]] = []
    unmoved: list[str] = []
    for route in app.routing:
        levers = levers_away(route, mode) if isinstance(course, Away) else _all_levers(route)
        tried = [move(route, facts, course, lever, ramp=ramp.shares if ramp else (), rules=rules) for lever in levers]
        chosen, why_not = _choose(app, route, facts, course, tried)
        found += [(route, each) for each in chosen]
        unmoved += [f"{route.record.name} can't be moved: {why_not}"] if why_not else []
    return _each_once(found), tuple(unmoved)


def _each_once(moves: Sequence[tuple[Route, Move]]) -> tuple[tuple[Route, Move], ...]:
    """Routes may share routing controls or health checks, or be twins of one name: what one changes is not planned
    again for the other."""
    seen: set[Effect] = set()
    found: list[tuple[Route, Move]] = []
    for route, each in moves:
        effects = {effect for stage in each.stages for effect in stage}
        stages = tuple(tuple(effect for effect in stage if effect not in seen) for stage in each.stages)
        seen |= effects
        if any(stages):
            found.append((route, each._replace(stages=stages)))
    return tuple(found)


def levers_away(route: Route, mode: Mode) -> Sequence[LeverKind]:
    """As resil.yaml lists them; in an emergency the data plane's before the control plane's, which may be failing."""
    if mode is Mode.EMERGENCY:
        return sorted(route.levers, key=lambda lever: PLANE[lever] != "data")
    return route.levers


def _all_levers(route: Route) -> tuple[LeverKind, ...]:
    """On the way home every lever that could have been pulled is looked at, in the order that moves traffic last."""
    return tuple(
        lever
        for lever in FIRST_ON_THE_WAY_HOME
        if (lever is not LeverKind.WEIGHTS or route.policy is Policy.WEIGHTED)
        and (lever is not LeverKind.ROUTING_CONTROL or all(e.routing_control for e in route.endpoints.values()))
    )


def _choose(
    app: App, route: Route, facts: Facts, course: Course, tried: list[Move | Unusable]
) -> tuple[list[Move], str]:
    """Away: the first usable lever, in the config's order. Homeward: every lever found away from home."""
    usable = [each for each in tried if isinstance(each, Move) and each.stages]
    reasons = "; ".join(f"{each.lever}: {each.why}" for each in tried if isinstance(each, Unusable))
    match course:
        case Homeward():
            listed = [each for each in tried if isinstance(each, Unusable) and each.lever in route.levers]
            return usable, "; ".join(f"{each.lever}: {each.why}" for each in listed)
        case Away(source, _):
            unread = simulate.zone_of(route, facts) is None
            if not unread and source not in entitled(app, route, facts):
                return [], ""
            if not usable:
                but = "its records could not be read" if unread else f"it is still answered with {source}"
                return [], reasons or f"every lever is pulled already, but {but}"
            passed = reasons and f" (passed over: {reasons})"
            chosen = usable[0] if unread else _no_more_than_needed(app, route, facts, source, usable[0])
            return [chosen._replace(why=chosen.why + passed)], ""


def _no_more_than_needed(app: App, route: Route, facts: Facts, source: str, made: Move) -> Move:
    """The effects up to the one that leaves the source without traffic: a primary whose switches are put back has it
    all, and the secondary's health check need not be forced."""
    (first, *_) = made.stages
    needed: list[Effect] = []
    for effect in first:
        if needed and source not in entitled(app, route, facts):
            return made._replace(stages=(tuple(needed),))
        needed.append(effect)
        facts = simulate.apply(effect, facts)
    return made


def _ends(
    app: App, facts: Facts, course: Course, moves: tuple[tuple[Route, Move], ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Source and target Regions: on the way home, those that have traffic now and those that are given more of it."""
    if isinstance(course, Away):
        return (course.source,), (course.target,)
    home = frozenset[str]().union(*(home_regions(route, facts) for route in app.routing))
    target = tuple(region for region in app.regions.serving if region in home)
    now: frozenset[str] = frozenset().union(*(simulate.receiving(app, route, facts) for route, _ in moves))
    source = tuple(region for region in app.regions.serving if region in now)
    raised = frozenset[str]().union(*(regions_raised(route, each) for route, each in moves))
    return source, tuple(region for region in target if region in raised) or target


def _is_there(app: App, facts: Facts, course: Course) -> bool:
    """Whether the target has traffic. If not, and the source has none to move, the operator means another place."""
    return isinstance(course, Homeward) or course.target in _served_by(app, facts)


def _served_by(app: App, facts: Facts) -> frozenset[str]:
    return frozenset[str]().union(*(simulate.receiving(app, route, facts) for route in app.routing)) - {""}


def _already(app: App, facts: Facts, course: Course) -> str:
    match course:
        case Away(source, _):
            at = _served_by(app, facts)
            return f"nothing is answered with {source}; traffic is at {', '.join(sorted(at))}"
        case Homeward():
            kept = [why for route in app.routing for why in kept_away(app, route, facts)]
            return "every route is at home on every lever" + (f"; but {'; '.join(kept)}" if kept else "")


def returning(app: App, facts: Facts) -> tuple[str, ...]:
    """The Regions a failback would give traffic back to; empty where there is nothing to put back."""
    moves, _ = _moves(app, facts, Intent(verb="failback"), Homeward(), Mode.PLANNED, None)
    return _ends(app, facts, Homeward(), moves)[1] if moves else ()


def levers_home(app: App, route: Route, facts: Facts) -> bool | None:
    """Whether every lever of the route is where home has it; None where one of them could not be read.

    Traffic may be elsewhere all the same: health checks move it too (``kept_away``).
    """
    tried = [move(route, facts, Homeward(), lever) for lever in _all_levers(route)]
    if any(isinstance(each, Move) and each.stages for each in tried):
        return False
    unread = [each.lever for each in tried if isinstance(each, Unusable) and each.lever in route.levers]
    return None if unread or simulate.zone_of(route, facts) is None else True


def lever_for(
    route: Route, facts: Facts, source: str, target: str, verdicts: Sequence[Verdict]
) -> tuple[LeverKind | None, str]:
    """The lever that ``--mode auto`` would take this route out of source by, and why that one (and why not those
    before it)."""
    passed: list[str] = []
    course = Away(source, target)
    for lever in levers_away(route, _mode(Intent(verb="failover", to=target), course, verdicts)):
        tried = move(route, facts, course, lever)
        if isinstance(tried, Move) and tried.stages:
            return lever, "; ".join([tried.why, *passed])
        passed.append(f"{lever} passed over: {tried.why}")
    return None, "; ".join(passed)
