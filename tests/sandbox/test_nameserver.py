"""The name server, asked over real sockets as a resolver would ask."""

import ipaddress
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_cli.model.records import AliasTarget, RecordSet, Zone
from resilience_cli.sandbox.authority import Authority
from resilience_cli.sandbox.nameserver import NameServer, answer_packet

WEST, EAST = "us-west-2", "us-east-1"
GATEWAYS = {
    "d-west.execute-api.us-west-2.amazonaws.com": ["127.0.1.1", "::1"],
    "d-east.execute-api.us-east-1.amazonaws.com.": ["127.0.1.2"],
}


def record(name: str, rtype: str, *values: str, ttl: int = 30) -> RecordSet:
    return RecordSet(name=f"{name}.example.com." if name else "example.com.", type=rtype, ttl=ttl, values=values)


def gateway(name: str, region: str, short: str, check: str | None = None) -> RecordSet:
    """A latency alias of an API Gateway, as the Guidance has them."""
    target = AliasTarget(
        zone_id="Z2OJLYMUO9EFXC",
        dns_name=f"d-{short}.execute-api.{region}.amazonaws.com.",
        evaluate_target_health=False,
    )
    return RecordSet(
        name=f"{name}.example.com.", type="A", set_identifier=short, region=region, alias=target, health_check_id=check
    )


def weighted(name: str, identifier: str, weight: int, value: str) -> RecordSet:
    return record(name, "A", value).model_copy(update={"set_identifier": identifier, "weight": weight})


def alias(name: str, target: str) -> RecordSet:
    there = AliasTarget(zone_id="Z1", dns_name=f"{target}.example.com.", evaluate_target_health=True)
    return RecordSet(name=f"{name}.example.com.", type="A", alias=there)


RECORDS = [
    record("", "SOA", "ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", ttl=900),
    record("", "NS", "ns-1.awsdns-01.org.", "ns-2.awsdns-02.net.", ttl=172800),
    record("plain", "A", "192.0.2.1", "192.0.2.2"),
    record("plain", "AAAA", "2001:db8::1"),
    record("text", "TXT", '"v=spf1 -all" "more"', r'"a \"quoted\" word"'),
    record("web", "HTTPS", "1 . alpn=h2 ipv4hint=192.0.2.1"),
    record("www", "CNAME", "plain.example.com"),
    record("away", "CNAME", "elsewhere.example.net"),
    record("round", "CNAME", "round.example.com."),
    record("dead", "CNAME", "nothing.example.com."),
    record("big", "TXT", *(f'"{n:03}{"x" * 200}"' for n in range(20))),
    record("*.wild", "A", "192.0.2.9"),
    record("broken", "A", "not an address"),
    gateway("api", WEST, "west", "rc-west"),
    gateway("api", EAST, "east", "rc-east"),
    gateway("v6", WEST, "west").model_copy(update={"type": "AAAA"}),
    gateway("v6", EAST, "east").model_copy(update={"type": "AAAA"}),
    weighted("ramp", "west", 25, "192.0.2.10"),
    weighted("ramp", "east", 75, "192.0.2.20"),
    alias("short", "ramp"),
    alias("lost", "nowhere"),
]


@dataclass
class World:
    """What a test may change while the server runs."""

    unhealthy: set[str] = field(default_factory=set)
    records: list[RecordSet] = field(default_factory=lambda: list(RECORDS))


@pytest.fixture
def world() -> World:
    return World()


def authority_over(world: World) -> Authority:
    zones = [
        Zone(id="Z1", name="example.com.", name_servers=("ns-1.awsdns-01.org",)),
        Zone(id="Z2", name="sub.example.com."),
        Zone(id="Z3", name="internal.", private=True),
    ]
    held = {"Z2": [], "Z3": [RecordSet(name="db.internal.", type="A", ttl=5, values=("10.0.0.1",))]}
    return Authority(
        zones=lambda: zones,
        published=lambda zone_id: world.records if zone_id == "Z1" else held[zone_id],
        healthy=lambda check: check not in world.unhealthy,
        external=GATEWAYS,
        locations=[
            (ipaddress.ip_network("198.51.0.0/16"), (WEST, EAST)),
            (ipaddress.ip_network("198.51.100.0/24"), (EAST, WEST)),
            (ipaddress.ip_network("2001:db8:e::/48"), (EAST, WEST)),
        ],
        nearest=(WEST, EAST),
        dice=random.Random(7),
    )


