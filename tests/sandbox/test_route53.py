"""Route 53 in the sandbox, asked through boto3 over HTTP: what the real one refuses is refused."""

import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from resilience_cli.adapters.aws.records import record_from_api, record_to_api
from resilience_cli.model.records import Policy, Zone

from .conftest import Bench

_names = itertools.count(1)
API = "api.example.com."


@pytest.fixture
def aws(bench: Bench) -> Any:
    return bench.client("route53")


@pytest.fixture
def zone(aws: Any) -> str:
    return make_zone(aws)


def make_zone(aws: Any, name: str = "example.com", **more: Any) -> str:
    answer = aws.create_hosted_zone(Name=name, CallerReference=f"ref-{next(_names)}", **more)
    return str(answer["HostedZone"]["Id"].rpartition("/")[2])


def weighted(identifier: str, weight: int, **more: Any) -> dict[str, Any]:
    record = {"Name": API, "Type": "A", "SetIdentifier": identifier, "Weight": weight, "TTL": 60}
    return record | {"ResourceRecords": [{"Value": "127.0.1.1"}]} | more


def latency(identifier: str, region: str) -> dict[str, Any]:
    record = {"Name": API, "Type": "A", "SetIdentifier": identifier, "Region": region, "TTL": 60}
    return record | {"ResourceRecords": [{"Value": "127.0.1.1"}]}


def simple(name: str, *values: str, rtype: str = "A", ttl: int = 60) -> dict[str, Any]:
    return {"Name": name, "Type": rtype, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


def change(aws: Any, zone: str, *changes: tuple[str, dict[str, Any]]) -> Any:
    batch = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    return aws.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})


