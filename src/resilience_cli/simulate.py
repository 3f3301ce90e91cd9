"""What the world would be after an effect, and who would then get the traffic. Pure.

Route 53's rules are not repeated here: every share is ``routing.answer`` over the records as they would stand.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from . import routing
from .model.app import App, Route
from .model.effects import CheckEffect, ControlsEffect, Effect, WeightsEffect
from .model.facts import Facts, RoutingControl, ZoneRecords
from .model.records import FORCED_UNHEALTHY, Health, HealthCheck, Policy, RecordSet, Zone

Shares = dict[str, Fraction]


class Standing(StrEnum):
    """How the world stands to an effect. OTHER: someone else changed what the effect was planned on."""

    AFTER = "after"
    BEFORE = "before"
    OTHER = "other"
    UNKNOWN = "unknown"


def zone_of(route: Route, facts: Facts) -> ZoneRecords | None:
    """The zone a route lives in: by id, or by name and kind (a public and a private zone may share a name)."""
    return next((found for found in facts.zones if names_zone(route, found.zone)), None)


def names_zone(route: Route, zone: Zone) -> bool:
    return route.zone == zone.id or (
        route.zone.lower().rstrip(".") == zone.name.rstrip(".") and route.private == zone.private
    )


def group(records: Iterable[RecordSet], name: str, rtype: str) -> tuple[RecordSet, ...]:
    """The record sets of one name and type, in a fixed order."""
    found = [record for record in records if record.name == name and record.type == rtype]
    return tuple(sorted(found, key=lambda record: record.set_identifier or ""))


def region_of(route: Route, record: RecordSet) -> str | None:
    """The Region a record set stands for: by its set identifier, else its own Region field, else its health check."""
    for region, endpoint in route.endpoints.items():
        if endpoint.set_identifier is not None and endpoint.set_identifier == record.set_identifier:
            return region
    if record.region in route.endpoints:
        return record.region
    for region, endpoint in route.endpoints.items():
        if endpoint.health_check is not None and endpoint.health_check == record.health_check_id:
            return region
    return None


def health(facts: Facts, check_id: str) -> Health:
    """The health Route 53 would act on, switches and children included; unknown for a check that was not read."""
    check = next((found for found in facts.checks if found.id == check_id), None)
    if check is None:
        return Health.UNKNOWN
    return routing.effective_health(check, _measured(facts, check), lambda child: health(facts, child))


def _measured(facts: Facts, check: HealthCheck) -> Health:
    if check.routing_control_arn is None:
        return check.health
    state = next((c.state for c in facts.controls if c.arn == check.routing_control_arn), None)
    return {"On": Health.HEALTHY, "Off": Health.UNHEALTHY, None: Health.UNKNOWN}[state]


def shares_near(
    app: App, route: Route, facts: Facts, place: str, *, unknown_is: bool = True, rtype: str | None = None
) -> Shares:
    """Each serving Region's share of the answers given to askers nearest ``place``.

    ``unknown_is``: how health checks of unknown health are taken. ``rtype``: another record type of the same name.
    Records that stand for no Region count under "".
    """
    found = zone_of(route, facts)
    if found is None:
        return {}
    zones = {each.zone.id: each.records for each in facts.zones}
    nearest = (place, *(region for region in app.regions.serving if region != place))

    def healthy(check_id: str) -> bool:
        state = health(facts, check_id)
        return unknown_is if state is Health.UNKNOWN else state is Health.HEALTHY

    shares: Shares = {}
    for share in routing.answer(zones, found.zone.id, route.record.name, rtype or route.record.type, healthy, nearest):
        region = _region_on(route, share.path)
        shares[region] = shares.get(region, Fraction(0)) + share.fraction
    return shares


def places(app: App, facts: Facts) -> tuple[str, ...]:
    """Where to ask from to have asked from everywhere: near each Region, or anywhere if no record is by latency."""
    by_latency = any(record.policy is Policy.LATENCY for found in facts.zones for record in found.records)
    return app.regions.serving if by_latency else app.regions.serving[:1]


def _region_on(route: Route, path: tuple[RecordSet, ...]) -> str:
    return next((region for record in path if (region := region_of(route, record)) is not None), "")


def reachable(app: App, route: Route, facts: Facts, rtype: str | None = None) -> dict[str, frozenset[str]]:
    """For each place (nearest serving Region), the Regions some answer could name, whatever unknown checks say."""
    return {
        place: frozenset(
            region
            for unknown_is in (True, False)
            for region, share in shares_near(app, route, facts, place, unknown_is=unknown_is, rtype=rtype).items()
            if share
        )
        for place in app.regions.serving
    }


def shares(app: App, route: Route, facts: Facts) -> dict[str, float | None]:
    """Each Region's share of all traffic; None where it hangs on unread health or on where the askers are."""
    views = [
        shares_near(app, route, facts, place, unknown_is=unknown_is)
        for place in places(app, facts)
        for unknown_is in (True, False)
    ]
    regions = app.regions.serving
    if not all(views):
        return dict.fromkeys(regions, None)
    seen = {region: {view.get(region, Fraction(0)) for view in views} for region in regions}
    return {region: float(next(iter(found))) if len(found) == 1 else None for region, found in seen.items()}


def receiving(app: App, route: Route, facts: Facts, rtype: str | None = None) -> frozenset[str]:
    """Regions that get traffic from anywhere, unknown health checks taken as healthy."""
    return frozenset(
        region
        for place in places(app, facts)
        for region, share in shares_near(app, route, facts, place, rtype=rtype).items()
        if share
    )


