"""The routed records as found: per Region, with their siblings, whom they leave traffic to, and who has it at home."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .. import simulate
from ..errors import UsageError
from ..model.app import App, Route
from ..model.facts import Facts, Topic, ZoneRecords
from ..model.records import Policy, RecordSet

CARRIES_TRAFFIC = ("A", "AAAA", "CNAME", "HTTPS", "SVCB")


class Contradiction(NamedTuple):
    """Something resil.yaml says that what was found contradicts, in AWS's words, and how to mend it."""

    says: str
    cure: str


def contradictions(app: App, routes: Sequence[Route], facts: Facts) -> UsageError | None:
    """Everything in which resil.yaml and the zones of these routes differ, told at once; None where they agree."""
    gone = [unread.why for unread in facts.unread if unread.topic is Topic.RECORDS and unread.missing]
    found = [Contradiction(why, "check routing.zone in resil.yaml: a zone's id, or its name") for why in gone]
    found += [each for route in routes for each in _against(route, facts)]
    told = list(dict.fromkeys(found))
    if not told:
        return None
    if len(told) == 1:
        return UsageError(told[0].says, hint=told[0].cure)
    lines = [f"resil.yaml and what was found in {app.account} differ in {len(told)} points"]
    return UsageError("\n".join([*lines, *(f"{each.says} ({each.cure})" for each in told)]))


def _against(route: Route, facts: Facts) -> Iterator[Contradiction]:
    found = simulate.zone_of(route, facts)
    if found is None:
        return
    twins = [each.zone.id for each in facts.zones if simulate.names_zone(route, each.zone)]
    if len(twins) > 1:
        yield Contradiction(
            f"{len(twins)} zones are named {route.zone}: {', '.join(sorted(twins))}",
            "give routing.zone as the zone's id",
        )
        return
    where = f"{route.record.type} {route.record.name} in zone {found.zone.id} ({found.zone.name})"
    records = simulate.group(found.records, route.record.name, route.record.type)
    if not records:
        yield Contradiction(f"{where}: no such record", "check routing.zone and routing.record in resil.yaml")
        return
    for policy in sorted({record.policy for record in records} - {route.policy}):
        yield Contradiction(
            f"{where}: the policy is {policy}, resil.yaml says {route.policy}",
            f"set policy: {policy}, or point routing.record at the {route.policy} records",
        )
    yield from _unpaired(route, where, records)


def _unpaired(route: Route, where: str, records: Sequence[RecordSet]) -> Iterator[Contradiction]:
    """Regions that several records stand for, and Regions that none does."""
    standing = {
        region: [record for record in records if simulate.region_of(route, record) == region]
        for region in route.endpoints
    }
    for region, several in standing.items():
        if len(several) > 1:
            yield Contradiction(
                f"{where}: {len(several)} records stand for {region}:"
                f" {' and '.join(str(record.set_identifier) for record in several)}",
                "give each Region's endpoint its set_identifier",
            )
    missing = [region for region, none in standing.items() if not none]
    if missing:
        yield Contradiction(
            f"{where}: no record stands for {', '.join(missing)}", "give its endpoint the record's set_identifier"
        )


def records_of(route: Route, facts: Facts) -> dict[str, RecordSet]:
    """The route's record set per Region; empty where the zone was not read. What contradicts resil.yaml is told
    before anything is made of it (``contradictions``)."""
    found = simulate.zone_of(route, facts)
    records = simulate.group(found.records, route.record.name, route.record.type) if found else ()
    return {region: record for record in records if (region := simulate.region_of(route, record)) is not None}


def siblings(route: Route, found: ZoneRecords) -> tuple[str, ...]:
    """The other record types of the same name that clients may follow instead (A beside AAAA and HTTPS)."""
    types = {r.type for r in found.records if r.name == route.record.name and r.type in CARRIES_TRAFFIC}
    return tuple(sorted(types - {route.record.type}))


def movable(route: Route, found: ZoneRecords, rtype: str) -> bool:
    """Whether a sibling's records are weighted and stand for the same Regions, so that they can move together."""
    records = simulate.group(found.records, route.record.name, rtype)
    regions = [simulate.region_of(route, record) for record in records]
    return all(r.policy is Policy.WEIGHTED for r in records) and sorted(map(str, regions)) == sorted(route.endpoints)


def types_of(route: Route, facts: Facts) -> tuple[str, ...]:
    """The record types that clients may follow under the routed name: the routed one first, then its siblings."""
    found = simulate.zone_of(route, facts)
    return (route.record.type, *(siblings(route, found) if found else ()))


def entitled(app: App, route: Route, facts: Facts) -> frozenset[str]:
    """Regions the levers leave traffic to, under any type of the routed name, whether or not it gets there now."""
    return simulate.entitled(app, route, facts, types_of(route, facts))


def home_regions(route: Route, facts: Facts) -> frozenset[str]:
    """The Regions that have traffic at home: those with a share, every one, or the PRIMARY record's."""
    if isinstance(route.home, dict):
        return frozenset(region for region, share in route.home.items() if share)
    records = records_of(route, facts)
    if route.policy is Policy.FAILOVER and records:
        return frozenset(region for region, record in records.items() if record.failover == "PRIMARY")
    return frozenset(route.endpoints)
