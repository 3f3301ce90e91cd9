"""Faults as the SDK's own clients meet them: each kind, when it strikes, and what the call log says of it."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from resilience_cli.adapters.aws.session import Api
from resilience_cli.errors import AwsTrouble, Denied, Throttled, Uncertain, Unreachable
from resilience_cli.model.fault import KINDS, ArcEndpointsDown, UnknownName, fault_of
from resilience_cli.sandbox.arc import ENDPOINT_REGIONS
from resilience_cli.sandbox.faults import Faults
from resilience_cli.sandbox.listener import Listener, Response, State
from resilience_cli.sandbox.server import Sandbox

from .conftest import Bench, Recorder

WAIT_S = 0.4  # as long as these clients wait for an answer
PANEL = "arn:aws:route53-recovery-control::123456789012:controlpanel/p"
CONTROL = f"{PANEL}/routingcontrol/r"

Add = Callable[..., str]


@pytest.fixture
def faults(bench: Bench) -> Iterator[Faults]:
    yield bench.sandbox.faults
    bench.sandbox.faults.clear()


@pytest.fixture
def add(faults: Faults) -> Add:
    """``add(kind, ...)``: a fault as it would stand in YAML, from now on."""
    return lambda kind, **more: faults.add(fault_of({"kind": kind} | more))


@pytest.fixture(scope="module")
def _hasty() -> Iterator[dict[tuple[str, str, str], Any]]:
    clients: dict[tuple[str, str, str], Any] = {}
    yield clients
    for each in clients.values():
        each.close()


@pytest.fixture
def hasty(bench: Bench, _hasty: dict[tuple[str, str, str], Any]) -> Callable[..., Any]:
    """Clients that ask once and wait a moment."""

    def client(service: str, region: str = "us-west-2", url: str | None = None) -> Any:
        key = (service, region, url or bench.sandbox.url)
        if key not in _hasty:
            once = Config(retries={"total_max_attempts": 1}, connect_timeout=WAIT_S, read_timeout=WAIT_S)
            make: Any = bench.session.client
            _hasty[key] = make(service, region_name=region, endpoint_url=key[2], config=once)
        return _hasty[key]

    return client


def outcomes(bench: Bench) -> list[str]:
    return [entry.outcome for entry in bench.sandbox.calls.entries()]


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer: Any = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def zone(bench: Bench) -> str:
    """A hosted zone of this test's own."""
    made = bench.client("route53").create_hosted_zone(Name="example.org", CallerReference=str(time.monotonic_ns()))
    id_: str = made["HostedZone"]["Id"].rpartition("/")[2]
    return id_


