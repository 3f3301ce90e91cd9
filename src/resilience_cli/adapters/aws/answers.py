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
from .reading import legible

LOOKS = 3
SERVERS_ASKED = 2
FAMILY = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
Addresses = frozenset[str]
Resolve = Callable[[str, str], Sequence[str]]


@dataclass(frozen=True)
class Questions:
    """The questions about one route. ``servers`` names whom to ask; ``records`` what its Regions' targets are.

    ``otherwise``: who resolves a target that the server asked does not know. ``probed``: each Region's own hosts, as
    the config's endpoint signals name them; an answer that is one of theirs is attributed without the records, which
    only Route 53's control plane can tell.
    """

    route: Route
    servers: Callable[[], Sequence[str]]
    records: Callable[[], ZoneRecords]
    otherwise: Resolve
    probed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def reads(self) -> Iterator[Read]:
        """One without a place, and one for each Region that has a client subnet."""
        yield self._read(None, None)
        for region, endpoint in self.route.endpoints.items():
            if endpoint.client_subnet is not None:
                yield self._read(region, endpoint.client_subnet)

    def _read(self, near: str | None, subnet: str | None) -> Read:
        name = self.route.record.name
        subject = f"answer for {name}" + (f" near {near}" if near else "")

        def ask() -> Seen:
            return Seen(answers=(self._answer(near, subnet),))

        return Read(Topic.ANSWERS, subject, near or HERE, legible(subject, ask))

    def _answer(self, near: str | None, subnet: str | None) -> Answer:
        record = self.route.record
        server, answered = self._asked(subnet)
        values = _normal(answered.values, record.type)
        return Answer(
            name=record.name,
            type=record.type,
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
                return server, dns.ask(server, self.route.record.name, self.route.record.type, subnet)
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
        rtype = self.route.record.type
        found = [
            region
            for region, hosts in self.probed.items()
            if any(_normal(_literal(host) or self.otherwise(host, rtype), rtype) & values for host in hosts)
        ]
        return found[0] if len(found) == 1 else None

    def _targets(self, server: dns.Server) -> dict[str, Addresses]:
        """Each Region's addresses now: the values of its records, and what the names behind its aliases resolve to."""
        held = self.records()
        record = self.route.record
        targets: dict[str, Addresses] = {}
        for entry in routing.records_at(held.records, record.name, record.type):
            region = simulate.region_of(self.route, entry)
            if region is None:
                continue
            for leaf in _leaves(held, entry, record.type):
                found = self._behind(leaf, record.type, server)
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
    except OSError:
        return ()
    return tuple(str(info[4][0]) for info in found)


def _normal(values: Sequence[str], rtype: str) -> Addresses:
    """One spelling for each value, so that they can be compared."""
    if rtype in FAMILY:
        return frozenset(str(ipaddress.ip_address(value)) for value in values)
    return frozenset(fqdn(value) for value in values)
