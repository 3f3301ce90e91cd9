"""The guards that look at records and health checks as they stand in Route 53. Pure.

Records that could not be read make none of them say yes.
"""

from collections.abc import Iterator

from .. import simulate
from ..model.app import LeverKind, Route
from ..model.effects import CheckEffect, WeightsEffect
from ..model.facts import Facts, ZoneRecords
from ..model.plan import Finding, GuardName
from ..model.records import FORCED_UNHEALTHY
from .case import Case, no, unsure, warns, yes
from .found import CARRIES_TRAFFIC, movable, siblings, types_of


def drift(case: Case) -> Finding:
    """What nobody who plans here decided about: records of the routed name that resil.yaml does not know, which keep
    the traffic they have, and health checks of which no journal tells how they stood before they were forced."""
    strangers = [
        f"{record.name} {record.set_identifier}"
        for route in case.app.routing
        if (found := simulate.zone_of(route, case.facts)) is not None
        for record in simulate.group(found.records, route.record.name, route.record.type)
        if simulate.region_of(route, record) is None and (record.weight is None or record.weight > 0)
    ]
    untold = list(_switches_untold(case))
    if strangers:
        told = [f"records that resil.yaml does not name take traffic too: {', '.join(strangers)}", *untold]
        return no(GuardName.DRIFT, "; ".join(told), "name them under endpoints, or take their weight away")
    if untold:
        cure = "run it where the journal of that run is, or look at the check and override drift"
        return unsure(case, GuardName.DRIFT, "; ".join(untold), cure)
    if case.unread:
        return unsure(case, GuardName.DRIFT, case.unread)
    return yes(GuardName.DRIFT, "every record of the routed names is known")


def _switches_untold(case: Case) -> Iterator[str]:
    """Forced health checks whose switches would be put back to a guess."""
    told = {prior.check_id for prior in case.facts.prior_switches}
    for effect in case.effects:
        if isinstance(effect, CheckEffect) and effect.check.before == FORCED_UNHEALTHY:
            check, after = effect.check, effect.check.after
            if check.id not in told:
                yield (
                    f"no journal here tells how health check {check.id} of {check.region} stood before it was forced:"
                    f" taken to have been Disabled={after.disabled}, Inverted={after.inverted}"
                )


def record_protection(case: Case) -> Finding:
    swaps = [effect for effect in case.effects if isinstance(effect, WeightsEffect)]
    if not swaps:
        return yes(GuardName.RECORD_PROTECTION, "no record is written")
    protected = [
        f"{record.type} {record.name}"
        for effect in swaps
        for record in effect.before
        if f"{record.name} {record.type}" in (_protected(case.facts, effect.zone_id) or ())
    ]
    if protected:
        return no(
            GuardName.RECORD_PROTECTION,
            f"Route 53 protects {', '.join(dict.fromkeys(protected))}: the whole batch would be refused",
            "lift it: aws route53 delete-resource-record-set-protections",
        )
    if any(_protected(case.facts, effect.zone_id) is None for effect in swaps):
        return unsure(
            case,
            GuardName.RECORD_PROTECTION,
            "whether Route 53 protects these records could not be read; if it does, the whole batch will be refused",
            "allow route53:ListResourceRecordSetProtections",
        )
    return yes(GuardName.RECORD_PROTECTION, "no record that changes is protected")


def _protected(facts: Facts, zone_id: str) -> tuple[str, ...] | None:
    """``name type`` of what is protected in the zone; None where that was not read."""
    return next((found.protected for found in facts.zones if found.zone.id == zone_id), None)


def shared_health_check(case: Case) -> Finding:
    """Forcing a check unhealthy evacuates every record and calculated parent that uses it, not only ours."""
    checks = [effect.check for effect in case.effects if isinstance(effect, CheckEffect)]
    forced = frozenset(check.id for check in checks if check.after == FORCED_UNHEALTHY)
    if not forced:
        return yes(GuardName.SHARED_HEALTH_CHECK, "no health check is forced")
    others = list(_others_on(case, forced))
    if others:
        return no(
            GuardName.SHARED_HEALTH_CHECK,
            f"also used by {', '.join(others)}",
            "give this app health checks of its own",
        )
    zones = case.facts.zones
    if not zones or case.unread or not all(found.whole for found in zones) or not case.facts.checks_whole:
        return unsure(
            case,
            GuardName.SHARED_HEALTH_CHECK,
            "what else uses the health check could not be read whole",
            "allow route53:ListHostedZones, ListResourceRecordSets and ListHealthChecks;"
            " resil status says what is unread",
        )
    return yes(GuardName.SHARED_HEALTH_CHECK, f"{len(forced)} health check(s), used by this app's records alone")