def change(client: Any, zone_id: str, value: str, action: str = "CREATE") -> None:
    record = {"Name": "api.example.org", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def address(client: Any, zone_id: str) -> list[str]:
    """The values of the zone's A record, none where it has none."""
    records = client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return [value["Value"] for record in records if record["Type"] == "A" for value in record["ResourceRecords"]]


# No answer


def test_a_black_hole_reads_the_request_logs_it_at_once_and_never_answers(
    bench: Bench, add: Add, hasty: Callable[..., Any]
) -> None:
    add("black-hole", service="synthetics", region="us-west-2")
    with pytest.raises(ReadTimeoutError):
        hasty("synthetics").get_canary_runs(Name="x")
    (entry,) = bench.sandbox.calls.entries()
    assert (entry.operation, entry.status, entry.outcome) == ("GetCanaryRuns", 0, "fault:black-hole")
    assert entry.duration_ms is None
    assert bench.recorders["synthetics"].seen == []
    bench.client("synthetics", "us-east-1").get_canary_runs(Name="x")
    assert outcomes(bench)[-1] == "ok"


def test_what_a_black_hole_holds_is_let_go_when_it_ends(bench: Bench, add: Add) -> None:
    client = bench.client("synthetics")
    add("black-hole", service="synthetics", **{"for": "400ms"})
    with pytest.raises(ConnectionClosedError):
        client.get_canary_runs(Name="x")
    client.get_canary_runs(Name="x")
    assert outcomes(bench) == ["fault:black-hole", "ok"]


def test_a_connection_held_in_a_black_hole_ends_when_its_client_leaves(bench: Bench, add: Add) -> None:
    add("black-hole", service="sts")
    before = threading.active_count()
    connection = http.client.HTTPConnection("127.0.0.1", bench.sandbox.port, timeout=5)
    scope = "AKID/20260501/us-west-2/sts/aws4_request"
    connection.request("POST", "/", b"Action=GetCallerIdentity", {"Authorization": f"x Credential={scope}"})
    assert soon(lambda: outcomes(bench) == ["fault:black-hole"])
    connection.close()
    assert soon(lambda: threading.active_count() <= before)


def test_refuse_resets_after_reading(bench: Bench, add: Add) -> None:
    add("refuse", service="synthetics")
    with pytest.raises(ConnectionClosedError, match="closed") as caught:
        bench.client("synthetics").get_canary_runs(Name="x")
    assert "ConnectionResetError" in repr(caught.value.kwargs["error"])
    assert (bench.recorders["synthetics"].seen, outcomes(bench)) == ([], ["fault:refuse"])


@pytest.mark.parametrize(("then", "error"), [("silence", ReadTimeoutError), ("reset", ConnectionClosedError)])
def test_after_a_timeout_the_effect_has_taken_place(
    bench: Bench, add: Add, hasty: Callable[..., Any], then: str, error: type[Exception]
) -> None:
    own = zone(bench)
    add("timeout-after-effect", service="route53", operation="Change*", then=then)
    with pytest.raises(error):
        change(hasty("route53"), own, "192.0.2.7")
    assert address(bench.client("route53"), own) == ["192.0.2.7"]
    assert outcomes(bench)[-2:] == ["fault:timeout-after-effect ok", "ok"]


def test_a_dripping_answer_outlives_any_read_timeout_and_comes_whole_when_the_fault_ends(
    bench: Bench, add: Add, faults: Faults, hasty: Callable[..., Any]
) -> None:
    client, fault = hasty("sts"), add("drip", service="sts", every="50ms")
    threading.Timer(3 * WAIT_S, lambda: faults.remove(fault)).start()
    started = time.monotonic()
    assert client.get_caller_identity()["Account"] == "123456789012"
    assert time.monotonic() - started > 2 * WAIT_S
    assert outcomes(bench) == ["fault:drip ok"]


# Late


def test_latency_delays_the_effect_and_so_it_comes_after_the_caller_gave_up(
    bench: Bench, add: Add, hasty: Callable[..., Any]
) -> None:
    own = zone(bench)
    add("latency", service="route53", only="writes", delay=2 * WAIT_S)
    with pytest.raises(ReadTimeoutError):
        change(hasty("route53"), own, "192.0.2.8")
    assert address(bench.client("route53"), own) == []
    assert soon(lambda: address(bench.client("route53"), own) == ["192.0.2.8"])
    late = next(entry for entry in bench.sandbox.calls.entries() if entry.outcome == "fault:latency ok")
    assert late.duration_ms is not None
    assert late.duration_ms >= 2000 * WAIT_S


def test_jitter_stays_within_its_bounds(bench: Bench, add: Add) -> None:
    add("jitter", service="sts", least="20ms", most="60ms")
    for _ in range(3):
        bench.client("sts").get_caller_identity()
    took = [entry.duration_ms or 0 for entry in bench.sandbox.calls.entries()]
    assert all(each >= 20 for each in took)
    assert outcomes(bench) == ["fault:jitter ok"] * 3


# Refusals, in each service's own words


@pytest.mark.parametrize(
    ("service", "ask", "code", "status"),
    [
        ("route53", lambda api: api.list_hosted_zones(), "Throttling", 400),
        ("cloudwatch", lambda api: api.describe_alarms(), "Throttling", 400),
        ("sts", lambda api: api.get_caller_identity(), "Throttling", 400),
        ("dynamodb", lambda api: api.list_tables(), "ThrottlingException", 400),
        ("dynamodb", lambda api: api.scan(TableName="t"), "ProvisionedThroughputExceededException", 400),
        ("lambda", lambda api: api.list_functions(), "TooManyRequestsException", 429),
        ("apigateway", lambda api: api.get_rest_apis(), "TooManyRequestsException", 429),
        ("health", lambda api: api.describe_events(), "ThrottlingException", 400),
        ("s3", lambda api: api.list_buckets(), "SlowDown", 503),
        (
            "route53-recovery-cluster",
            lambda api: api.get_routing_control_state(RoutingControlArn=CONTROL),
            "ThrottlingException",
            400,
        ),
    ],
)
def test_a_throttle_is_worded_as_the_service_does(
    bench: Bench, add: Add, service: str, ask: Callable[[Any], Any], code: str, status: int
) -> None:
    add("throttle", service=service)
    with pytest.raises(ClientError) as caught:
        ask(bench.client(service))
    assert code_of(caught) == (code, status)
    assert outcomes(bench) == ["fault:throttle"]


@pytest.mark.parametrize(
    ("kind", "service", "more", "code", "status"),
    [
        ("error-5xx", "route53", {}, "InternalFailure", 500),
        ("error-5xx", "dynamodb", {}, "InternalServerError", 500),
        ("error-5xx", "sts", {"status": 503}, "ServiceUnavailable", 503),
        ("access-denied", "route53", {}, "AccessDenied", 403),
        ("access-denied", "dynamodb", {}, "AccessDeniedException", 400),
        ("access-denied", "sts", {"code": "ExpiredToken"}, "ExpiredToken", 403),
        ("control-plane-down", "route53", {"plane": "route53"}, "ServiceUnavailable", 503),
    ],
)
def test_other_refusals_too(
    bench: Bench, add: Add, kind: str, service: str, more: dict[str, Any], code: str, status: int
) -> None:
    add(kind, **({} if "plane" in more else {"service": service}), **more)
    asks: dict[str, Callable[[Any], Any]] = {
        "route53": lambda api: api.list_hosted_zones(),
        "dynamodb": lambda api: api.list_tables(),
        "sts": lambda api: api.get_caller_identity(),
    }
    with pytest.raises(ClientError) as caught:
        asks[service](bench.client(service))
    assert code_of(caught) == (code, status)
    assert outcomes(bench) == [f"fault:{kind}"]


def test_arcs_configuration_can_hang_while_its_endpoints_answer(
    bench: Bench, add: Add, hasty: Callable[..., Any]
) -> None:
    add("control-plane-down", plane="arc-config", how="black-hole")
    with pytest.raises(ReadTimeoutError):
        hasty("route53-recovery-control-config").list_clusters()
    bench.client("route53-recovery-cluster").update_routing_control_state(
        RoutingControlArn=CONTROL, RoutingControlState="On"
    )
    assert outcomes(bench) == ["fault:control-plane-down", "ok"]


# Answers that are not what they seem


def test_a_stale_read_tells_what_was_true_and_later_what_is(bench: Bench, add: Add) -> None:
    own, api = zone(bench), bench.client("route53")
    change(api, own, "192.0.2.1")
    add("stale-read", service="route53", age="400ms")
    assert address(api, own) == ["192.0.2.1"]
    change(api, own, "192.0.2.2", "UPSERT")
    assert address(api, own) == ["192.0.2.1"]
    assert outcomes(bench)[-1] == "fault:stale-read"
    assert soon(lambda: address(api, own) == ["192.0.2.2"])


def test_a_metric_asked_for_a_minute_later_is_the_same_question_to_a_stale_read(bench: Bench, add: Add) -> None:
    add("stale-read", service="cloudwatch", age="1m")
    metrics, answers = bench.recorders["cloudwatch"], iter(("first", "second"))
    metrics.reply = lambda _: {"MetricDataResults": [{"Id": next(answers)}]}
    metric = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    now, seen = datetime.now(UTC), []
    for minute in range(2):
        answer = bench.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": metric}],
            StartTime=now + timedelta(minutes=minute - 5),
            EndTime=now + timedelta(minutes=minute),
        )
        seen.append(answer["MetricDataResults"][0]["Id"])
    assert seen == ["first", "first"]


