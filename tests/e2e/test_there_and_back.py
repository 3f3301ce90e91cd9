"""The main job, with eyes of our own: out of us-west-2 and home again, in both shapes, by every lever."""

from typing import Any

import pytest

from .scene import ALL_EAST, ALL_WEST, EAST, LATENCY, LOCAL, WEIGHTED, WEST, Scene, Settings


def test_weighted_records_go_to_the_standby_and_come_home_as_they_were(scene: Scene) -> None:
    before = scene.records()
    assert scene.answers() == ALL_WEST

    over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert scene.weights() == {WEST: 0, EAST: 100}
    weightless = [{**record, "Weight": None} for record in scene.records()]
    assert weightless == [{**record, "Weight": None} for record in before]
    assert scene.answers() == ALL_EAST
    assert scene.writes() == ["ChangeResourceRecordSets"]

    back = scene.resil("failback", "--yes")
    assert back.code == 0, back.said
    assert scene.records() == before
    assert scene.answers() == ALL_WEST
    assert scene.writes() == ["ChangeResourceRecordSets"] * 4  # home in steps of 10, 50 and 100 percent


def test_latency_records_behind_routing_controls_leave_and_come_home(scene: Scene) -> None:
    scene.uses(LATENCY)
    assert scene.answers() == LOCAL

    over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert scene.controls() == {WEST: "Off", EAST: "On"}
    assert scene.answers() == ALL_EAST

    back = scene.resil("failback", "--yes")
    assert back.code == 0, back.said
    assert scene.controls() == {WEST: "On", EAST: "On"}
    assert scene.answers() == LOCAL
    assert scene.writes() == ["UpdateRoutingControlStates"] * 2


@pytest.mark.parametrize(
    ("config", "prior"),
    [(WEIGHTED, {"Disabled": True, "Inverted": False}), (LATENCY, {"Disabled": False, "Inverted": False})],
)
def test_a_health_check_is_forced_and_put_back_to_what_it_was(
    scene: Scene, config: str, prior: dict[str, bool]
) -> None:
    checks = _own_checks(scene, config)
    scene.clients["route53"].update_health_check(HealthCheckId=checks[WEST], **prior)
    before, at_home = scene.check(checks[WEST]), scene.answers()
    records = scene.records()
    scene.world.sandbox.calls.clear()

    over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert _switches(scene.check(checks[WEST])) == {"Disabled": True, "Inverted": True}
    assert scene.answers() == ALL_EAST

    back = scene.resil("failback", "--yes")
    assert back.code == 0, back.said
    after = scene.check(checks[WEST])
    assert after["HealthCheckConfig"] == before["HealthCheckConfig"] | prior
    assert scene.answers() == at_home
    assert scene.records() == records
    assert scene.writes() == ["UpdateHealthCheck"] * 2


def _own_checks(scene: Scene, config: str) -> dict[str, str]:
    """Routes the config by endpoint health checks that serve no other name, with health-check as its only lever."""
    route53 = scene.clients["route53"]
    checks: dict[str, str] = dict(scene.world.routing.endpoint_checks)
    if config == LATENCY:
        for region, check in checks.items():
            like = scene.check(check)["HealthCheckConfig"]
            made = route53.create_health_check(CallerReference=f"own-{region}", HealthCheckConfig=like)
            checks[region] = made["HealthCheck"]["Id"]
        records = scene.records("orders.example.com.")
        scene.change(*[("UPSERT", each | {"HealthCheckId": checks[each["Region"]]}) for each in records])

    def edit(settings: Settings) -> None:
        (route,) = settings["routing"]
        route["levers"] = ["health-check"]
        settings.pop("arc", None)
        for region, endpoint in route["endpoints"].items():
            endpoint["health_check"] = checks[region]
            endpoint.pop("routing_control", None)

    scene.uses(config, edit)
    return checks


def _switches(check: dict[str, Any]) -> dict[str, bool]:
    return {switch: check["HealthCheckConfig"][switch] for switch in ("Disabled", "Inverted")}