@pytest.fixture
def server(world: World) -> Iterator[NameServer]:
    with NameServer(authority_over(world)) as running:
        yield running


def ask(server: NameServer, name: str, rtype: str = "A", subnet: str | None = None) -> dns.message.Message:
    options: list[dns.edns.Option] = []
    if subnet is not None:
        address, _, length = subnet.partition("/")
        options = [dns.edns.ECSOption(address, int(length))]
    query = dns.message.make_query(name, rtype, use_edns=0 if options else -1, options=options)
    return dns.query.udp(query, server.host, timeout=5, port=server.port)


def values(response: dns.message.Message) -> list[str]:
    return sorted(rdata.to_text() for rrset in response.answer for rdata in rrset)


# --- Records as held -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rtype", "expected"),
    [
        ("plain.example.com", "A", ["192.0.2.1", "192.0.2.2"]),
        ("PLAIN.Example.COM", "AAAA", ["2001:db8::1"]),
        ("text.example.com", "TXT", ['"a \\"quoted\\" word"', '"v=spf1 -all" "more"']),
        ("web.example.com", "HTTPS", ['1 . alpn="h2" ipv4hint="192.0.2.1"']),
        ("example.com", "NS", ["ns-1.awsdns-01.org.", "ns-2.awsdns-02.net."]),
        ("www.example.com", "CNAME", ["plain.example.com."]),
        ("any.wild.example.com", "A", ["192.0.2.9"]),
    ],
)
def test_records_are_answered_as_they_are_held(server: NameServer, name: str, rtype: str, expected: list[str]) -> None:
    response = ask(server, name, rtype)
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA
    assert values(response) == expected


def test_the_ttl_is_the_records(server: NameServer) -> None:
    assert ask(server, "plain.example.com").answer[0].ttl == 30


def test_a_cname_is_followed_inside_its_zone_and_not_beyond(server: NameServer) -> None:
    assert values(ask(server, "www.example.com")) == ["192.0.2.1", "192.0.2.2", "plain.example.com."]
    away = ask(server, "away.example.com")
    assert values(away) == ["elsewhere.example.net."]
    assert away.rcode() == dns.rcode.NOERROR


def test_a_cname_to_itself_ends_and_one_to_nothing_says_so(server: NameServer) -> None:
    assert "round.example.com." in values(ask(server, "round.example.com"))
    assert ask(server, "dead.example.com").rcode() == dns.rcode.NXDOMAIN


# --- What is not there -----------------------------------------------------------------------------------------------


def test_a_name_that_does_not_exist_is_nxdomain_with_the_zones_soa(server: NameServer) -> None:
    response = ask(server, "nope.example.com")
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.rdtype for rrset in response.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize(("name", "rtype"), [("plain.example.com", "MX"), ("wild.example.com", "A")])
def test_a_name_without_that_type_is_an_empty_answer_with_the_zones_soa(
    server: NameServer, name: str, rtype: str
) -> None:
    response = ask(server, name, rtype)
    assert response.rcode() == dns.rcode.NOERROR
    assert not response.answer
    assert [rrset.rdtype for rrset in response.authority] == [dns.rdatatype.SOA]


def test_a_zone_without_a_soa_record_still_says_that_nothing_is_there(server: NameServer) -> None:
    response = ask(server, "x.sub.example.com")
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert response.authority[0].name.to_text() == "sub.example.com."


@pytest.mark.parametrize("name", ["example.net", "notexample.com", "db.internal"])
def test_names_outside_the_public_zones_are_refused(server: NameServer, name: str) -> None:
    assert ask(server, name).rcode() == dns.rcode.REFUSED


