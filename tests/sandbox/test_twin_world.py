"""The twin of a user's app holds what their resil.yaml says, under the same names, and nothing outside the machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from resilience_cli.adapters.yaml_files import load_app
from resilience_cli.errors import UsageError
from resilience_cli.model.app import App, Metric
from resilience_cli.sandbox.echo import point
from resilience_cli.sandbox.eyes import Eyes
from resilience_cli.sandbox.layout import Watcher
from resilience_cli.sandbox.orders import World
from resilience_cli.sandbox.service import Call
from resilience_cli.sandbox.staging import Staged
from resilience_cli.sandbox.sts import Sts
from resilience_cli.sandbox.twin import Own, stage_twin
from resilience_cli.sandbox.twin_layout import layout_of, sample_alarms
from resilience_cli.sandbox.twin_routing import zone_name

from .twin_apps import BANK, MAPS, RUNBOOKS, SHOP, app, scenario

IRELAND, FRANKFURT, STOCKHOLM, MILAN = "eu-west-1", "eu-central-1", "eu-north-1", "eu-south-1"
SYDNEY, MELBOURNE = "ap-southeast-2", "ap-southeast-4"


@contextmanager
def staged(config: Path, folder: Path) -> Iterator[tuple[World, Staged]]:
    """The twin with its ports bound; nothing runs in it yet."""
    found = stage_twin(scenario("planned"), Own(app(config), RUNBOOKS), folder)
    try:
        yield found.world, found
    finally:
        found.world.stop()


def ask(world: World, service: str, operation: str, region: str = "us-east-1", **params: Any) -> dict[str, Any]:
    stores: dict[str, Any] = {"route53": world.route53, "cloudwatch": world.cloudwatch, "dynamodb": world.tables}
    answer: dict[str, Any] = stores[service].handle(Call(service, operation, region, "test", params))
    return answer


def records(world: World, zone: str) -> list[dict[str, Any]]:
    listed = ask(world, "route53", "ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]
    return [record for record in listed if record["Type"] not in ("NS", "SOA")]


def alarms(world: World, region: str) -> set[str]:
    listed = ask(world, "cloudwatch", "DescribeAlarms", region)
    return {alarm["AlarmName"] for alarm in listed["MetricAlarms"]}


def test_weighted_records_stand_in_the_zone_of_the_users_own_id_with_the_shares_of_home(tmp_path: Path) -> None:
    with staged(SHOP, tmp_path) as (world, _):
        found = records(world, "Z0123456789SHOP")
        assert [zone.name for zone in world.route53.zones()] == ["shop.test."]
    assert {(r["Name"], r["SetIdentifier"], r["Weight"], r["ResourceRecords"][0]["Value"]) for r in found} == {
        ("www.shop.test.", "ireland", 60, "127.0.1.1"),
        ("www.shop.test.", "frankfurt", 30, "127.0.2.1"),
        ("www.shop.test.", "stockholm", 10, "127.0.3.1"),
    }
    assert all("HealthCheckId" not in record for record in found)


def test_failover_records_have_their_roles_and_one_health_check_for_both_types(tmp_path: Path) -> None:
    with staged(BANK, tmp_path) as (world, _):
        (zone,) = world.route53.zones()
        found = {(r["Type"], r["Failover"]): r for r in records(world, zone.id)}
        checks = world.route53.health_checks()
    assert zone.private
    assert zone.name == "bank.internal."
    assert set(found) == {(rtype, role) for rtype in ("A", "AAAA") for role in ("PRIMARY", "SECONDARY")}
    assert found["A", "PRIMARY"]["HealthCheckId"] == found["AAAA", "PRIMARY"]["HealthCheckId"]
    assert {check[:4]: config["IPAddress"] for check, config in checks.items()} == {
        "aaaa": "127.0.1.1",
        "bbbb": "127.0.2.1",
    }


def test_routing_controls_have_the_users_arns_and_are_behind_the_records_whether_or_not_a_check_is_named(
    tmp_path: Path,
) -> None:
    with staged(MAPS, tmp_path) as (world, _):
        (zone,) = world.route53.zones()
        by_region = {r["Region"]: r["HealthCheckId"] for r in records(world, zone.id) if r["Type"] == "CNAME"}
        configs = world.route53.health_checks()
        rules = list(world.arc.rules.values())
        states = {arn.rpartition("/")[2]: control.state for arn, control in world.arc.controls.items()}
    assert by_region["us-west-2"] == "cccccccc-3333-4333-8333-333333333333"
    assert [configs[by_region[region]]["Type"] for region in ("us-east-2", "us-west-2")] == ["RECOVERY_CONTROL"] * 2
    assert states == {"0aaa": "On", "0bbb": "On"}
    assert [len(rule.controls) for rule in rules] == [2]


def test_the_caller_is_in_the_users_account() -> None:
    """As the world's STS tells; the drills would be refused by the guard ``account`` if it were another."""
    identity = Sts(layout_of(app(MAPS)).account).handle(Call("sts", "GetCallerIdentity", SYDNEY, "test", {}))
    assert identity["Account"] == "456789012345"


