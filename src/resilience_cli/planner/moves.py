"""What each lever would do for a route: the effects towards where traffic should be, or why it can't be used. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, assert_never

from .. import simulate
from ..errors import UsageError
from ..model.app import LeverKind, Route
from ..model.effects import CheckChange, CheckEffect, ControlChange, ControlsEffect, Effect, WeightsEffect
from ..model.facts import Facts
from ..model.records import FORCED_UNHEALTHY, CheckSwitch, HealthCheck, Policy, RecordSet
from .found import movable, records_of, siblings
from .weights import Shares, climb, moved, shares_of, weights_of

MOST_CONTROLS = 10  # quota: routing controls per UpdateRoutingControlStates


class Move(NamedTuple):
    """One lever pulled on one route: stages one after another (several only for a ramp), each of whole effects.

    ``percents``: for a ramp, what each stage is called.
    """

    lever: LeverKind
    stages: tuple[tuple[Effect, ...], ...]
    why: str
    percents: tuple[int, ...] = ()


class Unusable(NamedTuple):
    lever: LeverKind
    why: str


class Away(NamedTuple):
    """A failover: out of ``source``, into ``target``."""

    source: str
    target: str


class Homeward(NamedTuple):
    """A failback: to ``home`` on every lever found away from it."""


Course = Away | Homeward


def regions_raised(route: Route, made: Move) -> frozenset[str]:
    """The Regions a move gives something to: a larger share, their own switches back, a routing control set On."""
    return frozenset(region for stage in made.stages for effect in stage for region in _raised(route, effect))


def _raised(route: Route, effect: Effect) -> list[str]:
    match effect:
        case WeightsEffect():
            before, after = (_shares(route, records) for records in (effect.before, effect.after))
            return [region for region in after if after[region] > before[region]]
        case CheckEffect():
            return [effect.check.region] if effect.check.after != FORCED_UNHEALTHY else []
        case ControlsEffect():
            return [c.region for c in effect.controls if c.after == "On" != c.before]
        case _:
            assert_never(effect)


def _shares(route: Route, records: Sequence[RecordSet]) -> Shares:
    own = (record for record in records if record.type == route.record.type)
    weights = {region: record.weight or 0 for record in own if (region := simulate.region_of(route, record))}
    return shares_of(weights) if weights else {}


def move(
    route: Route,
    facts: Facts,
    course: Course,
    lever: LeverKind,
    *,
    ramp: Sequence[int] = (),
    rules: tuple[str, ...] = (),
) -> Move | Unusable:
    """What pulling this lever comes to; a Move without stages means there is nothing left to do on it.

    ``ramp``: percents of the way, for weights. ``rules``: ARNs of ARC safety rules to override.
    """
    match lever:
        case LeverKind.WEIGHTS:
            return _weights(route, facts, course, ramp)
        case LeverKind.HEALTH_CHECK:
            return _checks(route, facts, course)
        case LeverKind.ROUTING_CONTROL:
            return _controls(route, facts, course, rules)
        case _:
            assert_never(lever)


def _weights(route: Route, facts: Facts, course: Course, ramp: Sequence[int]) -> Move | Unusable:
    found = simulate.zone_of(route, facts)
    if found is None:
        return Unusable(LeverKind.WEIGHTS, f"the records of zone {route.zone} could not be read")
    now = {region: record.weight or 0 for region, record in records_of(route, facts).items()}
    start, end = shares_of(now), _wanted(route, now, course)
    types = sorted((route.record.type, *(t for t in siblings(route, found) if movable(route, found, t))))
    before = tuple(r for t in types for r in simulate.group(found.records, route.record.name, t))
    if all(_carries(route, before, rtype, end) for rtype in types):
        return Move(LeverKind.WEIGHTS, (), "weights are already so")
    stages: list[tuple[Effect, ...]] = []
    percents: list[int] = []
    for percent, shares in climb(start, end, ramp or (100,)):
        after = _reweighed(route, before, weights_of(shares))
        if after != before:
            effect = WeightsEffect(zone_id=found.zone.id, zone_name=found.zone.name, before=before, after=after)
            stages.append((effect,))
            percents.append(percent)
        before = after
    why = "weighted records, one atomic compare-and-swap batch"
    return Move(LeverKind.WEIGHTS, tuple(stages), why, tuple(percents) if ramp else ())


def _carries(route: Route, records: Sequence[RecordSet], rtype: str, end: Shares) -> bool:
    """Whether the weights of one type's records stand for these shares. All-zero weights stand for nobody's choice."""
    regions = {simulate.region_of(route, record): record.weight or 0 for record in records if record.type == rtype}
    weights = {region: regions[region] for region in end}
    return any(weights.values()) and shares_of(weights) == end


def _wanted(route: Route, now: Mapping[str, int], course: Course) -> Shares:
    match course:
        case Away(source, target):
            return moved(shares_of(now), source, target)
        case Homeward():
            assert isinstance(route.home, dict), "weighted records have a home of shares (model.app)"
            return shares_of(route.home)
        case _:
            assert_never(course)


def _reweighed(route: Route, records: Sequence[RecordSet], weights: Mapping[str, int]) -> tuple[RecordSet, ...]:
    """The records with their Region's weight. One that stands for no Region keeps its own."""

    def one(record: RecordSet) -> RecordSet:
        region = simulate.region_of(route, record)
        return record if region is None else record.model_copy(update={"weight": weights[region]})

    return tuple(map(one, records))


