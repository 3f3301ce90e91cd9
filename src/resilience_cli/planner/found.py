"""The routed records as found: per Region, with their siblings, whom they leave traffic to, and who has it at home."""

from .. import simulate
from ..errors import UsageError
from ..model.app import App, Route
from ..model.facts import Facts, ZoneRecords
from ..model.records import Policy, RecordSet

CARRIES_TRAFFIC = ("A", "AAAA", "CNAME", "HTTPS", "SVCB")


def records_of(route: Route, facts: Facts) -> dict[str, RecordSet]:
    """The route's record set per Region. Raises UsageError for what contradicts resil.yaml, in AWS's words."""
    found = simulate.zone_of(route, facts)
    if found is None:
        return {}
    twins = [each.zone.id for each in facts.zones if simulate.names_zone(route, each.zone)]
    if len(twins) > 1:
        raise UsageError(
            f"{len(twins)} zones are named {route.zone}: {', '.join(sorted(twins))}",
            hint="give routing.zone as the zone's id",
        )
    where = f"{route.record.type} {route.record.name} in zone {found.zone.id} ({found.zone.name})"
    records = simulate.group(found.records, route.record.name, route.record.type)
    if not records:
        raise UsageError(f"{where}: no such record", hint="check routing.zone and routing.record in resil.yaml")
    by_region: dict[str, RecordSet] = {}
    for record in records:
        if record.policy is not route.policy:
            raise UsageError(
                f"{where}: the policy is {record.policy}, resil.yaml says {route.policy}",
                hint=f"set policy: {record.policy}, or point routing.record at the {route.policy} records",
            )
        region = simulate.region_of(route, record)
        if region is not None and region in by_region:
            raise UsageError(
                f"{where}: two records stand for {region}:"
                f" {by_region[region].set_identifier} and {record.set_identifier}",
                hint="give each Region's endpoint its set_identifier",
            )
        if region is not None:
            by_region[region] = record
    missing = [region for region in route.endpoints if region not in by_region]
    if missing:
        raise UsageError(
            f"{where}: no record stands for {', '.join(missing)}",
            hint="give its endpoint the record's set_identifier",
        )
    return by_region


def siblings(route: Route, found: ZoneRecords) -> tuple[str, ...]:
    """The other record types of the same name that clients may follow instead (A beside AAAA and HTTPS)."""
    types = {r.type for r in found.records if r.name == route.record.name and r.type in CARRIES_TRAFFIC}
    return tuple(sorted(types - {route.record.type}))


def movable(route: Route, found: ZoneRecords, rtype: str) -> bool:
    """Whether a sibling's records are weighted and stand for the same Regions, so that they can move together."""
    records = simulate.group(found.records, route.record.name, rtype)
    regions = [simulate.region_of(route, record) for record in records]
    return all(r.policy is Policy.WEIGHTED for r in records) and sorted(map(str, regions)) == sorted(route.endpoints)


def entitled(app: App, route: Route, facts: Facts) -> frozenset[str]:
    """Regions the levers leave traffic to, under any type of the routed name, whether or not it gets there now."""
    found = simulate.zone_of(route, facts)
    return simulate.entitled(app, route, facts, (route.record.type, *(siblings(route, found) if found else ())))


def home_regions(route: Route, facts: Facts) -> frozenset[str]:
    """The Regions that have traffic at home: those with a share, every one, or the PRIMARY record's."""
    if isinstance(route.home, dict):
        return frozenset(region for region, share in route.home.items() if share)
    records = records_of(route, facts)
    if route.policy is Policy.FAILOVER and records:
        return frozenset(region for region, record in records.items() if record.failover == "PRIMARY")
    return frozenset(route.endpoints)