def test_names_are_answered_near_each_region_private_ones_and_aliases_of_a_name_too(tmp_path: Path) -> None:
    near = {"us-east-2": "us-east-2", "us-west-2": "us-west-2"}
    for config, expected in ((BANK, {SYDNEY: SYDNEY, MELBOURNE: SYDNEY}), (MAPS, near)):
        with staged(config, tmp_path) as (world, found):
            world.nameserver.start()
            assert Eyes(world.dns, found.name, found.places, world.layout.addresses).ask() == expected


def test_tables_have_a_replica_in_every_serving_region_and_clients_orders_a_table_of_their_own(tmp_path: Path) -> None:
    with staged(SHOP, tmp_path) as (world, _):
        assert {(t.name, t.regions) for t in world.tables.tables.values()} == {
            ("Baskets", (IRELAND, FRANKFURT, STOCKHOLM)),
            ("Orders", (IRELAND, FRANKFURT, STOCKHOLM)),
        }
        table = ask(world, "dynamodb", "DescribeTable", STOCKHOLM, TableName="Baskets")["Table"]
        assert [replica["ReplicaStatus"] for replica in table["Replicas"]] == ["ACTIVE"] * 3


def test_alarms_are_there_by_their_names_and_a_prefix_has_one_in_each_region(tmp_path: Path) -> None:
    with staged(SHOP, tmp_path) as (world, _):
        assert [alarms(world, region) for region in (IRELAND, STOCKHOLM, MILAN)] == [{"shop-errors"}] * 2 + [set()]
    with staged(BANK, tmp_path) as (world, _):
        assert alarms(world, SYDNEY) == {f"bank-{SYDNEY}"}


def test_an_alarm_about_another_region_looks_from_outside_by_a_canary_of_its_own() -> None:
    spec = {"kind": "alarm", "names": ["far-*", "one"], "from": [SYDNEY], "of": {"one": MELBOURNE}}
    bank = with_signals(BANK, spec)
    assert {(alarm.name, alarm.of) for alarm in sample_alarms(bank)} == {(f"far-{SYDNEY}", SYDNEY), ("one", MELBOURNE)}
    assert layout_of(bank).canaries == (Watcher(SYDNEY, f"drill-observe-{MELBOURNE}", MELBOURNE),)


def test_an_observers_alarms_are_about_every_region_it_may_see() -> None:
    shop = with_signals(SHOP, {"kind": "alarm", "names": ["see-*", f"{STOCKHOLM}-down"], "from": [MILAN]})
    about = [(IRELAND, "see"), (FRANKFURT, "see"), (STOCKHOLM, "see"), (STOCKHOLM, STOCKHOLM)]
    assert [(a.of, a.name.removesuffix(f"-{a.of}").removesuffix("-down")) for a in sample_alarms(shop)] == about


def test_client_networks_are_the_users_and_documentations_where_there_is_none() -> None:
    assert layout_of(app(SHOP)).subnets == {
        "198.18.0.0/24": IRELAND,
        "198.51.100.0/24": FRANKFURT,
        "203.0.113.0/24": STOCKHOLM,
    }


def test_an_invented_network_is_none_that_the_user_has() -> None:
    shop = app(SHOP)
    endpoints = dict(shop.routing[0].endpoints)
    endpoints[IRELAND] = endpoints[IRELAND].model_copy(update={"client_subnet": "198.51.100.128/25"})
    routing = (shop.routing[0].model_copy(update={"endpoints": endpoints}),)
    subnets = layout_of(shop.model_copy(update={"routing": routing})).subnets
    assert list(subnets) == ["198.51.100.128/25", "203.0.113.0/24", "192.0.2.0/24"]


def test_every_address_in_the_file_is_replaced_and_everything_else_is_as_it_was(tmp_path: Path) -> None:
    with staged(SHOP, tmp_path) as (world, found):
        config = found.config
        twin, own = load_app(config), app(SHOP)
        assert twin.dns.resolver == world.dns
        endpoints = next(spec for spec in twin.signals if spec.kind == "endpoint")
        assert endpoints.urls == {region: f"{e.url}/health" for region, e in world.endpoints.items()}
        assert (endpoints.expect.status, endpoints.expect.body) == (200, None)
    assert (tmp_path / str(twin.state.path)).parent == tmp_path
    assert "192.0.2.53" not in config.read_text()
    assert "shop.test/" not in config.read_text()
    kept = ("app", "account", "regions", "objectives", "judgement")
    assert [getattr(twin, name) for name in kept] == [getattr(own, name) for name in kept]
    assert twin.routing[0].home == own.routing[0].home