def _checks(route: Route, facts: Facts, course: Course) -> Move | Unusable:
    known = {check.id: check for check in facts.checks}
    ids = _check_ids(route, facts)
    own = {region: known.get(check_id or "") for region, check_id in ids.items()}
    match course:
        case Away(source, target):
            why_not = _cannot_force(own, source)
            changes = [] if why_not else _forced(facts, own, source, target)
        case Homeward():
            unread = [region for region, check_id in ids.items() if check_id and own[region] is None]
            why_not = f"the health checks of {', '.join(unread)} could not be read" if unread else ""
            forced = [(region, check) for region, check in own.items() if check and check.switch == FORCED_UNHEALTHY]
            changes = [_change(region, check, _prior(facts, check.id)) for region, check in forced]
        case _:
            assert_never(course)
    if why_not:
        return Unusable(LeverKind.HEALTH_CHECK, why_not)
    stage = tuple(CheckEffect(check=change) for change in _once(changes))
    return Move(LeverKind.HEALTH_CHECK, (stage,) if stage else (), "health checks overridden, bound to their version")


def _cannot_force(own: Mapping[str, HealthCheck | None], source: str) -> str:
    """Why the health check of the Region being left must not be forced unhealthy, or ""."""
    leaving = own.get(source)
    if leaving is None:
        return f"the health check of {source} is not named or not readable"
    if leaving.type == "RECOVERY_CONTROL" or leaving.routing_control_arn is not None:
        return f"health check {leaving.id} is ARC's own (RECOVERY_CONTROL): inverted, On would mean unhealthy"
    also = [region for region, check in own.items() if region != source and check and check.id == leaving.id]
    if also:
        return f"health check {leaving.id} of {source} is also that of {', '.join(also)}"
    return ""


def _forced(facts: Facts, own: Mapping[str, HealthCheck | None], source: str, target: str) -> list[CheckChange]:
    """The target's switches back first, then the source forced: never both forced at once."""
    leaving, entering = own[source], own.get(target)
    changes = []
    if entering is not None and entering.switch == FORCED_UNHEALTHY:
        changes.append(_change(target, entering, _prior(facts, entering.id)))
    if leaving is not None and leaving.switch != FORCED_UNHEALTHY:
        changes.append(_change(source, leaving, FORCED_UNHEALTHY))
    return changes


def _once(changes: Sequence[CheckChange]) -> list[CheckChange]:
    """One change a health check: Regions may share one, and its second change would meet a newer version."""
    return list({change.id: change for change in changes}.values())


def _check_ids(route: Route, facts: Facts) -> dict[str, str | None]:
    records = records_of(route, facts)
    return {
        region: endpoint.health_check or (records[region].health_check_id if region in records else None)
        for region, endpoint in route.endpoints.items()
    }


def _prior(facts: Facts, check_id: str) -> CheckSwitch:
    """The switches as they were before resil forced them; both off where no journal tells."""
    return next((p.before for p in facts.prior_switches if p.check_id == check_id), CheckSwitch())


def _change(region: str, check: HealthCheck, after: CheckSwitch) -> CheckChange:
    return CheckChange(id=check.id, region=region, version=check.version, before=check.switch, after=after)


def _controls(route: Route, facts: Facts, course: Course, rules: tuple[str, ...]) -> Move | Unusable:
    states = {control.arn: control for control in facts.controls}
    arns = {region: endpoint.routing_control or "" for region, endpoint in route.endpoints.items()}
    wanted = _wanted_on(route, arns, course)
    unread = [region for region in wanted if arns[region] not in states]
    if unread:
        return Unusable(
            LeverKind.ROUTING_CONTROL, f"no ARC endpoint gave the routing controls of {', '.join(sorted(unread))}"
        )
    changes = [
        ControlChange(arn=arns[region], region=region, before=states[arns[region]].state, after="On" if on else "Off")
        for region, on in wanted.items()
    ]
    if all(change.before == change.after for change in changes):
        return Move(LeverKind.ROUTING_CONTROL, (), "routing controls are already so")
    if isinstance(course, Homeward):
        changes = [change for change in changes if change.before != change.after]
    changes.sort(key=lambda change: change.after == "Off")  # On first: never fewer Regions than needed
    if len(changes) > MOST_CONTROLS:
        raise UsageError(f"{route.record.name} needs {len(changes)} routing controls changed; one call takes 10")
    avoid = course.source if isinstance(course, Away) else None
    effect = ControlsEffect(controls=tuple(changes), override_rules=rules, avoid=avoid)
    return Move(LeverKind.ROUTING_CONTROL, ((effect,),), "ARC's data plane, five endpoints")


def _wanted_on(route: Route, arns: Mapping[str, str], course: Course) -> dict[str, bool]:
    """Which Regions' controls should be On. At home: all, unless home is shares on records that have no weights."""
    match course:
        case Away(source, target):
            return {region: region == target for region in arns if region in (source, target)}
        case Homeward():
            if isinstance(route.home, dict) and route.policy is not Policy.WEIGHTED:
                return {region: route.home[region] > 0 for region in arns}
            return dict.fromkeys(arns, True)
        case _:
            assert_never(course)
