"""Faults of the name server: queries unanswered, refused, failed or late. They name ``service: dns``, and may name the
record type as their ``operation``; a fault of all services is none of the name server's, which is another plane."""

import struct
from collections.abc import Callable, Iterator
from typing import assert_never

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from ...model.fault import BlackHole, Fault, Jitter, Latency, Refuse, ServerError, UnknownName, fits
from .live import Live

DNS = "dns"
"""The name server, as a service whose operations are the record types it is asked for."""
TYPES = ("A", "AAAA", "CNAME", "NS", "SOA", "TXT", "HTTPS")

Reply = bytes | None
QueryFault = BlackHole | Refuse | Latency | Jitter | ServerError


def check(fault: Fault) -> None:
    """Raises UnknownName for a kind that the name server has not."""
    if DNS in getattr(fault, "service", ()) and not isinstance(fault, QueryFault):
        can = "black-hole, refuse, error-5xx, latency and jitter"
        raise UnknownName(f"the name server knows no {fault.kind}; it knows {can}")


def around_query(lives: tuple[Live, ...], packet: bytes, ask: Callable[[], Reply]) -> Reply:
    """The reply under the faults that strike this query; None for none."""
    for live, fault in _striking(lives, packet):
        match fault:
            case BlackHole():
                return None
            case Refuse():
                return bare(packet, dns.rcode.REFUSED)
            case ServerError():
                return bare(packet, dns.rcode.SERVFAIL)
            case Latency() | Jitter():
                live.gone.wait(fault.delay if isinstance(fault, Latency) else live.draw(fault.least, fault.most))
            case _:
                assert_never(fault)
    return ask()


def bare(packet: bytes, rcode: dns.rcode.Rcode) -> bytes:
    """A header alone: the query's id and opcode, and why."""
    flags = 0x8000 | (packet[2] & 0x79) << 8 | int(rcode)
    return packet[:2] + struct.pack("!HHHHH", flags, 0, 0, 0, 0)


def _striking(lives: tuple[Live, ...], packet: bytes) -> Iterator[tuple[Live, QueryFault]]:
    about = [(live, live.fault) for live in lives if isinstance(live.fault, QueryFault) and DNS in live.fault.service]
    on = [(live, fault) for live, fault in about if live.is_on()]
    rtype = _asked_for(packet) if on else ""
    for live, fault in on:
        if fits(fault.operation, rtype) and live.strikes():
            yield live, fault


def _asked_for(packet: bytes) -> str:
    try:
        questions = dns.message.from_wire(packet).question
    except dns.exception.DNSException:
        return ""
    return dns.rdatatype.to_text(questions[0].rdtype) if questions else ""