def test_arc_endpoints_are_the_sandboxs(tmp_path: Path) -> None:
    with staged(MAPS, tmp_path) as (world, found):
        config = found.config
        arc = load_app(config).arc
        assert arc is not None
        assert {e.region: e.endpoint for e in arc.cluster} == {
            region: world.arc.cluster.endpoints[region] for region in ("us-east-1", "us-west-2", "eu-west-1")
        }


def test_an_address_that_has_no_twin_is_refused(tmp_path: Path) -> None:
    """Wherever a later field of resil.yaml may put one: here a dimension, as notify's topics will."""
    topic = "arn:aws:sns:eu-west-1:210987654321:pager"
    spec = {"kind": "metric", "name": "m", "namespace": "N", "metric": "M", "above": 1, "dimensions": {"Topic": topic}}
    shop = with_signals(SHOP, spec)
    with pytest.raises(UsageError, match=f"no twin of {topic}"):
        stage_twin(scenario("planned"), Own(shop, RUNBOOKS), tmp_path)


def test_records_that_route_53_would_refuse_are_the_users_to_mend(tmp_path: Path) -> None:
    maps = app(MAPS)
    routing = (maps.routing[0].model_copy(update={"zone": "elsewhere.test"}),)
    with pytest.raises(UsageError, match="is not permitted in zone elsewhere"):
        stage_twin(scenario("planned-latency"), Own(maps.model_copy(update={"routing": routing}), RUNBOOKS), tmp_path)


def test_a_cluster_endpoint_where_arc_has_none_is_refused(tmp_path: Path) -> None:
    arc = {"cluster": [{"region": "eu-central-1", "endpoint": "https://x.test/v1"}]}
    maps = App.model_validate(app(MAPS).model_dump(mode="json", by_alias=True, exclude_none=True) | {"arc": arc})
    with pytest.raises(UsageError, match=r"arc.cluster names an endpoint in eu-central-1"):
        stage_twin(scenario("planned-latency"), Own(maps, RUNBOOKS), tmp_path)


def test_runbooks_are_the_users_with_shorter_watching_times_inside_parallel_steps_too(tmp_path: Path) -> None:
    own = Own(app(MAPS), RUNBOOKS | {"failover": MAPS.parent / "maps-failover.yaml"})
    found = stage_twin(scenario("planned-latency"), own, tmp_path)
    found.world.stop()
    book = yaml.safe_load((tmp_path / "failover.yaml").read_text())
    assert book["name"] == "maps over"
    assert book["steps"][-1]["steps"][1]["for"] < 10
    assert "failover by maps-failover.yaml" in found.notes[0]


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        (["api.example.com."], "example.com."),
        (["example.com."], "example.com."),
        (["a.b.example.com.", "www.example.com."], "example.com."),
        (["api.example.com.", "x.api.example.com."], "example.com."),
    ],
)
def test_a_zone_known_by_its_id_is_named_by_what_its_records_share(names: list[str], zone: str) -> None:
    assert zone_name(names) == zone


hundredths = st.integers(-10_000_000, 10_000_000).map(lambda number: number / 100)
thresholds = st.one_of(
    st.tuples(hundredths, st.none()),
    st.tuples(st.none(), hundredths),
    st.tuples(hundredths.map(abs), hundredths.map(lambda number: -1.0 - abs(number))),
)


@given(thresholds, st.sampled_from(["Average", "Sum", "Maximum", "Minimum"]), st.sampled_from([0.0, 1.0]))
def test_a_metric_is_within_its_threshold_while_the_region_is_sound_and_beyond_it_while_it_fails(
    limits: tuple[float | None, float | None], statistic: str, failing: float
) -> None:
    """Over a whole period of a datapoint a second, which is judged as the metric's reader judges it."""
    above, below = limits
    data = {"kind": "metric", "name": "m", "namespace": "N", "metric": "M", "statistic": statistic, "period": 10}
    spec = Metric.model_validate(data | {"above": above, "below": below})
    first = point(spec, failing, 1.0)
    assert first is not None
    total = first
    for _ in range(9):
        total = total.merged(first)
    value = total.statistic(statistic)
    is_bad = (above is not None and value > above) or (below is not None and value < below)
    assert is_bad is (failing > 0)


def test_where_silence_is_good_there_is_silence_until_something_fails() -> None:
    data = {"kind": "metric", "name": "m", "namespace": "N", "metric": "M", "statistic": "Sum"}
    spec = Metric.model_validate(data | {"above": 0, "missing": "ok"})
    assert point(spec, 0.0, 1.0) is None
    assert point(spec, 1.0, 1.0) is not None


def with_signals(path: Path, *specs: dict[str, Any]) -> App:
    return App.model_validate(app(path).model_dump(mode="json", by_alias=True, exclude_none=True) | {"signals": specs})
