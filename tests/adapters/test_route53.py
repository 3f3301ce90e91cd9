from typing import Any

import pytest

from resilience_cli.adapters.aws.route53 import Records, reached
from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.zones import Zones
from resilience_cli.errors import Conflicting, Denied, NotFound, Throttled, Uncertain, UsageError
from resilience_cli.model.app import Route
from resilience_cli.model.effects import WeightsEffect
from resilience_cli.model.facts import ZoneRecords
from resilience_cli.model.records import AliasTarget, RecordSet, Zone

from .conftest import EAST, Answering, Stub, make_app

ZONE = Zone(id="Z1", name="example.com.")


def route(zone: str = "example.com", **more: Any) -> Route:
    return make_app(route={"zone": zone, **more}).routing[0]


def zone(id_: str, name: str = "example.com.", *, private: bool = False) -> dict[str, Any]:
    return {"Id": f"/hostedzone/{id_}", "Name": name, "CallerReference": "x", "Config": {"PrivateZone": private}}


def named(*zones: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"HostedZones": list(zones), "IsTruncated": False, "MaxItems": "100"} | more


def record(name: str, region: str = "west", weight: int = 100, **more: Any) -> dict[str, Any]:
    value = {"Name": name, "Type": "A", "SetIdentifier": region, "Weight": weight}
    return value | ({} if "AliasTarget" in more else {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}) | more


def listed(*records: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"ResourceRecordSets": list(records), "IsTruncated": False, "MaxItems": "300"} | more


def test_a_public_and_a_private_zone_of_one_name_are_told_apart(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST)
    both = named(zone("Z1"), zone("Z2", private=True), zone("Z3", "example.org."))
    for _ in range(2):
        answers.add_response("list_hosted_zones_by_name", both, {"DNSName": "example.com.", "MaxItems": "100"})
    zones = Zones(sessions)
    assert zones.of(route()).id == "Z1"
    assert zones.of(route(private=True)).id == "Z2"
    assert zones.of(route()).id == "Z1"  # remembered: nothing more is asked


def test_two_zones_of_one_name_and_kind_are_a_usage_error_naming_both(sessions: Sessions, stub: Stub) -> None:
    stub("route53", EAST).add_response("list_hosted_zones_by_name", named(zone("Z1"), zone("Z9")))
    with pytest.raises(UsageError, match="Z1, Z9"):
        Zones(sessions).of(route())


def test_no_zone_of_that_name_is_not_found_and_says_the_kind(sessions: Sessions, stub: Stub) -> None:
    stub("route53", EAST).add_response("list_hosted_zones_by_name", named(zone("Z1", "example.net.")))
    with pytest.raises(NotFound, match="private hosted zone"):
        Zones(sessions).of(route(private=True))


def test_a_zone_given_by_id_is_taken_as_it_is_with_its_name_servers(sessions: Sessions, stub: Stub) -> None:
    answer = {"HostedZone": zone("Z1"), "DelegationSet": {"NameServers": ["ns-1.example.net"]}}
    stub("route53", EAST).add_response("get_hosted_zone", answer, {"Id": "Z1"})
    zones = Zones(sessions)
    assert zones.of(route("Z1")).name == "example.com."
    assert zones.name_servers(route("Z1")) == ("ns-1.example.net",)


def test_a_name_is_read_in_all_types_with_the_names_its_aliases_lead_to(sessions: Sessions, stub: Stub) -> None:
    alias = {"HostedZoneId": "Z1", "DNSName": "west.example.com.", "EvaluateTargetHealth": True}
    answers = stub("route53", EAST)
    asked = {"HostedZoneId": "Z1", "MaxItems": "300"}
    page = listed(record("api.example.com.", AliasTarget=alias), record("api.example.com.", Type="AAAA"))
    answers.add_response("list_resource_record_sets", page, asked | {"StartRecordName": "api.example.com."})
    page = listed(record("west.example.com."), record("x.example.com."))
    answers.add_response("list_resource_record_sets", page, asked | {"StartRecordName": "west.example.com."})
    found = Records(sessions).of_names(ZONE, ["api.example.com."])
    assert [(r.name, r.type) for r in found] == [
        ("api.example.com.", "A"),
        ("api.example.com.", "AAAA"),
        ("west.example.com.", "A"),
    ]


def test_a_whole_zone_is_read_page_by_page(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST)
    more = {"IsTruncated": True, "NextRecordName": "b.example.com.", "NextRecordType": "A"}
    first = listed(record("a.example.com."), **more, NextRecordIdentifier="west")
    answers.add_response("list_resource_record_sets", first, {"HostedZoneId": "Z1", "MaxItems": "300"})
    start = {"StartRecordName": "b.example.com.", "StartRecordType": "A", "StartRecordIdentifier": "west"}
    second = listed(record("b.example.com."))
    answers.add_response("list_resource_record_sets", second, {"HostedZoneId": "Z1", "MaxItems": "300"} | start)
    assert [r.name for r in Records(sessions).whole(ZONE)] == ["a.example.com.", "b.example.com."]


def test_protections_are_told_by_name_and_type(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST)
    page = {"ResourceRecordSetProtections": [{"RecordName": "API.example.com", "RecordType": "A"}]}
    answers.add_response("list_resource_record_set_protections", page, {"HostedZoneId": "Z1"})
    answers.add_response("list_resource_record_set_protections", {"ResourceRecordSetProtections": []})
    records = Records(sessions)
    assert records.protected(ZONE) == ("api.example.com. A",)
    assert records.protected(ZONE) == ()


