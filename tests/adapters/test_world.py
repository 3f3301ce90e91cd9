"""The World port as a whole: which reads there are, what they share, and what happens without Route 53."""

from typing import Any

import pytest

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.world import AwsWorld
from resilience_cli.errors import AwsTrouble, Malformed, Unreachable
from resilience_cli.model.effects import CheckChange, CheckEffect, ControlChange, ControlsEffect, Receipt, WeightsEffect
from resilience_cli.model.facts import EndpointOverride, Topic
from resilience_cli.model.readings import Level
from resilience_cli.model.records import FORCED_UNHEALTHY, CheckSwitch, RecordSet

from .conftest import EAST, WEST, WEST_CONTROL, Answering, Stub, make_app, now

NOBODY = "http://127.0.0.1:9"
CHECKED = {
    "endpoints": {WEST: {"set_identifier": "west", "health_check": "c1"}, EAST: {"set_identifier": "east"}},
    "levers": ["health-check"],
}


def zones() -> dict[str, Any]:
    found = {"Id": "/hostedzone/Z1", "Name": "example.com.", "CallerReference": "x", "Config": {"PrivateZone": False}}
    return {"HostedZones": [found], "IsTruncated": False, "MaxItems": "100"}


def records(*checks: str | None) -> dict[str, Any]:
    sets = []
    for number, check in enumerate(checks):
        value = {"Name": "api.example.com.", "Type": "A", "SetIdentifier": f"s{number}", "Weight": 1, "TTL": 60}
        value["ResourceRecords"] = [{"Value": f"192.0.2.{number}"}]
        sets.append(value | ({"HealthCheckId": check} if check else {}))
    return {"ResourceRecordSets": sets, "IsTruncated": False, "MaxItems": "300"}


def check(id_: str) -> dict[str, Any]:
    config = {"Type": "RECOVERY_CONTROL", "RoutingControlArn": WEST_CONTROL}
    return {"Id": id_, "CallerReference": "x", "HealthCheckVersion": 1, "HealthCheckConfig": config}


def test_every_topic_has_its_reads_and_making_them_asks_nothing(sessions: Sessions) -> None:
    signals: list[dict[str, Any]] = [
        {"kind": "health-events", "services": ["DYNAMODB"]},
        {"kind": "alarm", "names": ["orders-*"]},
        {"kind": "canary", "canaries": [{"name": "c", "region": WEST}]},
        {"kind": "metric", "name": "m", "namespace": "n", "metric": "m", "above": 1},
        {"kind": "endpoint", "urls": {WEST: NOBODY}},
        {"kind": "replication", "tables": ["Orders"]},
    ]
    arc = {"cluster": [{"region": EAST, "endpoint": NOBODY}]}
    ends = {region: {"routing_control": WEST_CONTROL, "health_check": "c1"} for region in (WEST, EAST)}
    app = make_app(*signals, route={"endpoints": ends}, arc=arc)
    reads = AwsWorld(sessions, app, now=now).reads(app, frozenset(Topic))
    assert {read.topic for read in reads} == set(Topic)
    assert sum(read.topic is Topic.SIGNALS for read in reads) == 2 + 1 + 3 + 1 + 1 + 2
    told = [reading for read in reads for reading in read.unanswered("no answer") if reading.level != "unknown"]
    assert told == []


def test_records_and_the_checks_on_them_are_read_once_and_without_the_config_naming_them(
    sessions: Sessions, stub: Stub
) -> None:
    app = make_app()
    answers = stub("route53", EAST)
    answers.add_response("list_hosted_zones_by_name", zones())
    answers.add_response("list_resource_record_sets", records("c7", None))
    answers.add_response("list_resource_record_set_protections", {"ResourceRecordSetProtections": []})
    answers.add_response("get_health_check", {"HealthCheck": check("c7")})
    (read,) = AwsWorld(sessions, app, now=now).reads(app, frozenset({Topic.RECORDS, Topic.CHECKS}))
    seen = read.ask()
    assert seen.zone is not None
    assert (seen.zone.zone.id, len(seen.zone.records), seen.zone.whole) == ("Z1", 2, False)
    assert [each.id for each in seen.checks] == ["c7"]


ZONE_ANSWER = (
    b"<R><HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name></HostedZone></HostedZones>"
    b"<IsTruncated>false</IsTruncated></R>"
)
RECORDS_ANSWER = (
    b"<R><ResourceRecordSets><ResourceRecordSet><Name>api.example.com.</Name><Type>A</Type><Weight>1</Weight>"
    b"<SetIdentifier>west</SetIdentifier><TTL>60</TTL><HealthCheckId>c7</HealthCheckId><ResourceRecords>"
    b"<ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
    b"</ResourceRecordSets><IsTruncated>false</IsTruncated></R>"
)