def test_a_cut_page_promises_more_and_the_next_page_fails(bench: Bench, add: Add) -> None:
    own = zone(bench)
    change(bench.client("route53"), own, "192.0.2.1")
    add("cut-page", service="route53", operation="ListResourceRecordSets")
    paginator = bench.client("route53").get_paginator("list_resource_record_sets")
    pages = iter(paginator.paginate(HostedZoneId=own))
    first = next(pages)
    assert first["IsTruncated"]
    assert [record["Type"] for record in first["ResourceRecordSets"]] == ["NS", "SOA"]
    assert (first["NextRecordName"], first["NextRecordType"]) == ("api.example.org.", "A")
    with pytest.raises(ClientError) as caught:
        next(pages)
    assert code_of(caught) == ("InternalFailure", 500)
    assert outcomes(bench)[-2:] == ["fault:cut-page"] * 2


def test_a_page_with_an_opaque_token_is_cut_too(bench: Bench, add: Add) -> None:
    bench.recorders["synthetics"].reply = lambda _: {"CanaryRuns": [{"Name": "a"}, {"Name": "b"}]}
    add("cut-page", service="synthetics")
    first = bench.client("synthetics").get_canary_runs(Name="x")
    assert [run["Name"] for run in first["CanaryRuns"]] == ["a"]
    with pytest.raises(ClientError):
        bench.client("synthetics").get_canary_runs(Name="x", NextToken=first["NextToken"])