def test_a_value_that_is_no_dns_is_a_server_failure_and_the_server_lives(server: NameServer) -> None:
    assert ask(server, "broken.example.com").rcode() == dns.rcode.SERVFAIL
    assert ask(server, "plain.example.com").rcode() == dns.rcode.NOERROR


# --- Aliases and routing ---------------------------------------------------------------------------------------------


def test_an_alias_is_answered_by_its_targets_bare_addresses_with_a_ttl_of_60(server: NameServer) -> None:
    response = ask(server, "api.example.com")
    assert values(response) == ["127.0.1.1"]
    assert response.answer[0].ttl == 60
    assert response.answer[0].name.to_text() == "api.example.com."


def test_an_alias_inside_the_zone_has_its_targets_ttl(server: NameServer) -> None:
    response = ask(server, "short.example.com")
    assert values(response)[0] in {"192.0.2.10", "192.0.2.20"}
    assert response.answer[0].ttl == 30


def test_an_alias_of_a_target_without_such_an_address_is_an_empty_answer(server: NameServer) -> None:
    assert values(ask(server, "v6.example.com", "AAAA")) == ["::1"]
    east = ask(server, "v6.example.com", "AAAA", subnet="198.51.100.0/24")
    assert east.rcode() == dns.rcode.NOERROR
    assert not east.answer
    assert not ask(server, "lost.example.com").answer


def test_names_that_aws_owns_are_answered_too(server: NameServer) -> None:
    assert values(ask(server, "d-east.execute-api.us-east-1.amazonaws.com")) == ["127.0.1.2"]
    assert values(ask(server, "d-west.execute-api.us-west-2.amazonaws.com", "AAAA")) == ["::1"]
    assert ask(server, "d-north.execute-api.eu-north-1.amazonaws.com").rcode() == dns.rcode.REFUSED


def test_the_client_subnet_decides_which_region_is_near(server: NameServer) -> None:
    assert values(ask(server, "api.example.com", subnet="198.51.7.0/24")) == ["127.0.1.1"]
    assert values(ask(server, "api.example.com", subnet="198.51.100.0/24")) == ["127.0.1.2"], "longest prefix"
    assert values(ask(server, "api.example.com", subnet="2001:db8:e::/56")) == ["127.0.1.2"]
    assert values(ask(server, "api.example.com", subnet="203.0.113.0/24")) == ["127.0.1.1"], "the default"
    assert values(ask(server, "api.example.com", subnet="0.0.0.0/0")) == ["127.0.1.1"], "asked not to be located"


def test_the_client_subnet_is_echoed_with_its_scope(server: NameServer) -> None:
    (echoed,) = ask(server, "api.example.com", subnet="198.51.100.0/24").options
    assert echoed == dns.edns.ECSOption("198.51.100.0", 24, 24)
    assert not ask(server, "api.example.com").options


def test_an_unhealthy_region_is_left_and_returned_to(server: NameServer, world: World) -> None:
    world.unhealthy.add("rc-west")
    assert values(ask(server, "api.example.com")) == ["127.0.1.2"]
    world.unhealthy.clear()
    assert values(ask(server, "api.example.com")) == ["127.0.1.1"]


def test_weights_are_kept_over_many_answers_and_a_weight_of_0_at_once(server: NameServer, world: World) -> None:
    seen = Counter(values(ask(server, "ramp.example.com"))[0] for _ in range(400))
    assert 60 <= seen["192.0.2.10"] <= 140, "25 % of 400, seeded"
    world.records = [r for r in RECORDS if r.name != "ramp.example.com."]
    world.records += [weighted("ramp", "west", 0, "192.0.2.10"), weighted("ramp", "east", 100, "192.0.2.20")]
    assert {values(ask(server, "ramp.example.com"))[0] for _ in range(50)} == {"192.0.2.20"}


# --- Packets ---------------------------------------------------------------------------------------------------------