def test_a_check_that_cannot_be_read_is_unread_and_the_records_it_is_on_stay_true(
    monkeypatch: pytest.MonkeyPatch, answering: Answering
) -> None:
    """A truncated GetHealthCheck: the id is there, the configuration is not."""
    answers = {
        "/hostedzonesbyname": ZONE_ANSWER,
        "/hostedzone/Z1/rrset": RECORDS_ANSWER,
        "/healthcheck/c7": b"<R><HealthCheck><Id>c7</Id></HealthCheck></R>",
    }
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROUTE_53", answering(b"<R/>", answers))
    app = make_app()
    (read,) = AwsWorld(Sessions(), app, now=now).reads(app, frozenset({Topic.RECORDS, Topic.CHECKS}))
    seen = read.ask()
    assert seen.zone is not None
    assert ([record.health_check_id for record in seen.zone.records], seen.checks) == (["c7"], ())


def test_no_read_ends_a_look_whatever_shape_the_answers_have(
    monkeypatch: pytest.MonkeyPatch, answering: Answering
) -> None:
    url = answering(b"<html></html>")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    signals: list[dict[str, Any]] = [
        {"kind": "health-events", "services": ["DYNAMODB"]},
        {"kind": "alarm", "names": ["orders-*"]},
        {"kind": "canary", "canaries": [{"name": "c", "region": WEST}]},
        {"kind": "metric", "name": "m", "namespace": "n", "metric": "m", "above": 1},
        {"kind": "replication", "tables": ["Orders"]},
    ]
    ends = {region: {"routing_control": WEST_CONTROL, "health_check": "c1"} for region in (WEST, EAST)}
    app = make_app(*signals, route={"endpoints": ends}, arc={"cluster": [{"region": EAST, "endpoint": url}]})
    world = AwsWorld(Sessions(), app, now=now)
    topics = frozenset(Topic) - {Topic.ANSWERS}
    weighted = RecordSet(name="api.example.com.", type="A", set_identifier="west", weight=1)
    swap = WeightsEffect(zone_id="Z1", zone_name="example.com.", before=(weighted,), after=(weighted,))
    switch = CheckChange(id="c1", region=WEST, version=1, before=CheckSwitch(), after=FORCED_UNHEALTHY)
    effects = (swap, CheckEffect(check=switch), controls_effect())
    for read in [*world.reads(app, topics), *(read for effect in effects for read in world.reads_for(app, effect))]:
        try:
            seen = read.ask()
        except AwsTrouble:
            continue
        assert {reading.level for reading in seen.readings} <= {Level.UNKNOWN}
        assert (seen.caller, seen.zone, seen.checks, seen.controls) == (None, None, (), ())


EVERY_CHECK = {"HealthChecks": [check("c1"), check("c2")], "Marker": "", "IsTruncated": False, "MaxItems": "1000"}
NO_MORE: dict[str, Any] = {"ResourceRecordSetProtections": []}


def test_the_lever_health_check_needs_the_whole_zone_every_check_and_every_other_zone(
    sessions: Sessions, stub: Stub
) -> None:
    app = make_app(route=CHECKED)
    answers = stub("route53", EAST)
    answers.add_response("list_health_checks", EVERY_CHECK)
    answers.add_response("list_hosted_zones_by_name", zones())
    answers.add_response("list_resource_record_sets", records("c1"), {"HostedZoneId": "Z1", "MaxItems": "300"})
    answers.add_response("list_resource_record_set_protections", NO_MORE)
    answers.add_response("list_hosted_zones", all_zones("Z1", "Z2"), {"MaxItems": "100"})
    answers.add_response("list_resource_record_sets", records("c1", "c9"), {"HostedZoneId": "Z2", "MaxItems": "300"})
    reads = AwsWorld(sessions, app, now=now).reads(app, frozenset({Topic.RECORDS, Topic.CHECKS}))
    checks, elsewhere, zone = (reads[number].ask() for number in (0, 1, 2))
    assert [each.id for each in checks.checks] == ["c1", "c2"]
    assert (elsewhere.checks_whole, elsewhere.unread) == (True, ())
    assert [(use.check_id, use.zone_id, use.name) for use in elsewhere.check_uses] == [("c1", "Z2", "api.example.com.")]
    assert zone.zone is not None
    assert zone.zone.whole is True


def test_checks_on_the_records_that_the_config_does_not_name_are_looked_for_elsewhere_too(
    sessions: Sessions, stub: Stub
) -> None:
    app = make_app(route={"levers": ["health-check"]})
    answers = stub("route53", EAST)
    answers.add_response("list_hosted_zones_by_name", zones())
    answers.add_response("list_resource_record_sets", records("c7"))
    answers.add_response("list_resource_record_set_protections", NO_MORE)
    answers.add_response("list_hosted_zones", all_zones("Z1", "Z2"))
    answers.add_response("list_resource_record_sets", records("c7"), {"HostedZoneId": "Z2", "MaxItems": "300"})
    answers.add_response("list_health_checks", EVERY_CHECK)
    _, elsewhere = AwsWorld(sessions, app, now=now).reads(app, frozenset({Topic.CHECKS}))
    assert [use.check_id for use in elsewhere.ask().check_uses] == ["c7"]