@pytest.mark.parametrize("how", ["body", "next-page"])
def test_an_answer_without_pages_is_cut_as_bytes(bench: Bench, add: Add, how: str) -> None:
    add("cut-page", service="sts", how=how)
    with pytest.raises(ResponseParserError):
        bench.client("sts").get_caller_identity()
    assert outcomes(bench) == ["fault:cut-page"]


def test_a_malformed_body_has_a_good_status(bench: Bench, add: Add) -> None:
    add("malformed-body", service="route53")
    with pytest.raises(ResponseParserError):
        bench.client("route53").list_hosted_zones()
    assert [(entry.status, entry.outcome) for entry in bench.sandbox.calls.entries()] == [
        (200, "fault:malformed-body ok")
    ]


def test_a_body_of_ones_own_is_sent_as_it_is(bench: Bench, add: Add) -> None:
    add("malformed-body", service="dynamodb", body="<html>sign in</html>")
    answer = bench.client("dynamodb").list_tables()
    assert "TableNames" not in answer  # the SDK takes it for an answer: whoever reads it must notice


def test_a_skewed_clock_shows_in_the_date_and_in_the_stores_own_time(bench: Bench, add: Add, faults: Faults) -> None:
    add("clock-skew", service="cloudwatch", by=-120)
    answer = bench.client("cloudwatch").describe_alarms()
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert date.timestamp() == bench.clock.now - 120
    assert faults.clock(bench.clock, "cloudwatch")() == bench.clock.now - 120
    assert faults.clock(bench.clock, "health")() == bench.clock.now
    answer = bench.client("sts").get_caller_identity()
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert date.timestamp() == bench.clock.now


def test_a_clock_more_than_five_minutes_off_takes_no_signature(bench: Bench, add: Add) -> None:
    add("clock-skew", service=["sts", "dynamodb"], by="301s")
    with pytest.raises(ClientError) as caught:
        bench.client("sts").get_caller_identity()
    assert code_of(caught) == ("SignatureDoesNotMatch", 403)
    with pytest.raises(ClientError) as caught:
        bench.client("dynamodb").list_tables()
    assert code_of(caught) == ("InvalidSignatureException", 403)


# Which calls, when, and how many


def test_a_fault_strikes_only_what_all_of_its_matches_fit(bench: Bench, add: Add) -> None:
    add("error-5xx", service="syn*", operation=["Get*", "DescribeCanaries"], region="us-*-2")
    for region, outcome in [("us-west-2", "fault:error-5xx"), ("us-east-2", "fault:error-5xx"), ("us-east-1", "ok")]:
        try_it(partial(bench.client("synthetics", region).get_canary_runs, Name="x"))
        assert outcomes(bench)[-1] == outcome
    bench.client("synthetics").stop_canary(Name="x")
    assert outcomes(bench)[-1] == "ok"