def _others_on(case: Case, forced: frozenset[str]) -> Iterator[str]:
    """Whatever answers by these checks and is not traffic of the routed names: records of any zone, and parents."""
    ours = {
        (found.zone.id, route.record.name, rtype)
        for route in case.app.routing
        if (found := simulate.zone_of(route, case.facts)) is not None
        for rtype in types_of(route, case.facts)
    }
    for found in case.facts.zones:
        for record in found.records:
            if record.health_check_id in forced and (found.zone.id, record.name, record.type) not in ours:
                yield f"{record.type} {record.name} in zone {found.zone.id}"
    for use in case.facts.check_uses:
        if use.check_id in forced:
            yield f"{use.type} {use.name} in zone {use.zone_id}"
    for check in case.facts.checks:
        if forced & set(check.children):
            yield f"calculated check {check.id}"


def sibling_records(case: Case) -> Finding:
    left = left_behind(case)
    if left:
        return no(
            GuardName.SIBLING_RECORDS,
            f"{', '.join(f'{rtype} {name}' for name, rtype in left)} would stay where it is:"
            " clients that prefer it are not moved",
            "give it the same policy, set identifiers and health checks as the routed record",
        )
    if case.unread:
        return unsure(case, GuardName.SIBLING_RECORDS, case.unread)
    return yes(GuardName.SIBLING_RECORDS, f"no {'/'.join(CARRIES_TRAFFIC)} record of the same name is left behind")


def left_behind(case: Case) -> tuple[tuple[str, str], ...]:
    """(name, type) of the siblings that no change of this plan reaches. Where those that it does reach end up is
    simulated with the routed record (``trajectory.shortfalls``)."""
    routed = {(route.zone, route.private, route.record.name, route.record.type) for route in case.app.routing}
    left: list[tuple[str, str]] = []
    for route in case.app.routing:
        found = simulate.zone_of(route, case.facts)
        levers = {move.lever for moved, move in case.moves if moved == route and move.stages}
        if found is None or not levers:
            continue
        for rtype in siblings(route, found):
            elsewhere = (route.zone, route.private, route.record.name, rtype) in routed
            if not elsewhere and not any(_moves_along(route, found, lever, rtype) for lever in levers):
                left.append((route.record.name, rtype))
    return tuple(left)


def _moves_along(route: Route, found: ZoneRecords, lever: LeverKind, rtype: str) -> bool:
    if lever is LeverKind.WEIGHTS:
        return movable(route, found, rtype)
    own = {r.health_check_id for r in simulate.group(found.records, route.record.name, route.record.type)}
    sibling = [r.health_check_id for r in simulate.group(found.records, route.record.name, rtype)]
    return all(check is not None and check in own for check in sibling)


def ttl(case: Case) -> Finding:
    """Caches may keep the old answer for the TTL of any type that clients follow."""
    limit = case.app.objectives.ttl
    long = sorted(
        {
            (route.record.name, rtype, record.ttl)
            for route in case.app.routing
            if (zone := simulate.zone_of(route, case.facts)) is not None
            for rtype in types_of(route, case.facts)
            for record in simulate.group(zone.records, route.record.name, rtype)
            if record.ttl is not None and record.ttl > limit
        }
    )
    if not long:
        return (
            unsure(case, GuardName.TTL, case.unread) if case.unread else yes(GuardName.TTL, f"no TTL over {limit:g} s")
        )
    told = ", ".join(f"{rtype} {name} {seconds} s" for name, rtype, seconds in long)
    why = f"clients may keep the old answer for {told}; objectives.ttl is {limit:g} s"
    if case.emergency:
        return warns(GuardName.TTL, why)
    return no(GuardName.TTL, why, "lower the record's TTL well before moving (AWS: 60 to 120 s)")