def refusal(aws: Any, zone: str, *changes: tuple[str, dict[str, Any]]) -> ClientError:
    with pytest.raises(ClientError) as caught:
        change(aws, zone, *changes)
    return caught.value


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def records(aws: Any, zone: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = aws.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [record for record in listed if record["Type"] not in ("NS", "SOA")]


def http_check(aws: Any, **more: Any) -> dict[str, Any]:
    endpoint = {"Type": "HTTP", "IPAddress": "127.0.1.1", "Port": 80, "ResourcePath": "/health"}
    config = more if "Type" in more else endpoint | more
    answer = aws.create_health_check(CallerReference=f"check-{next(_names)}", HealthCheckConfig=config)
    return dict(answer["HealthCheck"])


# Record sets


def test_a_record_set_comes_back_with_every_field_it_was_given(aws: Any, zone: str) -> None:
    check = http_check(aws)["Id"]
    given_ = [
        weighted("west", 100, HealthCheckId=check),
        {**simple("geo.example.com.", "192.0.2.7"), "SetIdentifier": "eu", "GeoLocation": {"ContinentCode": "EU"}},
        {**simple("many.example.com.", "192.0.2.8"), "SetIdentifier": "m", "MultiValueAnswer": True},
        {
            "Name": "alias.example.com.",
            "Type": "A",
            "AliasTarget": {"HostedZoneId": "Z2OJLYMUO9EFXC", "DNSName": "d-1.aws.", "EvaluateTargetHealth": False},
        },
    ]
    change(aws, zone, *(("CREATE", record) for record in given_))
    assert sorted(records(aws, zone), key=str) == sorted(given_, key=str)


def test_creating_over_an_existing_record_set_is_refused(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", weighted("west", 100)))
    error = refusal(aws, zone, ("CREATE", weighted("west", 0)))
    assert code_of(error) == "InvalidChangeBatch"
    assert "already exists" in str(error)
    assert records(aws, zone) == [weighted("west", 100)]


@pytest.mark.parametrize(
    "wrong",
    [
        weighted("west", 99),
        weighted("west", 100, TTL=61),
        weighted("west", 100, ResourceRecords=[{"Value": "127.0.1.2"}]),
    ],
    ids=["weight", "ttl", "value"],
)
def test_a_delete_that_differs_in_any_field_is_refused(aws: Any, zone: str, wrong: dict[str, Any]) -> None:
    change(aws, zone, ("CREATE", weighted("west", 100)))
    error = refusal(aws, zone, ("DELETE", wrong))
    assert code_of(error) == "InvalidChangeBatch"
    assert "do not match the current values" in str(error)


def test_a_delete_of_what_is_not_there_is_refused(aws: Any, zone: str) -> None:
    error = refusal(aws, zone, ("DELETE", weighted("west", 100)))
    assert "was not found" in str(error)


def test_the_order_of_values_does_not_matter_to_a_delete(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", simple(API, "192.0.2.1", "192.0.2.2")))
    change(aws, zone, ("DELETE", simple("API.example.com", "192.0.2.2", "192.0.2.1")))
    assert records(aws, zone) == []


def test_a_whole_group_is_swapped_in_one_batch(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", weighted("west", 100)), ("CREATE", weighted("east", 0)))
    change(
        aws,
        zone,
        ("DELETE", weighted("west", 100)),
        ("CREATE", weighted("west", 0, TTL=30)),
        ("DELETE", weighted("east", 0)),
        ("CREATE", weighted("east", 100, TTL=30)),
    )
    assert [record["Weight"] for record in records(aws, zone)] == [100, 0]


def test_of_two_swaps_from_the_same_state_one_is_refused(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", weighted("west", 100)))
    change(aws, zone, ("DELETE", weighted("west", 100)), ("CREATE", weighted("west", 0)))
    error = refusal(aws, zone, ("DELETE", weighted("west", 100)), ("CREATE", weighted("west", 50)))
    assert code_of(error) == "InvalidChangeBatch"
    assert records(aws, zone) == [weighted("west", 0)]


def test_a_refused_batch_changes_nothing_and_names_every_reason(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", weighted("west", 100)))
    error = refusal(
        aws,
        zone,
        ("UPSERT", weighted("west", 7)),
        ("CREATE", simple("elsewhere.org", "192.0.2.1")),
        ("DELETE", simple("none.example.com", "192.0.2.1")),
    )
    messages: list[str] = error.response["messages"]  # type: ignore[typeddict-item]  # a member of InvalidChangeBatch
    assert len(messages) == 2
    assert "not permitted in zone" in messages[0]
    assert "was not found" in messages[1]
    assert records(aws, zone) == [weighted("west", 100)]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (weighted("west", 256), "Weight 256"),
        ({**weighted("west", 1), "SetIdentifier": ""}, "SetIdentifier"),
        ({**simple(API, "192.0.2.1"), "SetIdentifier": "x"}, "found none"),
        ({**weighted("west", 1), "Region": "us-west-2"}, "found more than one"),
        (simple(API, "not-an-address"), "is not valid for type A"),
        ({"Name": API, "Type": "A", "TTL": 60}, "found none"),
        (simple("www.example.com", "a.example.com", "b.example.com", rtype="CNAME"), "exactly one value"),
        ({**simple(API, "192.0.2.1"), "Type": "WKS"}, "not a record type"),
    ],
    ids=["weight", "identifier", "no-policy", "two-policies", "address", "no-values", "two-cnames", "type"],
)
def test_a_malformed_record_set_is_invalid_input(aws: Any, zone: str, wrong: dict[str, Any], why: str) -> None:
    error = refusal(aws, zone, ("CREATE", {name: value for name, value in wrong.items() if value != ""}))
    assert code_of(error) == "InvalidInput"
    assert why in str(error)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (weighted("east", 0, TTL=30), "different TTLs"),
        (latency("east", "us-east-1"), "mix routing policies"),
        (simple(API, "192.0.2.1"), "mix routing policies"),
        (simple(API, "a.example.com", rtype="CNAME"), "conflicting RRSet of type A"),
    ],
    ids=["ttl", "policy", "simple", "cname"],
)
def test_record_sets_of_one_name_must_agree(aws: Any, zone: str, second: dict[str, Any], why: str) -> None:
    change(aws, zone, ("CREATE", weighted("west", 100)))
    error = refusal(aws, zone, ("CREATE", second))
    assert code_of(error) == "InvalidChangeBatch"
    assert why in str(error)


def test_two_latency_record_sets_of_one_region_are_refused(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", latency("west", "us-west-2")))
    assert "same name, type and region" in str(refusal(aws, zone, ("CREATE", latency("other", "us-west-2"))))


def test_a_record_set_with_a_health_check_that_does_not_exist_is_refused(aws: Any, zone: str) -> None:
    error = refusal(aws, zone, ("CREATE", weighted("west", 1, HealthCheckId="11111111-2222-3333-4444-555555555555")))
    assert code_of(error) == "NoSuchHealthCheck"


def test_upserts_count_twice_towards_a_thousand_records(aws: Any, zone: str) -> None:
    def many(action: str, number: int) -> list[tuple[str, dict[str, Any]]]:
        return [(action, simple(f"n{index}.example.com", "192.0.2.1")) for index in range(number)]

    change(aws, zone, *many("CREATE", 501))
    change(aws, zone, *many("UPSERT", 500))
    assert "records limit of 1000" in str(refusal(aws, zone, *many("UPSERT", 501)))


def test_the_characters_of_a_batch_are_limited(aws: Any, zone: str) -> None:
    text = [simple(f"t{index}.example.com", '"' + "x" * 200 + '"', rtype="TXT") for index in range(160)]
    assert "characters limit of 32000" in str(refusal(aws, zone, *(("CREATE", record) for record in text)))


def test_the_zones_own_ns_and_soa_stay(aws: Any, zone: str) -> None:
    apex = aws.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    error = refusal(aws, zone, *(("DELETE", record) for record in apex))
    assert "exactly one SOA" in str(error)
    assert "at least one NS" in str(error)


def test_an_alias_into_the_zone_needs_its_target(aws: Any, zone: str) -> None:
    target = {"HostedZoneId": zone, "DNSName": "west.example.com", "EvaluateTargetHealth": True}
    alias = {"Name": "www.example.com", "Type": "A", "AliasTarget": target}
    assert "target was not found" in str(refusal(aws, zone, ("CREATE", alias)))
    change(aws, zone, ("CREATE", alias), ("CREATE", simple("west.example.com", "192.0.2.1")))


def test_one_record_set_changed_twice_in_a_batch_is_refused(aws: Any, zone: str) -> None:
    error = refusal(aws, zone, ("UPSERT", weighted("west", 1)), ("UPSERT", weighted("west", 2)))
    assert "invalid set of changes" in str(error)


# Listing


def test_record_sets_are_listed_by_reversed_labels_then_type_then_identifier(aws: Any, zone: str) -> None:
    change(
        aws,
        zone,
        ("CREATE", simple("b.a.example.com", "192.0.2.1")),
        ("CREATE", weighted("west", 1)),
        ("CREATE", weighted("east", 1)),
        ("CREATE", simple("a.example.com", "192.0.2.1")),
        ("CREATE", simple("a.example.com", "2001:db8::1", rtype="AAAA")),
    )
    listed = [(record["Name"], record["Type"], record.get("SetIdentifier")) for record in records(aws, zone)]
    assert listed == [
        ("a.example.com.", "A", None),
        ("a.example.com.", "AAAA", None),
        ("b.a.example.com.", "A", None),
        (API, "A", "east"),
        (API, "A", "west"),
    ]


def test_pages_of_record_sets_join_to_the_whole(aws: Any, zone: str) -> None:
    change(aws, zone, *(("CREATE", weighted(f"id-{index}", 1)) for index in range(5)))
    pages = aws.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone, PaginationConfig={"PageSize": 2})
    joined = [record for page in pages for record in page["ResourceRecordSets"]]
    assert joined == aws.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]


def test_a_listing_starts_at_the_name_asked_for(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", simple("a.example.com", "192.0.2.1")), ("CREATE", weighted("west", 1)))
    answer = aws.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName="api.example.com", StartRecordType="A", MaxItems="1"
    )
    assert [record["Name"] for record in answer["ResourceRecordSets"]] == [API]


# Zones


def test_a_public_and_a_private_zone_of_one_name_live_side_by_side(aws: Any, bench: Bench) -> None:
    public = make_zone(aws, "twice.example")
    private = make_zone(aws, "twice.example", VPC={"VPCRegion": "us-west-2", "VPCId": "vpc-1"})
    change(aws, private, ("CREATE", simple("api.twice.example", "10.0.0.1")))
    assert records(aws, public) == []
    assert aws.get_hosted_zone(Id=private)["VPCs"] == [{"VPCRegion": "us-west-2", "VPCId": "vpc-1"}]
    held = {zone.id: zone for zone in bench.route53.zones()}
    assert (held[public].private, held[private].private) == (False, True)
    by_name = aws.list_hosted_zones_by_name(DNSName="twice.example", MaxItems="2")["HostedZones"]
    assert {zone["Id"].rpartition("/")[2] for zone in by_name} == {public, private}


def test_zones_are_paged(aws: Any) -> None:
    made = {make_zone(aws) for _ in range(3)}
    pages = aws.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 1})
    assert made <= {zone["Id"].rpartition("/")[2] for page in pages for zone in page["HostedZones"]}


