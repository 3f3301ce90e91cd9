"""The reference world over the wire: real boto3, DNS and HTTP against everything AWS's Guidance deploys."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import dns.edns
import dns.message
import dns.query
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from resilience_cli.adapters.yaml_files import load_app
from resilience_cli.model.app import Endpoints
from resilience_cli.sandbox.orders import World, build
from resilience_cli.sandbox.orders_files import LATENCY, WEIGHTED

WEST, EAST, OBSERVER = "us-west-2", "us-east-1", "us-east-2"
NEAR = {WEST: "198.51.100.0", EAST: "203.0.113.0"}
ADDRESS = {WEST: "127.0.2.1", EAST: "127.0.1.1"}
SESSION = boto3.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="sandbox")
CLIENTS: dict[tuple[str, str, str], Any] = {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = build(tmp_path_factory.mktemp("orders"), propagation=0.1, wait_period_ms=300)
    world.start()
    yield world
    world.stop()


@pytest.fixture(autouse=True)
def _put_right(world: World) -> Iterator[None]:
    yield
    for region in (WEST, EAST):
        if world.signals.failing[region]:
            world.recover(region)


def client(world: World, service: str, region: str, url: str = "") -> Any:
    key = (service, region, url or world.sandbox.url)
    if key not in CLIENTS:
        settings = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        CLIENTS[key] = SESSION.client(service, region_name=region, endpoint_url=key[2], config=settings)  # type: ignore[call-overload]  # the service varies
    return CLIENTS[key]


def alarms(world: World, region: str) -> dict[str, str]:
    answer = client(world, "cloudwatch", region).describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in answer["MetricAlarms"] + answer["CompositeAlarms"]}


def last_run(world: World, region: str, canary: str) -> dict[str, Any]:
    answer = client(world, "synthetics", region).describe_canaries_last_run(Names=[canary])
    status: dict[str, Any] = answer["CanariesLastRun"][0]["LastRun"]["Status"]
    return status


def ask(world: World, name: str, region: str) -> list[str]:
    """The addresses an asker near this Region gets."""
    query = dns.message.make_query(name, "A")
    query.use_edns(0, options=[dns.edns.ECSOption(NEAR[region], 24)])
    answer = dns.query.udp(query, world.nameserver.host, port=world.nameserver.port, timeout=2)
    return [value.to_text() for found in answer.answer for value in found]


def status_of(world: World, region: str) -> int:
    try:
        with urllib.request.urlopen(f"{world.endpoints[region].url}/health", timeout=2) as answer:
            assert json.load(answer) == {"region": region}
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def turn(world: World, **wish: Any) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{world.sandbox.url}/_resil/world", data=json.dumps(wish).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return int(answer.status), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def soon(holds: Callable[[], bool], within: float = 3.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def lag(world: World, source: str, target: str) -> list[float]:
    dimensions = [{"Name": "TableName", "Value": "Orders"}, {"Name": "ReceivingRegion", "Value": target}]
    metric = {"Namespace": "AWS/DynamoDB", "MetricName": "ReplicationLatency", "Dimensions": dimensions}
    now = datetime.now(UTC)
    answer = client(world, "cloudwatch", source).get_metric_data(
        MetricDataQueries=[{"Id": "lag", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}],
        StartTime=now - timedelta(minutes=3),
        EndTime=now + timedelta(seconds=1),
    )
    values: list[float] = answer["MetricDataResults"][0]["Values"]
    return values


def test_every_signal_is_good_as_soon_as_the_world_is_up(world: World) -> None:
    for region in (WEST, EAST):
        assert alarms(world, region) == {
            "orders-api-5xx": "OK",
            "orders-create-errors": "OK",
            "orders-impaired": "OK",
        }
        assert last_run(world, region, "orders-canary")["State"] == "PASSED"
        assert last_run(world, OBSERVER, f"orders-observe-{region}")["State"] == "PASSED"
        assert status_of(world, region) == 200
    assert set(alarms(world, OBSERVER).values()) == {"OK"}


def test_both_configs_are_valid_and_point_at_this_world(world: World) -> None:
    weighted, latency = (load_app(world.directory / name) for name in (WEIGHTED, LATENCY))
    for app in (weighted, latency):
        (route,) = app.routing
        (probe,) = app.signals_of(Endpoints)
        assert route.zone == world.routing.zone_id
        assert app.dns.resolver == world.dns
        assert app.state.path is not None
        assert probe.urls[WEST] == f"{world.endpoints[WEST].url}/health"
    checks = {region: endpoint.health_check for region, endpoint in weighted.routing[0].endpoints.items()}
    assert checks == world.routing.endpoint_checks
    assert latency.arc is not None
    assert {e.region: e.endpoint for e in latency.arc.cluster} == world.arc.cluster.endpoints
    assert latency.routing[0].endpoints[WEST].routing_control == world.routing.controls[WEST]
    assert weighted.state.path != latency.state.path


@pytest.mark.parametrize("name", ["resil-weighted.yaml", "resil-latency.yaml"])
def test_the_examples_themselves_are_valid(name: str) -> None:
    assert load_app(Path(__file__).parents[2] / "examples" / "orders" / name).app == "orders"


def test_what_a_shell_needs_is_exported(world: World) -> None:
    exports = world.exports()
    assert exports["AWS_ENDPOINT_URL"] == world.sandbox.url
    assert exports["AWS_DEFAULT_REGION"] == WEST
    assert Path(exports["RESIL_CONFIG"]).is_file()
    assert client(world, "sts", WEST).get_caller_identity()["Account"] == "123456789012"


def test_weights_and_latency_decide_who_is_answered_what(world: World) -> None:
    assert {ask(world, "api.example.com", region)[0] for region in (WEST, EAST)} == {ADDRESS[WEST]}
    for region in (WEST, EAST):
        assert ask(world, "orders.example.com", region) == [ADDRESS[region]]
    answer = client(world, "route53", WEST).test_dns_answer(
        HostedZoneId=world.routing.zone_id,
        RecordName="orders.example.com",
        RecordType="A",
        EDNS0ClientSubnetIP="203.0.113.9",
    )
    assert answer["RecordData"] == [ADDRESS[EAST]]


def test_an_impaired_region_looks_so_from_everywhere_and_recovers(world: World) -> None:
    world.impair(WEST)
    assert set(alarms(world, WEST).values()) == {"ALARM"}
    assert set(alarms(world, EAST).values()) == {"OK"}
    assert alarms(world, OBSERVER) == {"orders-canary-us-west-2": "ALARM", "orders-canary-us-east-1": "OK"}
    assert last_run(world, WEST, "orders-canary")["StateReasonCode"] == "CANARY_FAILURE"
    assert last_run(world, OBSERVER, "orders-observe-us-west-2")["State"] == "FAILED"
    assert last_run(world, OBSERVER, "orders-observe-us-east-1")["State"] == "PASSED"
    assert (status_of(world, WEST), status_of(world, EAST)) == (503, 200)
    assert soon(lambda: ask(world, "api.example.com", WEST) == [ADDRESS[EAST]])
    world.recover(WEST)
    assert set(alarms(world, WEST).values()) == {"OK"}
    assert set(alarms(world, OBSERVER).values()) == {"OK"}
    assert last_run(world, OBSERVER, "orders-observe-us-west-2")["State"] == "PASSED"
    assert status_of(world, WEST) == 200
    assert soon(lambda: ask(world, "api.example.com", WEST) == [ADDRESS[WEST]])


def test_a_grey_failure_fails_some_requests_and_shows_in_the_rates(world: World) -> None:
    world.impair(WEST, 0.5)
    statuses = {status_of(world, WEST) for _ in range(40)}
    assert statuses == {200, 503}
    assert alarms(world, WEST)["orders-api-5xx"] == "ALARM"


def test_the_world_goes_on_by_itself(world: World) -> None:
    def newest() -> datetime:
        answer = client(world, "synthetics", OBSERVER).get_canary_runs(Name="orders-observe-us-east-1", MaxResults=1)
        completed: datetime = answer["CanaryRuns"][0]["Timeline"]["Completed"]
        return completed

    before = newest()
    assert soon(lambda: newest() > before)


def test_replication_lag_is_in_the_source_regions_metrics(world: World) -> None:
    for source, target in ((WEST, EAST), (EAST, WEST)):
        assert all(600 <= value <= 1200 for value in lag(world, source, target))
        assert len(lag(world, source, target)) >= 3
    assert lag(world, WEST, WEST) == []
    assert turn(world, lag_ms=90_000)[1]["lag_ms"] == [90_000, 90_000]
    assert max(lag(world, WEST, EAST)) == 90_000
    turn(world, lag_ms=None)
    assert lag(world, WEST, EAST) == []
    turn(world, lag_ms=[600, 1200])
    assert len(lag(world, WEST, EAST)) >= 3


def test_tables_are_global_ones(world: World) -> None:
    for region in (WEST, EAST):
        for name in ("Customers", "Products", "Orders"):
            table = client(world, "dynamodb", region).describe_table(TableName=name)["Table"]
            assert {(r["RegionName"], r["ReplicaStatus"]) for r in table["Replicas"]} == {
                (WEST, "ACTIVE"),
                (EAST, "ACTIVE"),
            }
            assert table["TableStatus"] == "ACTIVE"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client(world, "dynamodb", OBSERVER).describe_table(TableName="Orders")


def test_a_routing_control_moves_latency_answers_and_the_safety_rule_holds(world: World) -> None:
    def put(west: str, east: str, through: str = "eu-west-1") -> None:
        cluster = client(world, "route53-recovery-cluster", through, world.arc.cluster.endpoints[through])
        wanted = {WEST: west, EAST: east}
        cluster.update_routing_control_states(
            UpdateRoutingControlStateEntries=[
                {"RoutingControlArn": world.routing.controls[region], "RoutingControlState": state}
                for region, state in wanted.items()
            ]
        )

    with pytest.raises(ClientError) as refusal:
        put("Off", "Off")
    assert refusal.value.response["Error"]["Code"] == "ConflictException"
    assert world.routing.rule in refusal.value.response["Error"]["Message"]
    put("Off", "On")
    assert ask(world, "orders.example.com", WEST) == [ADDRESS[EAST]]
    with pytest.raises(ClientError, match="wait period"):
        put("On", "On")
    time.sleep(0.4)
    put("On", "On", through="ap-southeast-2")  # three changes a second are all that one endpoint takes
    assert ask(world, "orders.example.com", WEST) == [ADDRESS[WEST]]


def test_a_cluster_endpoint_can_be_switched_off(world: World) -> None:
    turn(world, endpoints_down=[EAST])
    arn = world.routing.controls[WEST]
    with pytest.raises(ClientError, match="EndpointTemporarilyUnavailableException"):
        client(world, "route53-recovery-cluster", EAST, world.arc.cluster.endpoints[EAST]).get_routing_control_state(
            RoutingControlArn=arn
        )
    other = client(world, "route53-recovery-cluster", WEST, world.arc.cluster.endpoints[WEST])
    assert other.get_routing_control_state(RoutingControlArn=arn)["RoutingControlState"] == "On"
    turn(world, endpoints_down=[])


def test_the_clusters_shape_can_be_discovered(world: World) -> None:
    config = client(world, "route53-recovery-control-config", WEST)
    (cluster,) = config.list_clusters()["Clusters"]
    described = config.describe_cluster(ClusterArn=cluster["ClusterArn"])["Cluster"]
    assert {e["Region"]: e["Endpoint"] for e in described["ClusterEndpoints"]} == world.arc.cluster.endpoints
    (rule,) = config.list_safety_rules(ControlPanelArn=world.routing.panel)["SafetyRules"]
    assert rule["ASSERTION"]["RuleConfig"] == {"Type": "ATLEAST", "Threshold": 1, "Inverted": False}
    arn = world.routing.controls[EAST]
    checks = config.list_associated_route53_health_checks(RoutingControlArn=arn)["HealthCheckIds"]
    assert checks == [world.routing.control_checks[EAST]]


def test_health_tells_old_news_new_issues_and_that_a_plan_is_needed(world: World) -> None:
    health = client(world, "health", EAST)
    assert [event["statusCode"] for event in health.describe_events()["events"]] == ["closed"]
    turn(world, health_event={"region": WEST, "service": "DYNAMODB"})
    wanted = {"regions": [WEST, "global"], "eventStatusCodes": ["open"], "eventTypeCategories": ["issue"]}
    (event,) = health.describe_events(filter=wanted)["events"]
    details = health.describe_event_details(eventArns=[event["arn"]])["successfulSet"]
    assert "investigating" in details[0]["eventDescription"]["latestDescription"]
    turn(world, health_close=event["arn"], health_plan=False)
    with pytest.raises(ClientError, match="SubscriptionRequiredException"):
        health.describe_events()
    turn(world, health_plan=True)
    assert health.describe_events(filter=wanted)["events"] == []


def test_canaries_can_be_stopped_or_broken_without_the_application_being_bad(world: World) -> None:
    turn(world, canaries="broken")
    assert last_run(world, OBSERVER, "orders-observe-us-west-2")["StateReasonCode"] == "EXECUTION_FAILURE"
    turn(world, canaries="stop")
    canary = client(world, "synthetics", WEST).get_canary(Name="orders-canary")["Canary"]
    assert canary["Status"]["State"] == "STOPPED"
    turn(world, canaries="start")
    assert last_run(world, WEST, "orders-canary")["State"] == "PASSED"


def test_an_alarm_can_be_made_to_say_that_it_was_not_evaluated(world: World) -> None:
    wish = {"region": WEST, "alarm": "orders-api-5xx"}
    turn(world, evaluation_state=wish | {"state": "EVALUATION_FAILURE"})
    answer = client(world, "cloudwatch", WEST).describe_alarms(AlarmNames=["orders-api-5xx"])
    assert answer["MetricAlarms"][0]["EvaluationState"] == "EVALUATION_FAILURE"
    turn(world, evaluation_state=wish | {"state": None})


def test_a_switch_over_http_impairs_and_recovers_and_says_so(world: World) -> None:
    assert turn(world, impair=EAST, share=0.25)[1]["failing"] == {WEST: 0.0, EAST: 0.25}
    assert turn(world, recover=EAST)[1]["failing"] == {WEST: 0.0, EAST: 0.0}


@pytest.mark.parametrize(
    "wish",
    [
        {"impair": WEST, "flood": True},
        {"impair": "mars-1"},
        {"impair": WEST, "share": 2},
        {"canaries": "sing"},
        {"endpoints_down": ["us-east-9"]},
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_and_nothing_is_turned(world: World, wish: dict[str, Any]) -> None:
    status, answer = turn(world, **wish)
    assert status == 400
    assert answer["error"]
    assert world.control({})["failing"] == {WEST: 0.0, EAST: 0.0}


def test_a_stopped_world_leaves_no_thread_and_no_port(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    world = build(tmp_path)
    world.start()
    ports = [("127.0.0.1", world.sandbox.port), (ADDRESS[WEST], world.endpoints[WEST].port)]
    world.stop()
    world.stop()
    assert set(threading.enumerate()) <= before
    for address in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(address) != 0


def test_a_world_that_cannot_have_its_port_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        build(tmp_path, dns_port=taken.getsockname()[1])
    assert set(threading.enumerate()) <= before
