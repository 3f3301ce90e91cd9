"""What the sandbox's name server answers, message to message; ``nameserver`` is its ears.

Which record answers is ``routing.answer``'s choice, so that the name server and the planner's simulation can't
disagree. Answers are shaped as Route 53's: an alias is answered by the bare addresses of its target with the target's
TTL; latency is judged from the EDNS client subnet.
"""

import ipaddress
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset

from .. import routing
from ..model.records import RecordSet, Zone, fqdn

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Location = tuple[Network, tuple[str, ...]]
ALIAS_TTL = 60  # of AWS's own alias targets (developer guide, "Choosing between alias and non-alias records")
PAYLOAD = 4096  # bytes of UDP answers we announce and send at most
_CHAIN = 8  # CNAMEs followed inside one zone
_UNKNOWN_SOA = "{mname} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"  # as Route 53 writes a new zone's


@dataclass(frozen=True)
class Authority:
    """What is answered, from callables and mappings that are read anew for each query.

    zones       the hosted zones; private ones are not answered
    published   a zone's id -> its records as name servers see them now
    healthy     health check id -> whether Route 53 considers it healthy
    external    AWS-owned names that aliases point at -> their addresses, v4 and v6; also answered when asked for
    locations   networks of askers -> Regions, lowest latency first; the longest prefix that fits decides
    nearest     the ranking for an asker without a client subnet, or with one that no location holds
    alias_ttl   seconds that answers of aliases to AWS-owned names are kept
    dice        picks among weighted answers; seed it to make a run repeatable
    """

    zones: Callable[[], Sequence[Zone]]
    published: Callable[[str], Sequence[RecordSet]]
    healthy: Callable[[str], bool]
    external: Mapping[str, Sequence[str]] = field(default_factory=dict)
    locations: Sequence[Location] = ()
    nearest: tuple[str, ...] = ()
    dice: random.Random = field(default_factory=random.Random)
    alias_ttl: int = ALIAS_TTL

    def respond(self, query: dns.message.Message) -> dns.message.Message:
        """The answer to one well-formed query."""
        response = dns.message.make_response(query, our_payload=PAYLOAD)
        if query.edns > 0:
            response.set_rcode(dns.rcode.BADVERS)
        elif query.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
        elif len(query.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
        else:
            subnet = _client_subnet(query)
            self._answer(response, self._ranking(subnet))
            if subnet is not None:
                # The whole of the subnet told was used: the answer holds for just that (RFC 7871, 7.2.1).
                echoed = dns.edns.ECSOption(subnet.address, subnet.srclen, subnet.srclen)
                response.use_edns(0, payload=PAYLOAD, options=[echoed])
        return response

    def _answer(self, response: dns.message.Message, nearest: tuple[str, ...]) -> None:
        question = response.question[0]
        name, rtype = fqdn(question.name.to_text()), dns.rdatatype.to_text(question.rdtype)
        zone, outside = self.zone_of(name), self.addresses(name, rtype)
        if question.rdclass != dns.rdataclass.IN or (zone is None and outside is None):
            response.set_rcode(dns.rcode.REFUSED)
        elif rtype == "ANY":
            response.set_rcode(dns.rcode.NOTIMP)
        elif zone is not None:
            held = {z.id: tuple(self.published(z.id)) for z in self.zones() if not z.private}
            _Lookup(self, held, zone, nearest).into(response, name, rtype)
        else:
            response.flags |= dns.flags.AA
            response.answer += _rrset(question.name, self.alias_ttl, rtype, outside or ())

    def zone_of(self, name: str) -> Zone | None:
        """The public zone that is authoritative for a name: the one with the longest name that holds it."""
        holding = [z for z in self.zones() if not z.private and ("." + name).endswith("." + fqdn(z.name))]
        return max(holding, key=lambda zone: len(zone.name), default=None)

    def _ranking(self, subnet: dns.edns.ECSOption | None) -> tuple[str, ...]:
        """Regions by latency from the asker. A source prefix of 0 asks not to be located (RFC 7871, 7.1.2)."""
        if subnet is None or subnet.srclen == 0:
            return self.nearest
        address = ipaddress.ip_address(subnet.address)
        fitting = [location for location in self.locations if address in location[0]]
        return max(fitting, key=lambda location: location[0].prefixlen)[1] if fitting else self.nearest

    def addresses(self, name: str, rtype: str) -> tuple[str, ...] | None:
        """An AWS-owned name's addresses of one family; None for a name that is not known as one."""
        wanted = {"A": 4, "AAAA": 6}.get(rtype)
        for known, addresses in list(self.external.items()):  # a copy: the store may be adding one
            if fqdn(known) == fqdn(name):
                return tuple(a for a in addresses if ipaddress.ip_address(a).version == wanted)
        return None


@dataclass(frozen=True)
class _Lookup:
    """One question inside one zone, for one asker."""

    authority: Authority
    held: routing.Zones
    zone: Zone
    nearest: tuple[str, ...]

    def into(self, response: dns.message.Message, name: str, rtype: str) -> None:
        """The records, or a CNAME and what it leads to in this zone, or why there is nothing (RFC 1034, 4.3.2, 3)."""
        response.flags |= dns.flags.AA
        records = self.held[self.zone.id]
        owner = response.question[0].name
        for _ in range(_CHAIN):
            if routing.covering(records, name) is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                break
            found = self._pick(owner, name, rtype)
            response.answer += found
            if found:
                return
            alias_of = self._pick(owner, name, "CNAME")
            response.answer += alias_of
            if not alias_of:
                break
            owner = alias_of[0][0].target
            name = fqdn(owner.to_text())
            if self.authority.zone_of(name) != self.zone:
                return  # the rest is for the resolver to ask
        response.authority += self._soa()

    def _pick(self, owner: dns.name.Name, name: str, rtype: str) -> list[dns.rrset.RRset]:
        shares = routing.answer(self.held, self.zone.id, name, rtype, self.authority.healthy, self.nearest)
        if not shares:
            return []
        weights = [float(share.fraction) for share in shares]
        leaf = self.authority.dice.choices(shares, weights)[0].leaf
        if leaf.alias is None:
            return _rrset(owner, leaf.ttl or 0, rtype, leaf.values)
        # "Route 53 uses the value of TTL for the alias target" (API, ResourceRecordSet.TTL).
        return _rrset(
            owner, self.authority.alias_ttl, rtype, self.authority.addresses(leaf.alias.dns_name, rtype) or ()
        )

    def _soa(self) -> list[dns.rrset.RRset]:
        apex = dns.name.from_text(fqdn(self.zone.name))
        for record in routing.records_at(self.held[self.zone.id], self.zone.name, "SOA"):
            return _rrset(apex, record.ttl or 0, "SOA", record.values)
        mname = fqdn(self.zone.name_servers[0]) if self.zone.name_servers else apex.to_text()
        return _rrset(apex, 900, "SOA", [_UNKNOWN_SOA.format(mname=mname)])


def _rrset(owner: dns.name.Name, ttl: int, rtype: str, values: Sequence[str]) -> list[dns.rrset.RRset]:
    """Values as Route 53 stores them: zone file text, in which every name is absolute even without its dot."""
    if not values:
        return []
    rdatas = dns.rdataset.from_text_list("IN", rtype, ttl, list(values), origin=dns.name.root, relativize=False)
    return [dns.rrset.from_rdata_list(owner, ttl, list(rdatas))]


def _client_subnet(query: dns.message.Message) -> dns.edns.ECSOption | None:
    return next((option for option in query.options if isinstance(option, dns.edns.ECSOption)), None)