def test_a_zone_that_holds_records_is_not_deleted(aws: Any, zone: str) -> None:
    change(aws, zone, ("CREATE", weighted("west", 1)))
    with pytest.raises(aws.exceptions.HostedZoneNotEmpty):
        aws.delete_hosted_zone(Id=zone)
    change(aws, zone, ("DELETE", weighted("west", 1)))
    aws.delete_hosted_zone(Id=zone)
    with pytest.raises(aws.exceptions.NoSuchHostedZone):
        aws.get_hosted_zone(Id=zone)


# Propagation


def test_a_change_is_pending_until_it_has_propagated(aws: Any, zone: str, bench: Bench) -> None:
    bench.clock.now += 10
    info = change(aws, zone, ("CREATE", weighted("west", 100)))["ChangeInfo"]
    assert info["Status"] == "PENDING"
    assert [r.type for r in bench.route53.published(zone)] == ["NS", "SOA"]
    bench.clock.now += 4.9
    assert aws.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "PENDING"
    bench.clock.now += 0.2
    assert aws.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert [r.set_identifier for r in bench.route53.published(zone) if r.type == "A"] == ["west"]


def test_name_servers_see_changes_in_the_order_they_were_made(aws: Any, zone: str, bench: Bench) -> None:
    change(aws, zone, ("CREATE", weighted("west", 100)))
    bench.clock.now += 3
    change(aws, zone, ("UPSERT", weighted("west", 50)))
    bench.clock.now += 3
    assert [r.weight for r in bench.route53.published(zone) if r.type == "A"] == [100]
    bench.clock.now += 3
    assert [r.weight for r in bench.route53.published(zone) if r.type == "A"] == [50]