def test_a_fault_can_be_about_one_caller_only(bench: Bench, add: Add) -> None:
    add("error-5xx", caller="AKIDORDERS*")
    bench.client("sts").get_caller_identity()
    assert outcomes(bench) == ["ok"]


def test_a_fault_begins_and_ends_in_its_time(bench: Bench) -> None:
    now = [100.0]
    faults = Faults(now=lambda: now[0])
    faults.timeline([fault_of({"kind": "refuse", "id": "x", "at": 5, "for": 10})], zero=98.0)
    on = []
    for moment in (100.0, 102.9, 103.0, 112.9, 113.0):
        now[0] = moment
        on.append(faults.as_json()[0]["on"])
    assert on == [False, False, True, True, False]


def test_only_the_first_so_many_calls(bench: Bench, add: Add, faults: Faults) -> None:
    add("throttle", service="sts", times=2)
    for _ in range(4):
        try_it(bench.client("sts").get_caller_identity)
    assert outcomes(bench) == ["fault:throttle"] * 2 + ["ok"] * 2
    assert faults.as_json() == [{"id": faults.as_json()[0]["id"], "kind": "throttle", "on": True, "struck": 2}]


def test_a_grey_failure_strikes_its_share_and_equal_seeds_strike_alike(bench: Bench) -> None:
    def struck(seed: int) -> list[str]:
        with Sandbox([Recorder("synthetics")]) as sandbox:
            sandbox.faults.add(fault_of({"kind": "error-5xx", "service": "synthetics", "share": 0.4, "seed": seed}))
            client = bench.session.client(
                "synthetics", endpoint_url=sandbox.url, config=Config(retries={"total_max_attempts": 1})
            )
            for _ in range(40):
                try_it(partial(client.get_canary_runs, Name="x"))
            client.close()
            return [entry.outcome for entry in sandbox.calls.entries()]

    first = struck(1)
    assert 8 <= first.count("fault:error-5xx") <= 24
    assert first.count("ok") + first.count("fault:error-5xx") == 40
    assert struck(1) == first
    assert struck(2) != first


def test_two_faults_strike_one_call_together(bench: Bench, add: Add) -> None:
    add("latency", service="sts", delay="50ms")
    add("throttle", service="sts")
    with pytest.raises(ClientError):
        bench.client("sts").get_caller_identity()
    (entry,) = bench.sandbox.calls.entries()
    assert entry.outcome == "fault:latency fault:throttle"
    assert (entry.duration_ms or 0) >= 50


def test_a_removed_fault_strikes_no_more(bench: Bench, add: Add, faults: Faults) -> None:
    faults.remove(add("error-5xx", service="sts"))
    bench.client("sts").get_caller_identity()
    assert faults.as_json() == []
    with pytest.raises(KeyError, match="no fault 'f99'"):
        faults.remove("f99")


# The connect phase: ARC's endpoints have ports of their own


@pytest.mark.parametrize(("how", "error"), [("closed", EndpointConnectionError), ("backlog", ConnectTimeoutError)])
def test_an_arc_endpoints_port_closes_or_fills_and_is_the_same_on_its_return(
    bench: Bench, add: Add, faults: Faults, hasty: Callable[..., Any], how: str, error: type[Exception]
) -> None:
    url = bench.sandbox.serve_endpoint("eu-west-1")
    client = hasty("route53-recovery-cluster", "eu-west-1", url)
    ask = partial(client.update_routing_control_state, RoutingControlArn=CONTROL, RoutingControlState="On")
    ask()
    fault = add("arc-endpoints-down", endpoints=["eu-west-1"], how=how)
    with pytest.raises(error):
        ask()
    faults.remove(fault)
    assert bench.sandbox.serve_endpoint("eu-west-1") == url
    assert soon(lambda: not try_it(ask))


