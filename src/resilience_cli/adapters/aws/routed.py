"""The reads about where traffic is routed: zones with their records, health checks, and what the names answer.

Within one look nothing is asked twice: the records a zone's read brings are also what its answers are attributed by.
What was read of a zone before is remembered, for the day when Route 53's control plane does not answer.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...errors import AwsTrouble, Denied, Throttled, Uncertain, Unreachable
from ...model.app import App, LeverKind, Route
from ...model.facts import Seen, Topic, Unread, ZoneRecords
from ...model.records import HealthCheck
from ...ports import Read
from .. import dns
from .answers import Questions, by_the_system, probed_hosts, siblings_asked
from .bounded import within
from .check_uses import CheckUses
from .checks import Checks
from .reading import Once, legible
from .route53 import Records, reached
from .zones import CONTROL_PLANE, Zones

GLOBAL = CONTROL_PLANE
SERVERS_S = 3.0  # how long Route 53's control plane is waited for before public DNS is asked who serves a zone
OTHER_ZONES = "other zones on the same health checks"


@dataclass
class Routed:
    """What Route 53 and the name servers tell of an app's routes. ``resolver``: whom to ask, not the zone's own."""

    zones: Zones
    records: Records
    checks: Checks
    uses: CheckUses
    resolver: str | None
    _remembered: dict[tuple[str, bool], ZoneRecords] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reads(self, app: App, topics: frozenset[Topic]) -> Iterator[Read]:
        """Health checks come before records: what the records add of them is the better measured."""
        groups = [_Group(self, app, routes) for routes in _by_zone(app)]
        if Topic.CHECKS in topics:
            yield from self._check_reads(app, groups)
        for group in groups:
            if Topic.RECORDS in topics:
                yield group.read(with_checks=Topic.CHECKS in topics)
            if Topic.ANSWERS in topics:
                yield from group.answers()

    def _check_reads(self, app: App, groups: Sequence["_Group"]) -> Iterator[Read]:
        ids = configured_checks(app)
        if not forces_checks(app):
            yield from (self.check_read(id_) for id_ in ids)
            return
        every = Once(legible("health checks", lambda: self._whole(ids)))
        yield Read(Topic.CHECKS, "all health checks", GLOBAL, lambda: Seen(checks=every().checks))

        def elsewhere() -> Seen:
            return self._elsewhere(app, {*ids, *(id_ for group in groups for id_ in group.checks_found())}, every)

        yield Read(Topic.CHECKS, OTHER_ZONES, GLOBAL, legible(OTHER_ZONES, elsewhere))

    def check_read(self, id_: str) -> Read:
        """One health check with what is measured, and the children it is calculated from."""

        def ask() -> Seen:
            return Seen(checks=self.checks.read([id_]))

        return Read(Topic.CHECKS, f"health check {id_}", GLOBAL, legible(f"health check {id_}", ask))

    def _whole(self, ids: Sequence[str]) -> Seen:
        """Every check of the account. Where listing is not allowed, those in the config, and not as a whole."""
        try:
            return Seen(checks=self.checks.whole(ids), checks_whole=True)
        except Denied:
            return Seen(checks=self.checks.read(ids))

    def _elsewhere(self, app: App, ids: Collection[str], every: Callable[[], Seen]) -> Seen:
        """Other zones' records on these checks; whole if nothing was missed and the checks were listed whole too."""
        found = self.uses.elsewhere(app, ids)
        unread = Unread(topic=Topic.CHECKS, subject=OTHER_ZONES, region=GLOBAL, why=found.missed)
        try:
            whole = every().checks_whole and not found.missed
        except AwsTrouble:
            whole = False
        return Seen(check_uses=found.uses, checks_whole=whole, unread=(unread,) if found.missed else ())

    def remember(self, route: Route, found: ZoneRecords) -> None:
        with self._lock:
            self._remembered[route.zone, route.private] = found

    def remembered(self, route: Route) -> ZoneRecords | None:
        with self._lock:
            return self._remembered.get((route.zone, route.private))


