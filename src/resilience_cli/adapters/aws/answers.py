"""What the public name answers, and whose Region that is.

Latency answers depend on where the asker is, so that one question is asked near each serving Region (by its
``client_subnet``) and one without a place. Alias answers are bare addresses: they are attributed by resolving each
Regional target at that moment. Targets rotate their addresses, so a mismatch is looked at again before it counts.
An answer that could be that of a Region whose target does not resolve is no answer, not a wrong one.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ... import routing, simulate
from ...errors import AwsTrouble, Uncertain, Unreachable
from ...model.app import HERE, App, Endpoints, Route
from ...model.facts import Answer, Seen, Topic, ZoneRecords
from ...model.records import RecordSet, fqdn
from ...ports import Read
from .. import dns
from .bounded import within
from .reading import legible

LOOKS = 3
RECORDS_S = 2.0  # how long a sibling's question waits for the records before the name server is asked about it
SERVERS_ASKED = 2
FAMILY = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
Addresses = frozenset[str]
Resolve = Callable[[str, str], Sequence[str]]


@dataclass(frozen=True)
class Questions:
    """The questions about one route. ``servers`` names whom to ask; ``records`` what its Regions' targets are.

    ``sibling``: the type to ask for instead of the routed one, if there are records of it. ``otherwise``: who resolves
    a target that the server asked does not know. ``probed``: each Region's own hosts, as the config's endpoint signals
    name them; an answer that is one of theirs is attributed without the records, which only Route 53's control plane
    can tell.
    """

    route: Route
    servers: Callable[[], Sequence[str]]
    records: Callable[[], ZoneRecords]
    otherwise: Resolve
    probed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sibling: str = ""

    @property
    def rtype(self) -> str:
        return self.sibling or self.route.record.type

    def reads(self) -> Iterator[Read]:
        """One without a place, and one for each Region that has a client subnet."""
        yield self._read(None, None)
        for region, endpoint in self.route.endpoints.items():
            if endpoint.client_subnet is not None:
                yield self._read(region, endpoint.client_subnet)

    def _read(self, near: str | None, subnet: str | None) -> Read:
        name = self.route.record.name
        subject = f"{f'{self.sibling} ' if self.sibling else ''}answer for {name}" + (f" near {near}" if near else "")

        def ask() -> Seen:
            is_there = not self.sibling or self._is_there(subnet)
            return Seen(answers=(self._answer(near, subnet),) if is_there else ())

        return Read(Topic.ANSWERS, subject, near or HERE, legible(subject, ask))

    def _is_there(self, subnet: str | None) -> bool:
        """Whether the sibling has records; where those can't be read, soon enough or at all, whether it is answered."""
        try:
            held = within(RECORDS_S, "records", self.records)
        except AwsTrouble:
            return bool(self._asked(subnet)[1].values)
        return bool(routing.records_at(held.records, self.route.record.name, self.rtype))

    def _answer(self, near: str | None, subnet: str | None) -> Answer:
        server, answered = self._asked(subnet)
        values = _normal(answered.values, self.rtype)
        return Answer(
            name=self.route.record.name,
            type=self.rtype,
            near=near,
            server=server.text,
            addresses=tuple(sorted(values)),
            region=self._region(values, server),
            ttl=answered.ttl,
        )

    def _asked(self, subnet: str | None) -> tuple[dns.Server, dns.Answered]:
        """The first server that answers, of the first two."""
        trouble: AwsTrouble = Unreachable(f"no name server is known for {self.route.record.name}")
        for text in self.servers()[:SERVERS_ASKED]:
            try:
                server = dns.servers(text)[0]
                return server, dns.ask(server, self.route.record.name, self.rtype, subnet)
            except (Uncertain, Unreachable) as no_answer:
                trouble = no_answer
        raise trouble

    def _region(self, values: Addresses, server: dns.Server) -> str | None:
        """The Region whose target has one of these addresses; None where no Region's has, or several have."""
        if not values:
            return None
        if (probed := self._probed(values)) is not None:
            return probed
        known: dict[str, Addresses] = {}
        for _ in range(LOOKS):
            for region, found in self._targets(server).items():
                known[region] = known.get(region, frozenset()) | found
            matching = [region for region, found in known.items() if found & values]
            if matching:
                return matching[0] if len(matching) == 1 else None
        unresolved = [region for region in self.route.endpoints if not known.get(region)]
        if unresolved:
            raise Uncertain(
                f"{', '.join(sorted(values))} may be {', '.join(unresolved)}'s: that target did not resolve"
            )
        return None

    def _probed(self, values: Addresses) -> str | None:
        """The one Region whose probed hosts have one of these addresses."""
        found = [
            region
            for region, hosts in self.probed.items()
            if any(_normal(_literal(host) or self.otherwise(host, self.rtype), self.rtype) & values for host in hosts)
        ]
        return found[0] if len(found) == 1 else None

    def _targets(self, server: dns.Server) -> dict[str, Addresses]:
        """Each Region's addresses now: the values of its records, and what the names behind its aliases resolve to."""
        held = self.records()
        targets: dict[str, Addresses] = {}
        for entry in routing.records_at(held.records, self.route.record.name, self.rtype):
            region = simulate.region_of(self.route, entry)
            if region is None:
                continue
            for leaf in _leaves(held, entry, self.rtype):
                found = self._behind(leaf, self.rtype, server)
                targets[region] = targets.get(region, frozenset()) | found
        return targets

    def _behind(self, leaf: RecordSet, rtype: str, server: dns.Server) -> Addresses:
        if leaf.alias is None:
            return _normal(leaf.values, rtype)
        try:
            found: Sequence[str] = dns.ask(server, leaf.alias.dns_name, rtype).values
        except AwsTrouble:
            found = ()  # a zone's own server refuses names that are not its own
        return _normal(found or self.otherwise(leaf.alias.dns_name, rtype), rtype)


