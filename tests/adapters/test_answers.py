"""Questions to a real name server on loopback, over UDP and TCP."""

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from resilience_cli.adapters import dns as asking
from resilience_cli.adapters.aws.answers import Questions, by_the_system
from resilience_cli.errors import NotFound, Uncertain, Unreachable
from resilience_cli.model.app import Route
from resilience_cli.model.facts import Answer, ZoneRecords
from resilience_cli.model.records import AliasTarget, RecordSet, Zone

from .conftest import EAST, WEST, make_app

NAME = "api.example.com."
WEST_NET, EAST_NET = "198.51.100.0/24", "203.0.113.0/24"
Rule = Callable[[str, str | None], list[str] | dns.rcode.Rcode]


class _Udp(socketserver.UDPServer):
    names: "Names"


class _Tcp(socketserver.TCPServer):
    names: "Names"
    allow_reuse_address = True


class _Datagram(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        packet, sock = self.request
        if not self.server.names.silent:
            sock.sendto(self.server.names.reply(packet, cut=self.server.names.truncates), self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        (length,) = struct.unpack("!H", self.rfile.read(2))
        reply = self.server.names.reply(self.rfile.read(length), cut=False)
        self.wfile.write(struct.pack("!H", len(reply)) + reply)


class Names:
    """Answers (name, client subnet) by ``rule``, in answer lines. ``truncates``: over UDP only that TCP be used."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.truncates, self.silent = rule, False, False
        self.text = ""

    def reply(self, packet: bytes, *, cut: bool) -> bytes:
        query = dns.message.from_wire(packet)
        subnets = [f"{o.address}/{o.srclen}" for o in query.options if isinstance(o, dns.edns.ECSOption)]
        said = self.rule(query.question[0].name.to_text(), subnets[0] if subnets else None)
        answer = dns.message.make_response(query)
        if isinstance(said, dns.rcode.Rcode):
            answer.set_rcode(said)
        elif cut:
            answer.flags |= dns.flags.TC
        else:
            answer.answer += [_rrset(line) for line in said]
        return answer.to_wire()


def _rrset(line: str) -> Any:
    owner, ttl, rtype, *values = line.split()
    return dns.rrset.from_text(owner, int(ttl), "IN", rtype, *values)


@contextmanager
def serving(rule: Rule) -> Iterator[Names]:
    names = Names(rule)
    with _Tcp(("127.0.0.1", 0), _Stream) as tcp, _Udp(tcp.server_address, _Datagram) as udp:
        tcp.names = udp.names = names
        names.text = f"127.0.0.1:{tcp.server_address[1]}"
        servers: tuple[socketserver.BaseServer, ...] = (tcp, udp)
        threads = [threading.Thread(target=each.serve_forever, args=(0.02,)) for each in servers]
        for thread in threads:
            thread.start()
        yield names
        for each in servers:
            each.shutdown()
        for thread in threads:
            thread.join()


def route() -> Route:
    subnets = {WEST: WEST_NET, EAST: EAST_NET}
    named = {region: {"set_identifier": region, "client_subnet": subnet} for region, subnet in subnets.items()}
    return make_app(route={"endpoints": named}).routing[0]


def record(region: str, **more: Any) -> RecordSet:
    return RecordSet(name=NAME, type="A", set_identifier=region, weight=1, **more)


def alias(to: str, zone_id: str = "Z0AWS") -> AliasTarget:
    return AliasTarget(zone_id=zone_id, dns_name=to, evaluate_target_health=False)


def held(*records: RecordSet) -> ZoneRecords:
    return ZoneRecords(zone=Zone(id="Z1", name="example.com."), records=records)


PLAIN = held(record(WEST, values=("192.0.2.1",)), record(EAST, values=("192.0.2.2",)))
ALIASED = held(
    record(WEST, alias=alias("d-west.execute-api.us-west-2.amazonaws.com.")),
    record(EAST, alias=alias("d-east.execute-api.us-east-1.amazonaws.com.")),
)


def nobody(name: str, rtype: str) -> tuple[str, ...]:
    """A machine without a resolver."""
    return ()


def look(text: str, records: ZoneRecords) -> list[Answer]:
    questions = Questions(route(), lambda: (text,), lambda: records, nobody)
    return [answer for read in questions.reads() for answer in read.ask().answers]


def by_place(name: str, subnet: str | None) -> list[str] | dns.rcode.Rcode:
    return [f"{name} 60 A {'192.0.2.2' if subnet == EAST_NET else '192.0.2.1'}"]


def test_each_place_is_asked_for_and_each_answer_has_its_region() -> None:
    with serving(by_place) as names:
        anywhere, west, east = look(names.text, PLAIN)
        assert (anywhere.near, anywhere.region) == (None, WEST)
        assert (west.near, west.region, west.addresses, west.ttl) == (WEST, WEST, ("192.0.2.1",), 60)
        assert (east.near, east.region, east.server) == (EAST, EAST, names.text)


def test_alias_answers_are_attributed_by_what_each_target_resolves_to_now() -> None:
    targets = {"d-west.execute-api.us-west-2.amazonaws.com.": "192.0.2.7"}
    targets["d-east.execute-api.us-east-1.amazonaws.com."] = "192.0.2.8"

    def rule(name: str, subnet: str | None) -> list[str]:
        return [f"{name} 60 A {targets.get(name, '192.0.2.8')}"]

    with serving(rule) as names:
        assert {answer.region for answer in look(names.text, ALIASED)} == {EAST}


def test_targets_that_rotate_their_addresses_are_looked_at_again() -> None:
    turns = iter(range(100))

    def rule(name: str, subnet: str | None) -> list[str]:
        if name == NAME:
            return [f"{name} 60 A 192.0.2.12"]
        west = name.startswith("d-west")
        return [f"{name} 60 A {f'192.0.2.{10 + next(turns) % 3}' if west else '192.0.2.8'}"]

    with serving(rule) as names:
        assert look(names.text, ALIASED)[0].region == WEST


def test_an_address_of_no_region_is_attributed_to_none() -> None:
    with serving(lambda name, _: [f"{name} 60 A 192.0.2.99"]) as names:
        assert {answer.region for answer in look(names.text, PLAIN)} == {None}


def test_an_answer_that_may_be_that_of_an_unresolved_target_is_no_answer() -> None:
    records = held(record(WEST, values=("192.0.2.1",)), record(EAST, alias=alias("elsewhere.example.net.")))

    def rule(name: str, subnet: str | None) -> list[str] | dns.rcode.Rcode:
        return [f"{name} 60 A 192.0.2.99"] if name == NAME else dns.rcode.REFUSED

    with serving(rule) as names, pytest.raises(Uncertain, match=EAST):
        look(names.text, records)


def test_aliases_within_the_zone_are_followed_to_their_values() -> None:
    inner = RecordSet(name="west.example.com.", type="A", values=("192.0.2.1",))
    records = held(record(WEST, alias=alias(inner.name, "Z1")), record(EAST, values=("192.0.2.2",)), inner)
    with serving(by_place) as names:
        assert look(names.text, records)[0].region == WEST


def test_a_chain_of_cnames_is_followed_within_the_answer_and_its_lowest_ttl_counts() -> None:
    with serving(lambda name, _: [f"{name} 30 CNAME west.example.com.", "west.example.com. 60 A 192.0.2.1"]) as names:
        answer = look(names.text, PLAIN)[0]
    assert (answer.addresses, answer.ttl, answer.region) == (("192.0.2.1",), 30, WEST)


def test_a_truncated_answer_is_asked_for_again_over_tcp() -> None:
    with serving(by_place) as names:
        names.truncates = True
        assert look(names.text, PLAIN)[0].region == WEST


def test_a_name_that_does_not_exist_is_not_found_and_a_servers_failure_is_uncertain() -> None:
    for code, means in (
        (dns.rcode.NXDOMAIN, NotFound),
        (dns.rcode.SERVFAIL, Uncertain),
        (dns.rcode.REFUSED, Uncertain),
    ):
        with serving(lambda _name, _subnet, code=code: code) as names, pytest.raises(means):  # type: ignore[misc]
            look(names.text, PLAIN)


def test_a_silent_server_is_uncertain_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(by_place) as names:
        names.silent = True
        server = asking.servers(names.text)[0]
        with pytest.raises(Uncertain):
            asking.ask(server, NAME, "A", timeout_s=0.05)


def test_the_second_name_server_is_asked_where_the_first_does_not_answer() -> None:
    with serving(lambda _name, _subnet: dns.rcode.REFUSED) as refusing, serving(by_place) as names:
        questions = Questions(route(), lambda: (refusing.text, names.text), lambda: PLAIN, nobody)
        (answer,) = next(questions.reads()).ask().answers
        assert answer.server == names.text


def as_resolver(names: Names) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    host, _, port = names.text.partition(":")
    resolver.nameservers, resolver.port = [host], int(port)
    return resolver


def test_the_closest_zone_above_a_name_says_who_serves_it() -> None:
    def rule(name: str, subnet: str | None) -> list[str] | dns.rcode.Rcode:
        return ["example.com. 60 NS ns-2.test. ns-1.test."] if name == "example.com." else dns.rcode.NXDOMAIN

    with serving(rule) as names:
        assert asking.name_servers_of("a.b.example.com.", as_resolver(names)) == ("ns-1.test", "ns-2.test")
        with pytest.raises(Unreachable, match="no name server of"):
            asking.name_servers_of("api.example.org.", as_resolver(names))


IMPOSSIBLE = ["api..example.com", f"{'a' * 64}.example.com", ".".join(["a" * 60] * 5), "api.\\300.example.com"]


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_name_that_dns_has_no_room_for_gives_no_answer(name: str) -> None:
    with pytest.raises(Uncertain):
        asking.ask(asking.servers("127.0.0.1:9")[0], name, "A")


@pytest.mark.parametrize("name", IMPOSSIBLE[:2])
def test_such_a_name_has_no_addresses_and_serves_no_names(name: str) -> None:
    assert by_the_system(name, "A") == ()
    with pytest.raises(Unreachable):
        asking.servers(name)


def test_a_target_of_such_a_name_does_not_resolve_and_hides_no_other_region() -> None:
    records = held(record(WEST, values=("192.0.2.1",)), record(EAST, alias=alias("a..example.net.")))
    with serving(lambda name, _: [f"{name} 60 A 192.0.2.1"]) as names:
        assert {answer.region for answer in look(names.text, records)} == {WEST}


def test_no_name_server_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        next(Questions(route(), lambda: (), lambda: PLAIN, nobody).reads()).ask()


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("127.0.0.1", "127.0.0.1", 53),
        ("127.0.0.1:5353", "127.0.0.1", 5353),
        ("[::1]:53", "::1", 53),
        ("::1", "::1", 53),
    ],
)
def test_a_name_server_may_be_given_with_a_port(text: str, address: str, port: int) -> None:
    server = asking.servers(text)[0]
    assert (server.address, server.port, server.text) == (address, port, text)


def both_families(name: str, subnet: str | None) -> list[str]:
    return [f"{name} 60 A 192.0.2.1", f"{name} 60 AAAA 2001:db8::{2 if subnet == EAST_NET else 1}"]


def sibling_answers(text: str, records: Callable[[], ZoneRecords], **more: Any) -> list[Answer]:
    questions = Questions(route(), lambda: (text,), records, nobody, sibling="AAAA", **more)
    return [answer for read in questions.reads() for answer in read.ask().answers]


def test_a_sibling_type_is_asked_for_and_attributed_by_its_own_records() -> None:
    twins = tuple(
        RecordSet(name=NAME, type="AAAA", set_identifier=region, weight=1, values=(f"2001:db8::{n}",))
        for n, region in enumerate((WEST, EAST), 1)
    )
    with serving(both_families) as names:
        told = sibling_answers(names.text, lambda: held(*PLAIN.records, *twins))
    assert [(answer.type, answer.near, answer.region) for answer in told] == [
        ("AAAA", None, WEST),
        ("AAAA", WEST, WEST),
        ("AAAA", EAST, EAST),
    ]


def test_a_sibling_type_without_records_is_not_asked_for() -> None:
    assert sibling_answers("127.0.0.1:1", lambda: PLAIN) == []


def test_where_records_cannot_be_read_what_is_answered_says_whether_there_is_a_sibling() -> None:
    def unread() -> ZoneRecords:
        raise Unreachable("route53: nobody there")

    with serving(by_place) as names:
        assert sibling_answers(names.text, unread) == []
    with serving(both_families) as names:
        told = sibling_answers(
            names.text, unread, probed={EAST: frozenset({"2001:db8::2"}), WEST: frozenset({"2001:db8::1"})}
        )
        assert [answer.region for answer in told] == [WEST, WEST, EAST]