def test_ports_follow_the_timeline_by_themselves() -> None:
    with Sandbox([Recorder("route53-recovery-cluster")]) as sandbox:
        port = int(sandbox.serve_endpoint("us-east-1").rpartition(":")[2])
        down = {"kind": "arc-endpoints-down", "endpoints": ["us-east-1"], "at": "400ms", "for": "400ms"}
        sandbox.faults.timeline([fault_of(down)])
        assert connects(port)
        assert soon(lambda: not connects(port))
        assert soon(lambda: connects(port))


def test_so_many_endpoints_are_chosen_by_the_seed() -> None:
    def chosen(number: int, seed: int) -> tuple[str, ...]:
        return ArcEndpointsDown(endpoints=number, seed=seed).chosen(ENDPOINT_REGIONS)

    assert [len(set(chosen(number, 3))) for number in (1, 3, 5)] == [1, 3, 5]
    assert chosen(2, 3) == chosen(2, 3)
    assert len({chosen(2, seed) for seed in range(20)}) > 3


def test_an_unavailable_endpoint_connects_and_says_so(bench: Bench, add: Add) -> None:
    url = bench.sandbox.serve_endpoint("eu-west-1")
    add("arc-endpoints-down", endpoints=5, how="unavailable")
    client = bench.client("route53-recovery-cluster", "eu-west-1", url)
    with pytest.raises(client.exceptions.EndpointTemporarilyUnavailableException):
        client.get_routing_control_state(RoutingControlArn=CONTROL)
    assert outcomes(bench) == ["fault:arc-endpoints-down"]


def test_a_listener_that_is_stopped_while_closed_or_full_leaves_nothing() -> None:
    before = set(threading.enumerate())
    states: tuple[State, ...] = ("closed", "full")
    for state in states:
        listener = Listener(lambda _: Response(200))
        listener.start()
        listener.become(state)
        assert not connects(listener.port)
        listener.stop()
    assert set(threading.enumerate()) <= before


def test_a_stopped_sandbox_lets_go_of_every_fault() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox([Recorder("synthetics")])
    sandbox.serve_endpoint("us-east-1")
    sandbox.start()
    for fault in ({"kind": "black-hole"}, {"kind": "arc-endpoints-down", "endpoints": 5}):
        sandbox.faults.add(fault_of(fault))
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=5)
    connection.request("GET", "/bucket")
    assert soon(lambda: len(sandbox.calls.entries()) == 1)
    started = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - started < 1
    connection.close()
    assert soon(lambda: set(threading.enumerate()) <= before)