class _Group:
    """The routes of one zone, in one look."""

    def __init__(self, routed: Routed, app: App, routes: Sequence[Route]) -> None:
        self._routed = routed
        self._app = app
        self._routes = routes
        self._route = routes[0]
        self._names = list(dict.fromkeys(route.record.name for route in routes))
        self._found = Once(legible(f"zone {self._route.zone}", self._look))

    def read(self, *, with_checks: bool) -> Read:
        """The zone's records; with them, the health checks on them that the config does not name."""

        def ask() -> Seen:
            found = self._found()
            return Seen(zone=found, checks=self._further_checks(found) if with_checks else ())

        return Read(Topic.RECORDS, f"records of {', '.join(self._names)}", GLOBAL, ask)

    def answers(self) -> Iterator[Read]:
        """Private names can be asked of a configured resolver only."""
        for route in self._routes:
            named = self._routed.resolver or self._app.dns.resolver
            if named or not route.private:
                servers, probed = self._servers(route, named), probed_hosts(self._app)
                own = Questions(route, servers, self._known, by_the_system, probed)
                yield from own.reads()
                for sibling in siblings_asked(self._app, route):
                    yield from replace(own, sibling=sibling).reads()

    def _servers(self, route: Route, named: str | None) -> Once[Sequence[str]]:
        """The one that is named, else the zone's own; where Route 53 does not tell those, public DNS does."""

        def ask() -> Sequence[str]:
            if named:
                return (named,)
            try:
                return within(SERVERS_S, "name servers", lambda: self._routed.zones.name_servers(route))
            except (Uncertain, Unreachable, Throttled, Denied):
                return dns.name_servers_of(route.record.name)

        return Once(ask)

    def _look(self) -> ZoneRecords:
        records, zone = self._routed.records, self._routed.zones.of(self._route)
        whole = forces_checks(self._app)
        sets = records.whole(zone) if whole else records.of_names(zone, self._names)
        found = ZoneRecords(zone=zone, records=sets, whole=whole, protected=records.protected(zone))
        self._routed.remember(self._route, found)
        return found

    def _known(self) -> ZoneRecords:
        """The records now, or as they were last seen: whose address it is does not move with the weights."""
        try:
            return self._found()
        except AwsTrouble:
            before = self._routed.remembered(self._route)
            if before is None:
                raise
            return before

    def checks_found(self) -> tuple[str, ...]:
        """The health checks on the routed names' records, as far as those can be read."""
        try:
            found = self._known()
        except AwsTrouble:
            return ()
        return self._on_records(found)

    def _on_records(self, found: ZoneRecords) -> tuple[str, ...]:
        ids = (record.health_check_id for record in reached(found.zone, found.records, self._names))
        return tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))

    def _further_checks(self, found: ZoneRecords) -> tuple[HealthCheck, ...]:
        named = configured_checks(self._app)
        ids = [id_ for id_ in self._on_records(found) if id_ not in named]
        try:
            return legible("health checks on the records", lambda: self._routed.checks.read(ids))()
        except AwsTrouble:
            return ()  # a check that was not read is of unknown health; the records are still true


def forces_checks(app: App) -> bool:
    """Whether a health check may be forced, so that whatever else uses it must be known."""
    return any(LeverKind.HEALTH_CHECK in route.levers for route in app.routing)


def configured_checks(app: App) -> tuple[str, ...]:
    """The health checks that resil.yaml names."""
    named = (endpoint.health_check for route in app.routing for endpoint in route.endpoints.values())
    return tuple(dict.fromkeys(id_ for id_ in named if id_ is not None))


def _by_zone(app: App) -> list[list[Route]]:
    groups: dict[tuple[str, bool], list[Route]] = {}
    for route in app.routing:
        groups.setdefault((route.zone, route.private), []).append(route)
    return list(groups.values())
