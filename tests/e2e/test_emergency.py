"""An impaired Region: what status says, what --yes may not agree to, and the Region nobody may go to."""

import time

from .scene import ALL_EAST, ALL_WEST, EAST, WEST, Scene, Settings, held, soon


def test_an_impaired_region_is_left_only_when_the_emergency_is_spelt_out(scene: Scene) -> None:
    scene.world.impair(WEST)
    status = scene.resil("status", "--check")
    assert status.code == 10, status.said
    assert f"resil failover --to {EAST} --mode emergency" in status.said

    proposed = scene.resil("failover", "--to", EAST, "--yes")
    assert proposed.code in (2, 3), proposed.said
    assert "--mode emergency" in proposed.said
    assert "nothing was changed" in proposed.said
    assert scene.writes() == []

    over = scene.resil("failover", "--to", EAST, "--mode", "emergency", "--yes")
    assert over.code == 0, over.said
    assert scene.weights() == {WEST: 0, EAST: 100}
    assert scene.answers() == ALL_EAST

    back = scene.resil("failback", "--yes")
    assert back.code == 3, back.said
    assert "target-health" in back.said
    assert WEST in back.said
    assert scene.weights() == {WEST: 0, EAST: 100}

    scene.world.recover(WEST)
    soon(lambda: scene.world.checks.healthy(scene.world.routing.endpoint_checks[WEST]))
    home = scene.resil("failback", "--yes")
    assert home.code == 0, home.said
    assert scene.answers() == ALL_WEST


def test_traffic_is_not_sent_to_an_impaired_region(scene: Scene) -> None:
    scene.world.impair(EAST)
    modes = ("planned", "emergency")
    for refused in scene.at_once(*[("failover", "--to", EAST, "--mode", mode, "--yes") for mode in modes]):
        assert refused.code == 3, refused.said
        assert "target-health" in refused.said
    assert scene.writes() == []
    assert scene.answers() == ALL_WEST


def test_a_grey_failure_is_seen_as_one(scene: Scene) -> None:
    scene.world.impair(WEST, 0.5)
    status = scene.resil("status", "--check", "--output", "json")
    assert status.code in (10, 11), status.said
    west = next(region for region in status.json["regions"] if region["name"] == WEST)
    assert west["verdict"] != "healthy"


def test_without_a_support_plan_health_events_are_unknown_said_once_and_not_counted(scene: Scene) -> None:
    scene.world.control({"health_plan": False})
    text, machine = scene.at_once(("status",), ("status", "--check", "--output", "json"))
    assert text.said.count("support plan") == 1, text.out
    assert machine.code == 0, machine.said
    events = [signal for signal in machine.json["signals"] if signal["kind"] == "health-events"]
    assert {signal["reading"] for signal in events} == {"unknown"}
    assert {region["verdict"] for region in machine.json["regions"]} == {"healthy"}


def test_stopped_canaries_say_nothing_and_a_standby_judged_by_them_is_not_called_healthy(scene: Scene) -> None:
    scene.world.control({"canaries": "stop"})
    status = scene.resil("status", "--check", "--output", "json")
    canaries = [signal for signal in status.json["signals"] if signal["kind"] == "canary"]
    assert {signal["reading"] for signal in canaries} == {"unknown"}
    assert status.code == 11, status.said
    refused = scene.resil("failover", "--to", EAST, "--yes")
    assert refused.code == 3, refused.said
    assert "target-health" in refused.said
    assert scene.writes() == []


def test_every_screen_says_that_this_is_not_aws(scene: Scene) -> None:
    url = scene.world.sandbox.url
    looks = scene.at_once(("status",), ("failover", "--to", EAST, "--dry-run"))
    for done in (*looks, scene.resil("failover", "--to", EAST, "--yes"), scene.resil("runs", "show")):
        assert "NOT AWS" in done.out, done.said
        assert url in done.out


def test_status_is_back_in_time_with_all_calls_to_a_region_hanging(scene: Scene) -> None:
    """A Region black-holed: its calls never answer (design: `status` within 15 s). Route 53's count as us-east-1."""
    with held(scene.world, lambda call: call.region == WEST):
        start = time.monotonic()
        status = scene.resil("status", "--output", "json")
        took = time.monotonic() - start
    assert status.code == 0, status.said
    assert took <= 15 + 5, took  # and what starting up takes on a machine that is busy
    seen = {(signal["region"], signal["seen_from"], signal["reading"]) for signal in status.json["signals"]}
    assert (WEST, WEST, "unknown") in seen
    assert (EAST, EAST, "ok") in seen
    east, west = (next(r for r in status.json["regions"] if r["name"] == name) for name in (EAST, WEST))
    assert east["verdict"] == "healthy"
    assert west["verdict"] != "impaired"  # a partial view is never an outage
    assert (west["share"], east["share"]) == (1.0, 0.0)


def test_a_black_holed_region_is_left_in_an_emergency(scene: Scene) -> None:
    scene.world.impair(WEST)
    with held(scene.world, lambda call: call.region == WEST):
        over = scene.resil("failover", "--to", EAST, "--mode", "emergency", "--yes")
    assert over.code == 0, over.said
    assert scene.answers() == ALL_EAST


def _no_signal(settings: Settings) -> None:
    settings["signals"] = []


def test_without_any_signal_nothing_is_healthy(scene: Scene) -> None:
    scene.uses(edit=_no_signal)
    status, refused = scene.at_once(("status", "--check"), ("failover", "--to", EAST, "--mode", "planned", "--yes"))
    assert status.code == 11, status.said
    assert refused.code == 3, refused.said
    assert scene.writes() == []