def test_where_listing_all_checks_is_denied_those_in_the_config_are_read_and_not_as_a_whole(
    sessions: Sessions, stub: Stub
) -> None:
    app = make_app(route=CHECKED)
    answers = stub("route53", EAST)
    answers.add_client_error("list_health_checks", "AccessDenied", http_status_code=403)
    answers.add_response("get_health_check", {"HealthCheck": check("c1")})
    answers.add_client_error("list_hosted_zones_by_name", "AccessDenied", http_status_code=403)
    answers.add_response("list_hosted_zones", all_zones())
    checks, elsewhere = AwsWorld(sessions, app, now=now).reads(app, frozenset({Topic.CHECKS}))
    assert [each.id for each in checks.ask().checks] == ["c1"]
    assert elsewhere.ask().checks_whole is False


def all_zones(*ids: str) -> dict[str, Any]:
    """Z1 is the app's own."""
    names = {id_: "example.com." if id_ == "Z1" else f"{id_.lower()}.example.org." for id_ in ids}
    found = [{"Id": f"/hostedzone/{id_}", "Name": name, "CallerReference": id_} for id_, name in names.items()]
    return {"HostedZones": found, "Marker": "", "IsTruncated": False, "MaxItems": "100"}


def test_a_private_name_is_not_asked_for_unless_a_resolver_is_named(sessions: Sessions) -> None:
    private = make_app(route={"private": True})
    assert AwsWorld(sessions, private, now=now).reads(private, frozenset({Topic.ANSWERS})) == []
    named = make_app(route={"private": True}, dns={"resolver": "127.0.0.1:9"})
    asked = AwsWorld(sessions, named, now=now).reads(named, frozenset({Topic.ANSWERS}))
    assert [read.subject for read in asked] == ["answer for api.example.com.", "AAAA answer for api.example.com."]


def test_what_an_effect_needs_is_read_by_id_with_nothing_looked_up(sessions: Sessions, stub: Stub) -> None:
    app = make_app(arc={"cluster": [{"region": EAST, "endpoint": NOBODY}]})
    world = AwsWorld(sessions, app, now=now)
    answers = stub("route53", EAST)
    answers.add_response("list_resource_record_sets", records(None))
    answers.add_response("get_health_check", {"HealthCheck": check("c1")})
    switch = CheckChange(id="c1", region=WEST, version=1, before=CheckSwitch(), after=FORCED_UNHEALTHY)
    weighted = RecordSet(name="api.example.com.", type="A", set_identifier="west", weight=1)
    swap = WeightsEffect(zone_id="Z1", zone_name="example.com.", before=(weighted,), after=(weighted,))
    (group,) = world.reads_for(app, swap)
    found = group.ask().zone
    assert found is not None
    assert (found.zone.id, len(found.records)) == ("Z1", 1)
    (read,) = world.reads_for(app, CheckEffect(check=switch))
    assert [each.id for each in read.ask().checks] == ["c1"]
    (controls,) = world.reads_for(app, controls_effect())
    assert controls.topic is Topic.CONTROLS


def controls_effect() -> ControlsEffect:
    return ControlsEffect(controls=(ControlChange(arn=WEST_CONTROL, region=WEST, before="On", after="Off"),))


def test_routing_controls_without_a_cluster_are_surely_not_set(sessions: Sessions) -> None:
    with pytest.raises(Malformed, match=r"arc\.cluster"):
        AwsWorld(sessions, make_app(), now=now).perform(controls_effect())


def test_a_write_without_a_change_id_is_complete_as_it_is(sessions: Sessions) -> None:
    assert AwsWorld(sessions, make_app(), now=now).in_sync(Receipt()) == "yes"


def test_the_name_server_of_the_environment_is_an_override_and_is_told(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESIL_DNS", "127.0.0.1:9")
    told = AwsWorld(sessions, make_app(), now=now).overrides()
    assert told == [EndpointOverride(service="dns", url="127.0.0.1:9")]


def test_without_route_53_answers_are_attributed_by_the_records_seen_before(
    sessions: Sessions, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(dns={"resolver": "127.0.0.1:9"})
    world = AwsWorld(sessions, app, now=now)
    answers = stub("route53", EAST)
    answers.add_response("list_hosted_zones_by_name", zones())
    answers.add_response("list_resource_record_sets", records(None))
    answers.add_response("list_resource_record_set_protections", {"ResourceRecordSetProtections": []})
    (read,) = world.reads(app, frozenset({Topic.RECORDS}))
    before = read.ask().zone
    answers.add_client_error("list_resource_record_sets", "AccessDenied", http_status_code=403)
    group = world._routed  # the one place that remembers
    assert group.remembered(app.routing[0]) == before
    with pytest.raises(Exception, match="AccessDenied"):
        world.reads(app, frozenset({Topic.RECORDS}))[0].ask()
    assert group.remembered(app.routing[0]) == before


def test_an_endpoint_where_nobody_listens_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOBODY)
    app = make_app()
    with pytest.raises(Unreachable):
        AwsWorld(Sessions(), app, now=now).reads(app, frozenset({Topic.RECORDS}))[0].ask()