# Names that do not exist


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ({"kind": "blackhole"}, "did you mean black-hole"),
        ({"kind": "refuse", "service": "rout53"}, "did you mean route53"),
        ({"kind": "refuse", "service": "route53", "operation": "ListResourceRecordSet"}, "ListResourceRecordSets"),
        ({"kind": "refuse", "operation": "Frobnicate*"}, "no operation"),
        ({"kind": "refuse", "region": "us-wset-2"}, "us-west-2"),
        ({"kind": "arc-endpoints-down", "endpoints": ["us-east-2"]}, "us-east-1"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_the_near_ones(wrong: dict[str, Any], near: str) -> None:
    with pytest.raises(UnknownName, match=near) as caught:
        Faults().add(fault_of(wrong))
    assert caught.value.exit_code == 2


def test_a_timeline_with_one_bad_fault_schedules_none() -> None:
    faults = Faults()
    with pytest.raises(UnknownName):
        faults.timeline([fault_of({"kind": "refuse"}), fault_of({"kind": "refuse", "service": "nope"})])
    twins = [fault_of({"kind": "refuse", "id": "x"})] * 2
    with pytest.raises(ValueError, match="'x' already"):
        faults.timeline(twins)
    assert faults.as_json() == []


# The log


def test_the_log_can_be_followed_from_where_one_left_off(bench: Bench) -> None:
    bench.client("sts").get_caller_identity()
    last = page(bench, "/_resil/calls")["last"]
    assert last == 1
    bench.client("sts").get_session_token()
    following = page(bench, f"/_resil/calls?since={last}")
    assert [(call["operation"], call["number"]) for call in following["calls"]] == [("GetSessionToken", 2)]
    assert page(bench, "/_resil/calls?since=2") == {"calls": [], "dropped": 0, "last": 2}
    assert "number of the log" in page(bench, "/_resil/calls?since=x")["error"]


# What the adapters make of it


@pytest.mark.parametrize(
    ("fault", "read", "write"),
    [
        ({"kind": "black-hole"}, Uncertain, Uncertain),
        ({"kind": "refuse"}, Uncertain, Uncertain),
        ({"kind": "latency", "delay": 2 * WAIT_S}, Uncertain, Uncertain),
        ({"kind": "jitter", "least": 2 * WAIT_S, "most": 3 * WAIT_S}, Uncertain, Uncertain),
        ({"kind": "throttle"}, Throttled, Throttled),
        ({"kind": "error-5xx"}, Uncertain, Uncertain),
        ({"kind": "error-5xx", "status": 503}, Uncertain, Uncertain),
        ({"kind": "access-denied"}, Denied, Denied),
        ({"kind": "cut-page", "how": "body"}, Uncertain, None),
        ({"kind": "malformed-body"}, Uncertain, Uncertain),
        ({"kind": "timeout-after-effect"}, Uncertain, Uncertain),
        ({"kind": "timeout-after-effect", "then": "reset"}, Uncertain, Uncertain),
        ({"kind": "control-plane-down", "plane": "route53"}, Uncertain, Uncertain),
        ({"kind": "control-plane-down", "plane": "route53", "how": "black-hole"}, Uncertain, Uncertain),
        ({"kind": "clock-skew", "by": "10m"}, Denied, Denied),
        ({"kind": "stale-read", "age": 10}, None, None),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_each_fault_becomes_the_right_trouble(
    bench: Bench,
    faults: Faults,
    hasty: Callable[..., Any],
    fault: dict[str, Any],
    read: type[AwsTrouble] | None,
    write: type[AwsTrouble] | None,
) -> None:
    own = zone(bench)
    faults.add(fault_of(fault))
    api = Api(hasty("route53", "us-east-1"), "us-east-1", budget_s=30.0)
    assert trouble_of(lambda: api.ask("ListResourceRecordSets", HostedZoneId=own)) is read
    record = {"Name": "api.example.org", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    assert trouble_of(partial(api.ask, "ChangeResourceRecordSets", HostedZoneId=own, ChangeBatch=batch)) is write
    faults.clear()
    had_effect = write is None or fault["kind"] in ("timeout-after-effect", "malformed-body")
    if fault["kind"] not in ("latency", "jitter"):
        assert bool(address(bench.client("route53"), own)) is had_effect


@pytest.mark.parametrize("how", ["closed", "backlog"])
def test_no_connection_is_known_to_have_had_no_effect(
    bench: Bench, add: Add, hasty: Callable[..., Any], how: str
) -> None:
    url = bench.sandbox.serve_endpoint("eu-west-1")
    add("arc-endpoints-down", endpoints=["eu-west-1"], how=how)
    api = Api(hasty("route53-recovery-cluster", "eu-west-1", url), "eu-west-1", budget_s=30.0)
    assert trouble_of(lambda: api.ask("ListRoutingControls")) is Unreachable


def test_every_kind_of_fault_is_tried_in_this_file() -> None:
    with open(__file__, encoding="utf-8") as source:
        text = source.read()
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []


def trouble_of(ask: Callable[[], Any]) -> type[AwsTrouble] | None:
    try:
        ask()
    except AwsTrouble as trouble:
        return type(trouble)
    return None


def try_it(ask: Callable[[], Any]) -> bool:
    """Whether it failed."""
    try:
        ask()
    except (ClientError, BotoCoreError):
        return True
    return False


def page(bench: Bench, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", bench.sandbox.port, timeout=5)
    connection.request("GET", path)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
    except OSError:
        return False
    return True


def soon(holds: Callable[[], bool], within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