def test_an_answer_over_512_bytes_is_cut_for_a_client_without_edns_and_whole_over_tcp(server: NameServer) -> None:
    assert ask(server, "big.example.com", "TXT").flags & dns.flags.TC
    query = dns.message.make_query("big.example.com", "TXT")
    whole = dns.query.tcp(query, server.host, timeout=5, port=server.port)
    assert len(values(whole)) == 20
    assert not whole.flags & dns.flags.TC


def test_edns_allows_a_larger_answer_up_to_our_limit(server: NameServer) -> None:
    query = dns.message.make_query("plain.example.com", "A", use_edns=0, payload=1232)
    assert dns.query.udp(query, server.host, timeout=5, port=server.port).edns == 0
    query = dns.message.make_query("big.example.com", "TXT", use_edns=0, payload=65000)
    assert dns.query.udp(query, server.host, timeout=5, port=server.port).flags & dns.flags.TC


def test_tcp_answers_several_questions_on_one_connection(server: NameServer) -> None:
    with socket.create_connection((server.host, server.port), timeout=5) as sock:
        for name in ("plain.example.com", "api.example.com"):
            dns.query.send_tcp(sock, dns.message.make_query(name, "A"))
            response, _ = dns.query.receive_tcp(sock)
            assert response.answer


@pytest.mark.parametrize(
    ("query", "rcode"),
    [
        (dns.update.UpdateMessage("example.com"), dns.rcode.NOTIMP),
        (dns.message.make_query("plain.example.com", "ANY"), dns.rcode.NOTIMP),
        (dns.message.make_query("plain.example.com", "A", rdclass="CH"), dns.rcode.REFUSED),
        (dns.message.make_query("plain.example.com", "A", use_edns=1), dns.rcode.BADVERS),
        (dns.message.QueryMessage(id=7), dns.rcode.FORMERR),
    ],
)
def test_questions_it_does_not_serve_are_turned_down(
    server: NameServer, query: dns.message.Message, rcode: dns.rcode.Rcode
) -> None:
    assert dns.query.udp(query, server.host, timeout=5, port=server.port).rcode() == rcode


def test_malformed_packets_get_formerr_or_silence_and_the_server_lives(server: NameServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((server.host, server.port))
        sock.send(b"short")
        response = dns.message.make_response(dns.message.make_query("plain.example.com", "A"))
        sock.send(response.to_wire())
        sock.send(b"\xab\xcd\x01\x00" + struct.pack("!HHHH", 1, 0, 0, 0) + b"\xff\xff\xff")
        reply = sock.recv(512)
    assert reply[:2] == b"\xab\xcd", "the only one of the three that is answered"
    assert dns.message.from_wire(reply).rcode() == dns.rcode.FORMERR
    assert ask(server, "plain.example.com").answer


def test_noise_over_tcp_ends_that_connection_only(server: NameServer) -> None:
    with socket.create_connection((server.host, server.port), timeout=5) as sock:
        sock.sendall(struct.pack("!H", 3) + b"abc")
        assert sock.recv(10) == b""
    assert ask(server, "plain.example.com").answer


@given(st.binary(max_size=80))
def test_no_bytes_whatever_raise(packet: bytes) -> None:
    reply = answer_packet(authority_over(World()), packet, 512)
    assert reply is None or reply[:2] == packet[:2]


def test_stopping_frees_the_port_and_leaves_no_thread_though_a_client_hangs_on(world: World) -> None:
    before = threading.active_count()
    server = NameServer(authority_over(world))
    server.start()
    with socket.create_connection((server.host, server.port), timeout=5) as idle:
        dns.query.send_tcp(idle, dns.message.make_query("plain.example.com", "A"))
        dns.query.receive_tcp(idle)
        server.stop()
        assert threading.active_count() == before
    NameServer(authority_over(world), port=server.port).stop()


def test_a_port_that_is_taken_is_an_error_when_made(server: NameServer, world: World) -> None:
    with pytest.raises(OSError, match="in use"):
        NameServer(authority_over(world), port=server.port)