def test_a_change_nobody_made_is_not_found(aws: Any) -> None:
    with pytest.raises(aws.exceptions.NoSuchChange):
        aws.get_change(Id="C00000000000000000000")


def test_the_dns_answer_simulated_is_the_published_one(aws: Any, zone: str, bench: Bench) -> None:
    change(aws, zone, ("CREATE", simple(API, "192.0.2.1")))
    asked = {"HostedZoneId": zone, "RecordName": "api.example.com", "RecordType": "A"}
    assert aws.test_dns_answer(**asked)["RecordData"] == []
    bench.clock.now += 6
    assert aws.test_dns_answer(**asked)["RecordData"] == ["192.0.2.1"]


# Health checks


def test_an_update_raises_the_version_and_a_stale_one_is_refused(aws: Any) -> None:
    check = http_check(aws)
    updated = aws.update_health_check(HealthCheckId=check["Id"], HealthCheckVersion=1, Inverted=True)["HealthCheck"]
    assert (updated["HealthCheckVersion"], updated["HealthCheckConfig"]["Inverted"]) == (2, True)
    with pytest.raises(aws.exceptions.HealthCheckVersionMismatch):
        aws.update_health_check(HealthCheckId=check["Id"], HealthCheckVersion=1, Disabled=True)
    now = aws.get_health_check(HealthCheckId=check["Id"])["HealthCheck"]
    assert (now["HealthCheckVersion"], now["HealthCheckConfig"]["Disabled"]) == (2, False)


