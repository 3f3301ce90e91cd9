"""Records as accounts really have them: zones of one name, siblings, shared health checks, protection."""

from typing import Any

from .scene import ALL_EAST, ALL_WEST, EAST, WEST, Scene, Settings

ADDRESS6 = {WEST: "2001:db8::2", EAST: "2001:db8::1"}


def sibling(scene: Scene, region: str, weight: int) -> dict[str, Any]:
    """The AAAA record beside a Region's A record."""
    return {
        "Name": "api.example.com.",
        "Type": "AAAA",
        "SetIdentifier": f"orders-{region}",
        "Weight": weight,
        "TTL": 60,
        "ResourceRecords": [{"Value": ADDRESS6[region]}],
        "HealthCheckId": scene.world.routing.endpoint_checks[region],
    }


def test_aaaa_records_move_with_the_a_records_in_one_batch(scene: Scene) -> None:
    scene.change(("CREATE", sibling(scene, WEST, 100)), ("CREATE", sibling(scene, EAST, 0)))
    before = scene.records(rtype="AAAA")
    scene.world.sandbox.calls.clear()

    over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert {each["SetIdentifier"]: each["Weight"] for each in scene.records(rtype="AAAA")} == {
        f"orders-{WEST}": 0,
        f"orders-{EAST}": 100,
    }
    assert scene.writes() == ["ChangeResourceRecordSets"]
    same = [{**record, "Weight": None} for record in before]
    assert [{**record, "Weight": None} for record in scene.records(rtype="AAAA")] == same


def test_a_sibling_that_cannot_move_along_is_named(scene: Scene) -> None:
    simple = {"Name": "api.example.com.", "Type": "AAAA", "TTL": 60, "ResourceRecords": [{"Value": "2001:db8::2"}]}
    scene.change(("CREATE", simple))
    refused = scene.resil("failover", "--to", EAST, "--yes")
    assert refused.code == 3, refused.said
    assert "sibling-records" in refused.said
    assert "AAAA" in refused.said
    assert scene.weights() == {WEST: 100, EAST: 0}


def private_zone(scene: Scene) -> str:
    """A private zone beside the public one, of the same name and with records of the same name. Its id."""
    made = scene.clients["route53"].create_hosted_zone(
        Name="example.com",
        CallerReference="inside",
        VPC={"VPCRegion": WEST, "VPCId": "vpc-0123456789abcdef0"},
        HostedZoneConfig={"PrivateZone": True, "Comment": ""},
    )
    zone: str = made["HostedZone"]["Id"].rpartition("/")[2]
    scene.change(*[("CREATE", record) for record in scene.records()], zone=zone)
    return zone


def zone_by_name(settings: Settings) -> None:
    settings["routing"][0]["zone"] = "example.com"


def test_a_public_and_a_private_zone_of_one_name_are_told_apart(scene: Scene) -> None:
    private = private_zone(scene)
    scene.uses(edit=zone_by_name)
    over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert scene.weights() == {WEST: 0, EAST: 100}
    assert scene.answers() == ALL_EAST
    inside = scene.clients["route53"].list_resource_record_sets(HostedZoneId=private)["ResourceRecordSets"]
    weights = {each["SetIdentifier"]: each["Weight"] for each in inside if each["Type"] == "A"}
    assert weights == {f"orders-{WEST}": 100, f"orders-{EAST}": 0}


def test_two_public_zones_of_one_name_must_be_told_apart_by_id(scene: Scene) -> None:
    scene.clients["route53"].create_hosted_zone(Name="example.com", CallerReference="again")
    scene.uses(edit=zone_by_name)
    refused = scene.resil("failover", "--to", EAST, "--yes")
    assert refused.code == 2, refused.said
    assert scene.world.routing.zone_id in refused.said
    assert scene.answers() == ALL_WEST


def by_health_check(settings: Settings) -> None:
    settings["routing"][0]["levers"] = ["health-check"]


def test_a_health_check_that_serves_other_records_is_not_forced(scene: Scene) -> None:
    shop = {
        "Name": "shop.example.com.",
        "Type": "A",
        "SetIdentifier": "shop",
        "Weight": 1,
        "TTL": 60,
        "ResourceRecords": [{"Value": "127.0.2.1"}],
        "HealthCheckId": scene.world.routing.endpoint_checks[WEST],
    }
    scene.change(("CREATE", shop))
    scene.uses(edit=by_health_check)
    refused = scene.resil("failover", "--to", EAST, "--yes")
    assert refused.code == 3, refused.said
    assert "shared-health-check" in refused.said
    assert "shop.example.com" in refused.said
    assert scene.answers() == ALL_WEST


def test_a_health_check_that_is_a_child_of_a_calculated_one_is_not_forced(scene: Scene) -> None:
    child = scene.world.routing.endpoint_checks[WEST]
    config = {"Type": "CALCULATED", "HealthThreshold": 1, "ChildHealthChecks": [child]}
    made = scene.clients["route53"].create_health_check(CallerReference="parent", HealthCheckConfig=config)
    scene.uses(edit=by_health_check)
    refused = scene.resil("failover", "--to", EAST, "--yes")
    assert refused.code == 3, refused.said
    assert made["HealthCheck"]["Id"] in refused.out.replace("\n", "").replace(" ", "")


def test_a_protected_record_is_refused_before_anything_is_written(scene: Scene) -> None:
    scene.clients["route53"].create_resource_record_set_protections(
        HostedZoneId=scene.world.routing.zone_id, Protections=[{"RecordName": "api.example.com", "RecordType": "A"}]
    )
    scene.world.sandbox.calls.clear()
    refused = scene.resil("failover", "--to", EAST, "--yes")
    assert refused.code == 3, refused.said
    assert "record-protection" in refused.said
    assert "delete-resource-record-set-protections" in refused.said
    assert scene.writes() == []


def test_a_record_nobody_named_is_not_left_to_take_traffic(scene: Scene) -> None:
    third = {**scene.records()[0], "SetIdentifier": "somebody-elses", "Weight": 10}
    third.pop("HealthCheckId")
    scene.change(("CREATE", third))
    refused = scene.resil("failover", "--to", EAST, "--yes")
    assert refused.code == 3, refused.said
    assert "drift" in refused.said
    assert "somebody-elses" in refused.said


def test_a_long_ttl_is_refused_when_planned_and_said_in_an_emergency(scene: Scene) -> None:
    scene.change(*[("UPSERT", record | {"TTL": 3600}) for record in scene.records()])
    planned, emergency = scene.at_once(
        ("failover", "--to", EAST, "--dry-run"), ("failover", "--to", EAST, "--mode", "emergency", "--dry-run")
    )
    assert planned.code == 3, planned.said
    assert "3600 s" in planned.said
    assert emergency.code == 0, emergency.said
    assert "3600 s" in emergency.said