def siblings_asked(app: App, route: Route) -> tuple[str, ...]:
    """The types that clients ask for beside the routed one, but for those that are routed themselves."""
    record = route.record
    routed = {each.record.type for each in app.routing if each.zone == route.zone and each.record.name == record.name}
    return tuple(rtype for rtype in FAMILY if rtype not in routed) if record.type in FAMILY else ()


def probed_hosts(app: App) -> dict[str, frozenset[str]]:
    """The hosts of the config's endpoint probes, by Region."""
    found: dict[str, set[str]] = {}
    for spec in app.signals_of(Endpoints):
        for region, url in spec.urls.items():
            found.setdefault(region, set()).add(urlsplit(url).hostname or "")
    return {region: frozenset(hosts - {""}) for region, hosts in found.items()}


def _literal(host: str) -> tuple[str, ...]:
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()


def _leaves(held: ZoneRecords, entry: RecordSet, rtype: str, depth: int = 0) -> Iterator[RecordSet]:
    """The records at the end of the aliases within the zone."""
    inside = entry.alias is not None and entry.alias.zone_id == held.zone.id
    beyond = routing.records_at(held.records, entry.alias.dns_name, rtype) if entry.alias and inside else ()
    if not beyond or depth >= dns.LONGEST_CHAIN:
        yield entry
        return
    for following in beyond:
        yield from _leaves(held, following, rtype, depth + 1)


def by_the_system(name: str, rtype: str) -> tuple[str, ...]:
    """What this machine's own resolver gives."""
    if rtype not in FAMILY:
        return ()
    try:
        found = socket.getaddrinfo(name, None, family=FAMILY[rtype], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label that is empty or too long
        return ()
    return tuple(str(info[4][0]) for info in found)


def _normal(values: Sequence[str], rtype: str) -> Addresses:
    """One spelling for each value, so that they can be compared."""
    if rtype in FAMILY:
        return frozenset(str(ipaddress.ip_address(value)) for value in values)
    return frozenset(fqdn(value) for value in values)