def test_elements_are_reset_by_name(aws: Any) -> None:
    check = http_check(aws, FullyQualifiedDomainName="api.example.com")
    updated = aws.update_health_check(
        HealthCheckId=check["Id"], ResetElements=["ResourcePath", "FullyQualifiedDomainName"]
    )
    assert not {"ResourcePath", "FullyQualifiedDomainName"} & updated["HealthCheck"]["HealthCheckConfig"].keys()


def test_a_health_check_keeps_the_fields_of_its_kind(aws: Any, bench: Bench) -> None:
    arn = "arn:aws:route53-recovery-control::123456789012:controlpanel/a/routingcontrol/b"
    control = http_check(aws, Type="RECOVERY_CONTROL", RoutingControlArn=arn)
    alarm = http_check(
        aws,
        Type="CLOUDWATCH_METRIC",
        AlarmIdentifier={"Name": "a", "Region": "us-east-1"},
        InsufficientDataHealthStatus="Unhealthy",
    )
    children = [control["Id"], alarm["Id"]]
    parent = http_check(aws, Type="CALCULATED", HealthThreshold=1, ChildHealthChecks=children)
    configs = bench.route53.health_checks()
    assert configs[control["Id"]]["RoutingControlArn"] == arn
    assert configs[alarm["Id"]]["InsufficientDataHealthStatus"] == "Unhealthy"
    assert parent["HealthCheckConfig"]["ChildHealthChecks"] == children


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"Type": "RECOVERY_CONTROL", "RoutingControlArn": "arn", "RequestInterval": 10}, "RequestInterval cannot"),
        ({"Type": "CALCULATED", "HealthThreshold": 1, "ChildHealthChecks": ["none"]}, "does not exist"),
        ({"Type": "HTTP", "RequestInterval": 30}, "IPAddress or FullyQualifiedDomainName"),
        ({"Type": "HTTP", "IPAddress": "127.0.0.1", "RequestInterval": 20}, "RequestInterval is neither"),
        ({"Type": "HTTP_STR_MATCH", "IPAddress": "127.0.0.1"}, "SearchString is required"),
    ],
    ids=["control", "child", "address", "interval", "search"],
)
def test_a_health_check_that_makes_no_sense_is_refused(aws: Any, fields: dict[str, Any], why: str) -> None:
    with pytest.raises(aws.exceptions.InvalidInput) as caught:
        aws.create_health_check(CallerReference=f"check-{next(_names)}", HealthCheckConfig=fields)
    assert why in str(caught.value)


def test_a_calculated_check_cannot_depend_on_itself(aws: Any) -> None:
    child = http_check(aws)["Id"]
    make = {"Type": "CALCULATED", "HealthThreshold": 1}
    lower = aws.create_health_check(
        CallerReference=f"c-{next(_names)}", HealthCheckConfig={**make, "ChildHealthChecks": [child]}
    )["HealthCheck"]["Id"]
    upper = aws.create_health_check(
        CallerReference=f"c-{next(_names)}", HealthCheckConfig={**make, "ChildHealthChecks": [lower]}
    )["HealthCheck"]["Id"]
    with pytest.raises(aws.exceptions.InvalidInput):
        aws.update_health_check(HealthCheckId=lower, ChildHealthChecks=[upper])


def test_creating_the_same_health_check_again_answers_the_first(aws: Any) -> None:
    config = {"Type": "HTTP", "IPAddress": "127.0.1.1"}
    first = aws.create_health_check(CallerReference="same", HealthCheckConfig=config)["HealthCheck"]
    assert aws.create_health_check(CallerReference="same", HealthCheckConfig=config)["HealthCheck"] == first
    with pytest.raises(aws.exceptions.HealthCheckAlreadyExists):
        aws.create_health_check(CallerReference="same", HealthCheckConfig={**config, "Port": 81})


def test_health_is_asked_of_whoever_measures_it(aws: Any, bench: Bench) -> None:
    check = http_check(aws)["Id"]
    bench.route53.checks.health_of = lambda check_id: check_id != check
    statuses = aws.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
    assert all(entry["StatusReport"]["Status"].startswith("Failure") for entry in statuses)
    bench.route53.checks.health_of = lambda _: True