@pytest.mark.parametrize("code", ["AccessDenied", "UnknownOperation", "InternalFailure"])
def test_protections_that_cannot_be_read_are_unknown_and_not_none_of_them(
    sessions: Sessions, stub: Stub, code: str
) -> None:
    stub("route53", EAST).add_client_error("list_resource_record_set_protections", code)
    assert Records(sessions).protected(ZONE) is None


def test_records_read_without_their_protections_do_not_say_that_there_are_none() -> None:
    assert ZoneRecords(zone=ZONE, records=()).protected is None


def test_alias_loops_end() -> None:
    def alias(name: str, to: str) -> RecordSet:
        target = AliasTarget(zone_id="Z1", dns_name=to, evaluate_target_health=False)
        return RecordSet(name=name, type="A", alias=target)

    records = (alias("a.", "b."), alias("b.", "a."), alias("c.", "a."))
    assert [r.name for r in reached(ZONE, records, ["a."])] == ["a.", "b."]


def weighted(region: str, weight: int) -> RecordSet:
    return RecordSet(
        name="api.example.com.", type="A", set_identifier=region, weight=weight, ttl=60, values=("192.0.2.1",)
    )


EFFECT = WeightsEffect(
    zone_id="Z1",
    zone_name="example.com.",
    before=(weighted("west", 100), weighted("east", 0)),
    after=(weighted("west", 0), weighted("east", 100)),
)
ACCEPTED = {"ChangeInfo": {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": "2026-10-06T03:00:00Z"}}


def test_a_swap_deletes_exactly_what_was_read_and_creates_what_is_wanted_in_one_batch(
    sessions: Sessions, stub: Stub
) -> None:
    def change(action: str, region: str, weight: int) -> dict[str, Any]:
        return {"Action": action, "ResourceRecordSet": record("api.example.com.", region, weight)}

    changes = [
        change("DELETE", "west", 100),
        change("DELETE", "east", 0),
        change("CREATE", "west", 0),
        change("CREATE", "east", 100),
    ]
    batch = {"Comment": "resil: compare-and-swap of weights", "Changes": changes}
    answers = stub("route53", EAST, writes=True)
    answers.add_response("change_resource_record_sets", ACCEPTED, {"HostedZoneId": "Z1", "ChangeBatch": batch})
    assert Records(sessions).swap(EFFECT).change_id == "C1"


@pytest.mark.parametrize(
    ("message", "means"),
    [
        ("[Tried to delete resource record set but the values provided do not match the current values]", Conflicting),
        ("[Tried to create resource record set but it already exists]", Conflicting),
        ("[The resource record set is protected from change]", Denied),
    ],
)
def test_a_refused_batch_is_a_conflict_unless_the_record_is_protected(
    sessions: Sessions, stub: Stub, message: str, means: type[Exception]
) -> None:
    answers = stub("route53", EAST, writes=True)
    answers.add_client_error("change_resource_record_sets", "InvalidChangeBatch", message)
    with pytest.raises(means) as refused:
        Records(sessions).swap(EFFECT)
    assert message in str(refused.value)


def test_a_busy_zone_is_asked_again_and_an_uncertain_answer_never(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST, writes=True)
    answers.add_client_error("change_resource_record_sets", "PriorRequestNotComplete")
    answers.add_client_error("change_resource_record_sets", "Throttling", "Rate exceeded")
    answers.add_response("change_resource_record_sets", ACCEPTED)
    pauses: list[float] = []
    assert Records(sessions, pause=pauses.append).swap(EFFECT).change_id == "C1"
    assert len(pauses) == 2
    answers.add_client_error("change_resource_record_sets", "InternalFailure", http_status_code=500)
    with pytest.raises(Uncertain):
        Records(sessions, pause=pauses.append).swap(EFFECT)


def test_a_zone_that_stays_busy_is_given_up_within_the_calls_time(sessions: Sessions, stub: Stub) -> None:
    answers = stub("route53", EAST, writes=True)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        answers.add_client_error("change_resource_record_sets", "PriorRequestNotComplete")

    answers.add_client_error("change_resource_record_sets", "PriorRequestNotComplete")
    with pytest.raises(Throttled):
        Records(sessions, pause=pause).swap(EFFECT)
    assert 10 < sum(pauses) < 25


@pytest.mark.parametrize("body", [b"<html></html>", b"<R><ChangeInfo/></R>"])
def test_an_answer_to_a_swap_that_is_not_route_53s_is_uncertain(
    monkeypatch: pytest.MonkeyPatch, answering: Answering, body: bytes
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROUTE_53", answering(body))
    with pytest.raises(Uncertain, match="cannot be read"):
        Records(Sessions()).swap(EFFECT)


def test_protections_in_an_answer_cut_short_are_unknown_not_none(
    monkeypatch: pytest.MonkeyPatch, answering: Answering
) -> None:
    cut = b"<R><ResourceRecordSetProtections><ResourceRecordSetProtection/></ResourceRecordSetProtections></R>"
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROUTE_53", answering(cut))
    assert Records(Sessions()).protected(ZONE) is None


@pytest.mark.parametrize(("status", "known"), [("INSYNC", "yes"), ("PENDING", "no")])
def test_a_change_is_in_sync_when_get_change_says_so(sessions: Sessions, stub: Stub, status: str, known: str) -> None:
    answer = {"ChangeInfo": ACCEPTED["ChangeInfo"] | {"Status": status}}
    stub("route53", EAST).add_response("get_change", answer, {"Id": "C1"})
    assert Records(sessions).in_sync("C1") == known


@pytest.mark.parametrize("code", ["NoSuchChange", "Throttling", "AccessDenied"])
def test_a_change_that_cannot_be_read_is_unknown(sessions: Sessions, stub: Stub, code: str) -> None:
    stub("route53", EAST).add_client_error("get_change", code)
    assert Records(sessions).in_sync("C1") == "unknown"