def regions_named(route: Route, facts: Facts, rtype: str) -> frozenset[str]:
    """The Regions that a record set of this type under the routed name stands for."""
    found = zone_of(route, facts)
    records = group(found.records, route.record.name, rtype) if found else ()
    return frozenset(region for record in records if (region := region_of(route, record)) is not None)


def recovered(facts: Facts) -> Facts:
    """The facts as they will be once every endpoint answers again: measured health is good, what people set stays.

    Health checks that fail move traffic only until they pass; a decision must hold after that too. What is measured
    is set to unknown, which counts as healthy either way round: an inverted check is healthy when what it asks is not.
    """
    well = tuple(check.model_copy(update={"health": Health.UNKNOWN}) for check in facts.checks)
    return facts.model_copy(update={"checks": well})


def entitled(app: App, route: Route, facts: Facts, rtypes: Sequence[str]) -> frozenset[str]:
    """Regions that get traffic now, or would once every endpoint answers again. ``rtypes``: the types to look at."""
    return frozenset(
        region
        for state in ((facts, recovered(facts)) if facts.checks else (facts,))
        for rtype in rtypes
        for place in places(app, facts)
        for region, share in shares_near(app, route, state, place, rtype=rtype).items()
        if share
    )


def apply(effect: Effect, facts: Facts) -> Facts:
    """The facts after the effect. Nothing but what the effect names changes."""
    match effect:
        case WeightsEffect():
            zones = tuple(_rewrite(found, effect) for found in facts.zones)
            return facts.model_copy(update={"zones": zones})
        case CheckEffect():
            checks = tuple(_switch(check, effect) for check in facts.checks)
            return facts.model_copy(update={"checks": checks})
        case ControlsEffect():
            controls = tuple(_set(control, effect) for control in facts.controls)
            return facts.model_copy(update={"controls": controls})
        case _:
            assert_never(effect)


def _rewrite(found: ZoneRecords, effect: WeightsEffect) -> ZoneRecords:
    if found.zone.id != effect.zone_id:
        return found
    touched = {(record.name, record.type) for record in effect.before}
    kept = tuple(record for record in found.records if (record.name, record.type) not in touched)
    return found.model_copy(update={"records": kept + effect.after})


def _switch(check: HealthCheck, effect: CheckEffect) -> HealthCheck:
    change = effect.check
    if change.id != check.id:
        return check
    return check.model_copy(update={"switch": change.after, "version": check.version + 1})


def _set(control: RoutingControl, effect: ControlsEffect) -> RoutingControl:
    states = {change.arn: change.after for change in effect.controls}
    return control.model_copy(update={"state": states.get(control.arn, control.state)})


def standing(effect: Effect, facts: Facts) -> Standing:
    """How the facts stand to the effect: it holds (AFTER), it is still to do (BEFORE), or the world is another."""
    match effect:
        case WeightsEffect():
            return _records_standing(effect, facts)
        case CheckEffect():
            check = next((found for found in facts.checks if found.id == effect.check.id), None)
            if check is None:
                return Standing.UNKNOWN
            untouched = check.switch == effect.check.before and check.version == effect.check.version
            return _standing(check.switch == effect.check.after, untouched)
        case ControlsEffect():
            states = {control.arn: control.state for control in facts.controls}
            if not all(change.arn in states for change in effect.controls):
                return Standing.UNKNOWN
            return _standing(
                all(states[change.arn] == change.after for change in effect.controls),
                all(states[change.arn] == change.before for change in effect.controls),
            )
        case _:
            assert_never(effect)


def _standing(after: bool, before: bool) -> Standing:
    if after:
        return Standing.AFTER
    return Standing.BEFORE if before else Standing.OTHER


def _records_standing(effect: WeightsEffect, facts: Facts) -> Standing:
    found = next((each for each in facts.zones if each.zone.id == effect.zone_id), None)
    if found is None:
        return Standing.UNKNOWN
    groups = {(record.name, record.type) for record in effect.before}
    now = _as_set(record for record in found.records if (record.name, record.type) in groups)
    return _standing(now == _as_set(effect.after), now == _as_set(effect.before))


def _as_set(records: Iterable[RecordSet]) -> frozenset[RecordSet]:
    return frozenset(record.model_copy(update={"values": tuple(sorted(record.values))}) for record in records)


def fails_open(app: App, route: Route, facts: Facts) -> str:
    """Why this state would leave the choice to nobody, or "": all weights zero, all controls Off, all records switched
    off by a forced health check or a routing control.

    In each, Route 53 answers as though all records were alike or all healthy, the Region being left among them.
    """
    found = zone_of(route, facts)
    records = group(found.records, route.record.name, route.record.type) if found else ()
    if route.policy is Policy.WEIGHTED and records and not any(record.weight for record in records):
        return "every weight would be 0, which Route 53 answers as equal shares"
    switched_off = {check.id for check in facts.checks if _is_switched_off(check, facts)}
    if records and all(record.health_check_id in switched_off for record in records):
        return "every record's health check would be switched unhealthy, which Route 53 answers as all healthy"
    arns = {endpoint.routing_control for endpoint in route.endpoints.values()}
    states = [control.state for control in facts.controls if control.arn in arns]
    if states and all(state == "Off" for state in states):
        return "every routing control would be Off, which Route 53 answers as all healthy"
    return ""


def _is_switched_off(check: HealthCheck, facts: Facts) -> bool:
    """Unhealthy because someone switched it, by its own switches or by its routing control; not by what it measures."""
    by_control = check.routing_control_arn is not None and health(facts, check.id) is Health.UNHEALTHY
    return check.switch == FORCED_UNHEALTHY or by_control