def test_health_checks_are_listed_in_pages_and_deleted(aws: Any) -> None:
    made = [http_check(aws)["Id"] for _ in range(3)]
    pages = aws.get_paginator("list_health_checks").paginate(PaginationConfig={"PageSize": 2})
    assert set(made) <= {check["Id"] for page in pages for check in page["HealthChecks"]}
    aws.delete_health_check(HealthCheckId=made[0])
    with pytest.raises(aws.exceptions.NoSuchHealthCheck):
        aws.get_health_check(HealthCheckId=made[0])


# Protections and tags


def test_a_protected_name_fails_the_whole_batch_until_unprotected(aws: Any, zone: str) -> None:
    protection = {"RecordName": "api.example.com", "RecordType": "A"}
    aws.create_resource_record_set_protections(
        HostedZoneId=zone, Protections=[{**protection, "Comment": "change freeze"}]
    )
    batch = (("CREATE", weighted("west", 1)), ("CREATE", simple("free.example.com", "192.0.2.1")))
    error = refusal(aws, zone, *batch)
    assert code_of(error) == "InvalidChangeBatch"
    assert "change freeze" in str(error)
    assert records(aws, zone) == []
    listed = aws.list_resource_record_set_protections(HostedZoneId=zone)["ResourceRecordSetProtections"]
    assert listed == [{"RecordName": API, "RecordType": "A", "Comment": "change freeze"}]
    with pytest.raises(aws.exceptions.ProtectionAlreadyExists):
        aws.create_resource_record_set_protections(HostedZoneId=zone, Protections=[protection])
    aws.delete_resource_record_set_protections(HostedZoneId=zone, Protections=[protection])
    change(aws, zone, *batch)


def test_tags_of_health_checks_are_kept(aws: Any) -> None:
    check = http_check(aws)["Id"]
    tag = {"Key": "Name", "Value": "orders-us-west-2"}
    aws.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check, AddTags=[tag])
    tags = aws.list_tags_for_resources(ResourceType="healthcheck", ResourceIds=[check])["ResourceTagSets"]
    assert tags[0]["Tags"] == [tag]


# Our own form of a record set


@given(
    st.fixed_dictionaries(
        {
            "Name": st.sampled_from(["api.example.com.", "\\052.example.com."]),
            "Type": st.sampled_from(["A", "AAAA", "TXT", "HTTPS"]),
        },
        optional={
            "SetIdentifier": st.text(min_size=1),
            "Weight": st.integers(0, 255),
            "Region": st.sampled_from(["us-west-2", "ap-southeast-2"]),
            "Failover": st.sampled_from(["PRIMARY", "SECONDARY"]),
            "TTL": st.integers(0, 2**31 - 1),
            "HealthCheckId": st.uuids().map(str),
            "ResourceRecords": st.lists(st.fixed_dictionaries({"Value": st.text()}), min_size=1),
            "GeoLocation": st.just({"CountryCode": "US", "SubdivisionCode": "CA"}),
            "MultiValueAnswer": st.booleans(),
            "SomethingNew": st.dictionaries(st.text(), st.integers()),
            "AliasTarget": st.fixed_dictionaries(
                {
                    "HostedZoneId": st.just("Z1"),
                    "DNSName": st.just("west.example.com."),
                    "EvaluateTargetHealth": st.booleans(),
                }
            ),
        },
    )
)
def test_a_record_set_survives_the_way_there_and_back_whatever_its_fields(record: dict[str, Any]) -> None:
    assert record_to_api(record_from_api(record)) == record
    ours = record_from_api(record)
    assert record_from_api(record_to_api(ours)) == ours


def test_names_are_brought_to_the_form_route_53_returns() -> None:
    ours = record_from_api(simple("*.API.example.com", "192.0.2.1"))
    assert ours.name == "\\052.api.example.com."
    assert ours.policy is Policy.SIMPLE


def test_zones_are_told_with_their_name_servers(bench: Bench, zone: str) -> None:
    held = next(found for found in bench.route53.zones() if found.id == zone)
    assert isinstance(held, Zone)
    assert len(held.name_servers) == 4
