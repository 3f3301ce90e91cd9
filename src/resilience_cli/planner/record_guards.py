"""The guards that look at records and health checks as they stand in Route 53. Pure."""

from .. import simulate
from ..model.app import LeverKind, Route
from ..model.effects import CheckEffect, WeightsEffect
from ..model.facts import Facts
from ..model.plan import Finding, GuardName
from ..model.records import FORCED_UNHEALTHY
from .case import Case, no, warns, yes
from .found import CARRIES_TRAFFIC, movable, siblings


def drift(case: Case) -> Finding:
    """Records of the routed name that resil.yaml does not know keep what they have: traffic nobody decided about."""
    strangers = []
    for route in case.app.routing:
        found = simulate.zone_of(route, case.facts)
        records = simulate.group(found.records, route.record.name, route.record.type) if found else ()
        strangers += [
            f"{record.name} {record.set_identifier}"
            for record in records
            if simulate.region_of(route, record) is None and (record.weight is None or record.weight > 0)
        ]
    if strangers:
        return no(
            GuardName.DRIFT,
            f"records that resil.yaml does not name take traffic too: {', '.join(strangers)}",
            "name them under endpoints, or take their weight away",
        )
    return yes(GuardName.DRIFT, "every record of the routed names is known")


def record_protection(case: Case) -> Finding:
    protected = [
        f"{record.type} {record.name}"
        for effect in case.effects
        if isinstance(effect, WeightsEffect)
        for record in effect.before
        if f"{record.name} {record.type}" in (_protected(case.facts, effect.zone_id) or ())
    ]
    if protected:
        return no(
            GuardName.RECORD_PROTECTION,
            f"Route 53 protects {', '.join(dict.fromkeys(protected))}: the whole batch would be refused",
            "lift it: aws route53 delete-resource-record-set-protections",
        )
    swaps = [effect for effect in case.effects if isinstance(effect, WeightsEffect)]
    if any(_protected(case.facts, effect.zone_id) is None for effect in swaps):
        return warns(
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
    forced = {check.id for check in checks if check.after == FORCED_UNHEALTHY}
    if not forced:
        return yes(GuardName.SHARED_HEALTH_CHECK, "no health check is forced")
    zones = case.facts.zones
    if not zones or not all(found.whole for found in zones) or not case.facts.checks_whole:
        return no(
            GuardName.SHARED_HEALTH_CHECK,
            "what else uses the health check could not be read whole",
            "allow route53:ListHostedZones, ListResourceRecordSets and ListHealthChecks; resil status says more",
        )
    ours = {
        (found.zone.id, route.record.name)
        for route in case.app.routing
        if (found := simulate.zone_of(route, case.facts)) is not None
    }
    others = [
        f"{record.type} {record.name} in zone {found.zone.id}"
        for found in zones
        for record in found.records
        if record.health_check_id in forced and (found.zone.id, record.name) not in ours
    ]
    others += [
        f"{use.type} {use.name} in zone {use.zone_id}" for use in case.facts.check_uses if use.check_id in forced
    ]
    others += [f"calculated check {check.id}" for check in case.facts.checks if forced & set(check.children)]
    if others:
        return no(
            GuardName.SHARED_HEALTH_CHECK,
            f"also used by {', '.join(others)}",
            "give this app health checks of its own",
        )
    return yes(GuardName.SHARED_HEALTH_CHECK, f"{len(forced)} health check(s), used by this app's records alone")


def sibling_records(case: Case) -> Finding:
    left: list[str] = []
    for route, move in case.moves:
        found = simulate.zone_of(route, case.facts)
        if found is None or not move.stages:
            continue
        stay = (t for t in siblings(route, found) if not _moves_along(route, move.lever, case, t))
        left.extend(f"{rtype} {route.record.name}" for rtype in stay)
    if left:
        return no(
            GuardName.SIBLING_RECORDS,
            f"{', '.join(left)} would stay where it is: clients that prefer it are not moved",
            "give it the same policy, set identifiers and health checks as the routed record",
        )
    return yes(GuardName.SIBLING_RECORDS, f"no {'/'.join(CARRIES_TRAFFIC)} record of the same name is left behind")


def _moves_along(route: Route, lever: LeverKind, case: Case, rtype: str) -> bool:
    found = simulate.zone_of(route, case.facts)
    assert found is not None, "asked only of zones that were read"
    if lever is LeverKind.WEIGHTS:
        return movable(route, found, rtype)
    own = {r.health_check_id for r in simulate.group(found.records, route.record.name, route.record.type)}
    sibling = [r.health_check_id for r in simulate.group(found.records, route.record.name, rtype)]
    return all(check is not None and check in own for check in sibling)


def ttl(case: Case) -> Finding:
    limit = case.app.objectives.ttl
    found = {
        (route.record.name, record.ttl)
        for route in case.app.routing
        if (zone := simulate.zone_of(route, case.facts)) is not None
        for record in simulate.group(zone.records, route.record.name, route.record.type)
        if record.ttl is not None
    }
    long = sorted((name, ttl) for name, ttl in found if ttl is not None and ttl > limit)
    if not long:
        return yes(GuardName.TTL, f"no TTL over {limit:g} s")
    told = ", ".join(f"{name} {ttl} s" for name, ttl in long)
    why = f"clients may keep the old answer for {told}; objectives.ttl is {limit:g} s"
    if case.emergency:
        return warns(GuardName.TTL, why)
    return no(GuardName.TTL, why, "lower the record's TTL well before moving (AWS: 60 to 120 s)")
