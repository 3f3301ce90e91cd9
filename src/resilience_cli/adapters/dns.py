"""Authoritative DNS questions: ask this server this name, as an asker near that place would.

UDP first and TCP where the answer was truncated (RFC 1035 §4.2), two tries of two seconds, and the asker's network in
EDNS client subnet (RFC 7871), which Route 53's name servers heed (developer guide, "How Amazon Route 53 uses EDNS0").
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from ..errors import NotFound, Uncertain, Unreachable

TIMEOUT_S = 2.0
TRIES = 2
PORT = 53
LONGEST_CHAIN = 8


@dataclass(frozen=True)
class Server:
    """A name server by its address. ``text`` is how it was named."""

    address: str
    port: int
    text: str


@dataclass(frozen=True)
class Answered:
    """The values at the end of the answer's own CNAME chain, sorted, and the lowest TTL along it."""

    values: tuple[str, ...]
    ttl: int | None
    server: str


def servers(text: str) -> tuple[Server, ...]:
    """``host``, ``host:port``, an IPv6 address or ``[address]:port``: every address the host has.

    Unreachable where it has none, for then nobody can be asked.
    """
    host, port = _split(text)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is empty or too long
        raise Unreachable(f"no address for the name server {host}: {error}") from error
    return tuple(dict.fromkeys(Server(str(info[4][0]), port, text) for info in found))


def name_servers_of(name: str, resolver: dns.resolver.Resolver | None = None) -> tuple[str, ...]:
    """The name servers of the zone that holds ``name``, as this machine's resolver finds them: the closest NS set.

    Unreachable where there is none to be found. ``resolver``: whom to ask instead.
    """
    try:
        asked = resolver or dns.resolver.Resolver()
        zone = dns.name.from_text(name)
        while len(zone.labels) > 2:  # not the top-level domain's, nor the root's
            found = _servers_at(asked, zone)
            if found:
                return found
            zone = zone.parent()
    except (dns.exception.DNSException, OSError) as error:
        raise Unreachable(f"no name server of {name} could be found: {error}") from error
    raise Unreachable(f"no name server of {name} could be found")


def _servers_at(resolver: dns.resolver.Resolver, zone: dns.name.Name) -> tuple[str, ...]:
    try:
        answer = resolver.resolve(zone, "NS", lifetime=TIMEOUT_S, search=False)
    except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
        return ()
    return tuple(sorted(text.lower().rstrip(".") for text in _values(answer)))


def ask(server: Server, name: str, rtype: str, subnet: str | None = None, *, timeout_s: float = TIMEOUT_S) -> Answered:
    """One question. NotFound for NXDOMAIN; Uncertain for no answer, or one that is neither yes nor no.

    A name or an answer that DNS has no room for (an empty label, one longer than 63) is no answer either.
    """
    try:
        return _asked(server, name, rtype, subnet, timeout_s)
    except dns.exception.DNSException as error:
        raise Uncertain(f"{server.text} cannot be asked for {name}: {error or type(error).__name__}") from error


def _asked(server: Server, name: str, rtype: str, subnet: str | None, timeout_s: float) -> Answered:
    question = dns.message.make_query(name, rtype, use_edns=0, payload=1232)
    if subnet is not None:
        address, _, length = subnet.partition("/")
        question.use_edns(0, payload=1232, options=[dns.edns.ECSOption(address, int(length))])
    answer = _exchange(server, question, timeout_s)
    code = answer.rcode()
    if code == dns.rcode.NXDOMAIN:
        raise NotFound(f"{server.text} says {name} does not exist", code="NXDOMAIN")
    if code != dns.rcode.NOERROR:
        raise Uncertain(f"{server.text} answered {dns.rcode.to_text(code)} for {name}")
    return _end_of(answer, name, rtype, server.text)


def _exchange(server: Server, question: dns.message.QueryMessage, timeout_s: float) -> dns.message.Message:
    last = "no answer"
    for _ in range(TRIES):
        try:
            answer, _tcp = dns.query.udp_with_fallback(question, server.address, timeout=timeout_s, port=server.port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            last = str(error) or type(error).__name__
        else:
            return answer
    raise Uncertain(f"{server.text} ({server.address}): {last}")


def _end_of(answer: dns.message.Message, name: str, rtype: str, server: str) -> Answered:
    wanted, chain = dns.rdatatype.from_text(rtype), _sets(answer)
    owner, ttls = name.lower().rstrip(".") + ".", list[int]()
    for _ in range(LONGEST_CHAIN):
        if (owner, wanted) in chain:
            values, ttl = chain[owner, wanted]
            return Answered(tuple(sorted(values)), min([*ttls, ttl]), server)
        if (owner, dns.rdatatype.CNAME) not in chain:
            break
        values, ttl = chain[owner, dns.rdatatype.CNAME]
        ttls.append(ttl)
        owner = values[0]
    return Answered((), min(ttls, default=None), server)


def _sets(answer: dns.message.Message) -> dict[tuple[str, dns.rdatatype.RdataType], tuple[list[str], int]]:
    return {
        (rrset.name.to_text().lower(), rrset.rdtype): ([value.lower() for value in _values(rrset)], rrset.ttl)
        for rrset in answer.answer
    }


def _values(rrset: object) -> Iterator[str]:
    return (rdata.to_text() for rdata in rrset)  # type: ignore[attr-defined]  # dnspython's sets iterate untyped


def _split(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, int(port.lstrip(":") or PORT)
    host, _, port = text.partition(":")
    if ":" in port:  # a bare IPv6 address
        return text, PORT
    return host, int(port or PORT)
