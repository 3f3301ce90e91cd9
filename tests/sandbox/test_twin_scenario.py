"""Scenarios are written for the reference application; a user's app plays them itself, or is told why not."""

from pathlib import Path
from typing import Any

import pytest

from resilience_cli.errors import UsageError
from resilience_cli.model.app import App
from resilience_cli.model.scenario import Scenario
from resilience_cli.sandbox.twin_scenario import lacks, recast

from .twin_apps import BANK, MAPS, SHOP, app

IRELAND, FRANKFURT, STOCKHOLM, MILAN = "eu-west-1", "eu-central-1", "eu-north-1", "eu-south-1"


def scenario(**members: Any) -> Scenario:
    commands = [{"run": ["failover", "--to", "us-east-1", "--yes"], "writes": 1}]
    return Scenario.model_validate({"version": 1, "name": "s", "title": "s", "commands": commands} | members)


def changed(path: Path, **members: Any) -> App:
    return App.model_validate(app(path).model_dump(mode="json", by_alias=True, exclude_none=True) | members)


def test_the_primary_first_standby_and_observer_take_the_parts_of_the_references_regions() -> None:
    played = recast(
        scenario(
            lost=[{"region": "us-west-2"}],
            services=[{"region": "us-east-1", "serving": {"failing": 1.0}}],
            switches=[{"wish": {"stall": {"from": "us-west-2", "to": "us-east-1"}}}],
            faults=[{"kind": "black-hole", "region": ["us-east-2", "us-west-2"]}],
        ),
        app(SHOP),
    )
    assert played.lost[0].region == IRELAND
    assert played.services[0].region == FRANKFURT
    assert played.switches[0].wish == {"stall": {"from": IRELAND, "to": FRANKFURT}}
    assert played.faults[0].model_dump()["region"] == (MILAN, IRELAND)


def test_regions_that_swap_parts_are_swapped_and_not_mixed_up() -> None:
    """maps: us-east-2 is its primary, us-west-2 its standby."""
    played = recast(scenario(lost=[{"region": "us-west-2"}, {"region": "us-east-1"}]), app(MAPS))
    assert [lost.region for lost in played.lost] == ["us-east-2", "us-west-2"]
    assert played.commands[0].run == ("failover", "--to", "us-west-2", "--yes")


def test_the_homes_of_global_services_and_arcs_endpoints_stay_where_they_are() -> None:
    faults = [
        {"kind": "throttle", "service": "route53", "region": "us-east-1"},
        {"kind": "arc-endpoints-down", "endpoints": ["us-east-1", "us-west-2"]},
    ]
    played = recast(scenario(faults=faults), app(MAPS))
    assert [fault.model_dump(include={"region", "endpoints"}) for fault in played.faults] == [
        {"region": ("us-east-1",)},
        {"endpoints": ("us-east-1", "us-west-2")},
    ]


def test_with_three_serving_regions_the_one_to_be_left_is_named() -> None:
    assert recast(scenario(), app(SHOP)).commands[0].run[-2:] == ("--from", IRELAND)
    assert "--from" not in recast(scenario(), app(BANK)).commands[0].run


def test_counts_of_writes_are_the_references_own_but_none_is_none_for_everyone() -> None:
    commands = [
        {"run": ["status"], "writes": 0, "says": ["orders-canary", "unknown"]},
        {"run": ["failback"], "writes": 3},
    ]
    status, failback = recast(scenario(commands=commands), app(BANK)).commands
    assert (status.writes, status.says, failback.writes) == (0, ("unknown",), None)


HOME = {"us-west-2": "us-west-2", "us-east-1": "us-west-2"}
AWAY = {"us-west-2": "us-east-1", "us-east-1": "us-east-1"}


@pytest.mark.parametrize(
    ("path", "ends", "expected"),
    [
        (SHOP, HOME, {}),  # 60/30/10: chance decides
        (BANK, HOME, {"ap-southeast-2": "ap-southeast-2", "ap-southeast-4": "ap-southeast-2"}),
        (BANK, AWAY, {"ap-southeast-2": "ap-southeast-4", "ap-southeast-4": "ap-southeast-4"}),
        (MAPS, HOME, {"us-east-2": "us-east-2", "us-west-2": "us-west-2"}),
        (MAPS, AWAY, {"us-east-2": "us-west-2", "us-west-2": "us-west-2"}),
        (MAPS, {}, {}),
    ],
)
def test_who_must_be_answered_in_the_end_follows_from_the_apps_own_home(
    path: Path, ends: dict[str, str], expected: dict[str, str]
) -> None:
    assert recast(scenario(holds={"answers": ends}), app(path)).holds.answers == expected


def test_all_in_one_of_three_regions_is_expected_of_every_place() -> None:
    routing = app(SHOP).routing[0].model_dump(mode="json", by_alias=True, exclude_none=True)
    shop = changed(SHOP, routing=[routing | {"home": {IRELAND: 100, FRANKFURT: 0, STOCKHOLM: 0}}])
    played = recast(scenario(holds={"answers": AWAY}), shop)
    assert played.holds.answers == dict.fromkeys((IRELAND, FRANKFURT, STOCKHOLM), FRANKFURT)


def test_someone_elses_edit_is_of_the_apps_own_record() -> None:
    edits = [{"set_identifier": "orders-us-east-1", "weight": 20}]
    assert recast(scenario(edits=edits), app(SHOP)).edits[0].set_identifier == "frankfurt"


@pytest.mark.parametrize(
    ("path", "members", "why"),
    [
        (BANK, {"world": {"shape": "latency"}}, "ARC routing controls"),
        (SHOP, {"faults": [{"kind": "arc-endpoints-down", "endpoints": 2}]}, "ARC routing controls"),
        (SHOP, {"faults": [{"kind": "control-plane-down", "plane": "arc-config"}]}, "ARC routing controls"),
        (BANK, {"world": {"levers": ["weights"]}}, "the lever weights, which pay.bank.internal."),
        (MAPS, {"edits": [{"set_identifier": "x", "weight": 1}]}, "first lever is routing-control"),
        (
            BANK,
            {"faults": [{"kind": "timeout-after-effect", "operation": "ChangeResourceRecordSets"}]},
            "first lever is health-check",
        ),
        (BANK, {"lost": [{"region": "us-east-2"}]}, "regions.observer is not set"),
        (BANK, {"switches": [{"wish": {"canaries": "stop"}}]}, "a signal of kind canary"),
        (SHOP, {"switches": [{"wish": {"canaries": "stop"}}]}, "the app's has traffic at home"),
        (MAPS, {"switches": [{"wish": {"health_plan": False}}]}, "a signal of kind health-events"),
        (MAPS, {"switches": [{"wish": {"lag_ms": 90000}}]}, "a signal of kind replication"),
    ],
)
def test_what_an_app_lacks_for_a_scenario_is_said(path: Path, members: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match="s cannot be rehearsed with") as refused:
        recast(scenario(**members), app(path))
    assert why in refused.value.message


def test_everything_it_lacks_is_said_at_once() -> None:
    switches = [{"wish": {"canaries": "stop"}}]
    assert (
        len(lacks(scenario(world={"shape": "latency"}, switches=switches, lost=[{"region": "us-east-2"}]), app(BANK)))
        == 3
    )


def test_failover_records_for_three_regions_are_none_that_route_53_has() -> None:
    routing = app(SHOP).routing[0].model_dump(mode="json", by_alias=True, exclude_none=True)
    routing |= {"policy": "failover", "levers": ["health-check"], "home": "failover"}
    assert "Route 53 has two" in lacks(scenario(), changed(SHOP, routing=[routing]))[-1]
