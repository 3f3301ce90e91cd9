"""The sandbox's frame: every protocol AWS's SDKs speak arrives whole, moto is behind, and every call is in the log."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from resilience_cli.sandbox.calls import CallLog, is_write
from resilience_cli.sandbox.server import NO_ANSWER_STATUS, Sandbox
from resilience_cli.sandbox.service import AwsError, Call

from .conftest import KEY, Bench, Recorder, refusing

PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")
AT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


def ask_in(bench: Bench, protocol: str, service: str, operation: str, params: dict[str, Any]) -> Any:
    """One call in a protocol that this SDK may not choose by itself, serialised and parsed by the SDK's own code."""
    model = bench.client(service).meta.service_model
    operation_model = model.operation_model(operation)
    serializer: Any = create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(params, operation_model)
    scope = f"{KEY}/20260501/eu-west-1/{model.signing_name}/aws4_request"
    request["headers"]["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    url = bench.sandbox.url + request["url_path"]
    prepared: Any = AWSRequest(request["method"], url, request["headers"], request["body"]).prepare()
    status, headers, body = exchange(bench, prepared.method, request["url_path"], prepared.body, prepared.headers)
    reply = {"status_code": status, "headers": headers, "body": body}
    parser: Any = create_parser(protocol)
    return parser.parse(reply, operation_model.output_shape if status < 300 else None)


def exchange(bench: Bench, method: str, path: str, body: Any = None, headers: Any = None) -> tuple[int, Any, bytes]:
    """One request on a connection of its own: status, headers by lower-case name, body."""
    connection = http.client.HTTPConnection("127.0.0.1", bench.sandbox.port, timeout=5)
    try:
        connection.request(method, path, body, dict(headers or {}))
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()


# Protocols


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cloudwatch_is_understood_in_every_protocol_its_model_names(bench: Bench, protocol: str) -> None:
    alarms = bench.recorders["cloudwatch"]
    alarms.reply = lambda _: {
        "MetricAlarms": [
            {
                "AlarmName": "orders <5xx> & more",
                "StateValue": "ALARM",
                "Threshold": 1.5,
                "EvaluationPeriods": 300,
                "ActionsEnabled": True,
                "StateUpdatedTimestamp": AT,
                "Dimensions": [{"Name": "ApiName", "Value": "orders"}],
            }
        ],
        "CompositeAlarms": [],
    }
    asked = {"AlarmNames": ["a", "b"], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 7}
    answer = ask_in(bench, protocol, "cloudwatch", "DescribeAlarms", asked)
    assert alarms.seen == [Call("cloudwatch", "DescribeAlarms", "eu-west-1", KEY, asked)]
    (alarm,) = answer["MetricAlarms"]
    assert alarm.pop("StateUpdatedTimestamp").astimezone(UTC) == AT
    assert alarm == {
        "AlarmName": "orders <5xx> & more",
        "StateValue": "ALARM",
        "Threshold": 1.5,
        "EvaluationPeriods": 300,
        "ActionsEnabled": True,
        "Dimensions": [{"Name": "ApiName", "Value": "orders"}],
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_timestamps_numbers_and_lists_arrive_as_the_model_has_them(bench: Bench, protocol: str) -> None:
    data = {"MetricName": "5XXError", "Timestamp": AT, "Value": 0.125, "Dimensions": [{"Name": "n", "Value": "v"}]}
    ask_in(bench, protocol, "cloudwatch", "PutMetricData", {"Namespace": "AWS/ApiGateway", "MetricData": [data]})
    (call,) = bench.recorders["cloudwatch"].seen
    assert call.params == {"Namespace": "AWS/ApiGateway", "MetricData": [data]}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusal_carries_its_code_in_every_protocol(bench: Bench, protocol: str) -> None:
    bench.recorders["cloudwatch"].reply = refusing(AwsError("ResourceNotFound", "no <such> alarm"))
    asked = {"AlarmName": "x", "StateValue": "OK", "StateReason": "r"}
    answer = ask_in(bench, protocol, "cloudwatch", "SetAlarmState", asked)
    assert answer["Error"]["Code"] == "ResourceNotFound"
    assert answer["Error"]["Message"] == "no <such> alarm"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_health_is_understood_in_cbor_and_counts_as_us_east_1(bench: Bench) -> None:
    asked = {"filter": {"regions": ["us-west-2"], "eventStatusCodes": ["open"]}, "maxResults": 100}
    bench.recorders["health"].reply = lambda _: {"events": [{"arn": "arn:e", "startTime": AT.timestamp()}]}
    answer = ask_in(bench, "smithy-rpc-v2-cbor", "health", "DescribeEvents", asked)
    assert answer["events"][0]["startTime"].astimezone(UTC) == AT
    assert bench.client("health").describe_events(**asked)["events"][0]["arn"] == "arn:e"
    assert [call.region for call in bench.recorders["health"].seen] == ["us-east-1", "us-east-1"]
    assert [call.params for call in bench.recorders["health"].seen] == [asked, asked]


def test_synthetics_is_understood_with_its_path_and_body(bench: Bench) -> None:
    run = {"Name": "orders-west", "Status": {"State": "PASSED"}, "Timeline": {"Completed": AT}}
    bench.recorders["synthetics"].reply = lambda _: {"CanaryRuns": [run], "NextToken": "more"}
    answer = bench.client("synthetics", "us-east-2").get_canary_runs(Name="orders-west", MaxResults=3)
    assert answer["CanaryRuns"][0]["Timeline"]["Completed"].astimezone(UTC) == AT
    (call,) = bench.recorders["synthetics"].seen
    assert (call.operation, call.region) == ("GetCanaryRuns", "us-east-2")
    assert call.params == {"Name": "orders-west", "MaxResults": 3}


def test_arns_in_paths_arrive_whole_and_arc_configuration_counts_as_us_west_2(bench: Bench) -> None:
    arn = "arn:aws:route53-recovery-control::123456789012:cluster/c-1"
    bench.client("route53-recovery-control-config", "us-east-1").describe_cluster(ClusterArn=arn)
    (call,) = bench.recorders["route53-recovery-control-config"].seen
    assert (call.operation, call.region, call.params) == ("DescribeCluster", "us-west-2", {"ClusterArn": arn})


def test_a_call_that_arrives_at_an_arc_endpoint_carries_its_region(bench: Bench) -> None:
    url = bench.sandbox.serve_endpoint("ap-northeast-1")
    assert bench.sandbox.serve_endpoint("ap-northeast-1") == url
    arn = "arn:aws:route53-recovery-control::123456789012:controlpanel/p/routingcontrol/r"
    cluster = bench.recorders["route53-recovery-cluster"]
    cluster.reply = lambda _: {"RoutingControlArn": arn, "RoutingControlState": "On"}
    client = bench.client("route53-recovery-cluster", "ap-northeast-1", url)
    assert client.get_routing_control_state(RoutingControlArn=arn)["RoutingControlState"] == "On"
    (call,) = cluster.seen
    assert (call.endpoint, call.region, call.params) == ("ap-northeast-1", "ap-northeast-1", {"RoutingControlArn": arn})


def test_the_members_of_a_modelled_error_survive(bench: Bench) -> None:
    cluster = bench.recorders["route53-recovery-cluster"]
    cluster.reply = refusing(AwsError("ThrottlingException", "slow down", retryAfterSeconds=3))
    client = bench.client("route53-recovery-cluster")
    with pytest.raises(client.exceptions.ThrottlingException) as caught:
        client.get_routing_control_state(RoutingControlArn="arn:aws:rc")
    assert caught.value.response["retryAfterSeconds"] == 3


def test_a_member_the_model_does_not_have_is_a_fault_of_the_sandbox_and_not_an_answer(bench: Bench) -> None:
    bench.recorders["synthetics"].reply = lambda _: {"CanaryRunz": []}
    with pytest.raises(ClientError) as caught:
        bench.client("synthetics").get_canary_runs(Name="x")
    assert caught.value.response["Error"]["Code"] == "InternalFailure"
    assert "CanaryRunz" in str(caught.value)


def test_a_request_without_a_required_member_is_refused(bench: Bench) -> None:
    answer = ask_in(bench, "json", "cloudwatch", "SetAlarmState", {"AlarmName": "x"})
    assert answer["Error"]["Code"] in ("MissingParameter", "MissingRequiredParameterException")
    assert bench.recorders["cloudwatch"].seen == []


def test_a_body_that_cannot_be_read_is_refused(bench: Bench) -> None:
    scope = f"{KEY}/20260501/us-east-1/route53/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    status, body = fetch(bench, "POST", "/2013-04-01/hostedzone/Z1/rrset/", b"<not-xml", headers)
    assert status == 400
    assert b"SerializationException" in body


# moto behind


def test_the_account_is_the_usual_one(bench: Bench) -> None:
    assert bench.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_tables_objects_and_parameters_are_kept_by_moto_per_region(bench: Bench) -> None:
    tables = bench.client("dynamodb", "us-east-1")
    tables.create_table(
        TableName="Orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.put_item(TableName="Orders", Item={"id": {"S": "1"}, "blob": {"B": b"\x00\xff"}})
    assert tables.get_item(TableName="Orders", Key={"id": {"S": "1"}})["Item"]["blob"]["B"] == b"\x00\xff"
    assert bench.client("dynamodb", "us-west-2").list_tables()["TableNames"] == []
    objects = bench.client("s3", "us-east-1")
    objects.create_bucket(Bucket="stop-signals")
    objects.put_object(Bucket="stop-signals", Key="us-west-2/stop", Body=b"stop")
    assert objects.get_object(Bucket="stop-signals", Key="us-west-2/stop")["Body"].read() == b"stop"
    bench.client("ssm").put_parameter(Name="/orders/halt", Value="no", Type="String")
    assert bench.client("ssm").get_parameter(Name="/orders/halt")["Parameter"]["Value"] == "no"
    operations = {(call.service, call.operation, call.outcome) for call in bench.sandbox.calls.entries()}
    assert {("s3", "PutObject", "ok"), ("dynamodb", "GetItem", "ok"), ("ssm", "GetParameter", "ok")} <= operations


def test_the_other_services_resil_calls_are_there(bench: Bench) -> None:
    assert bench.client("lambda").list_functions()["Functions"] == []
    assert bench.client("apigateway").get_rest_apis()["items"] == []
    assert bench.client("sns").list_topics()["Topics"] == []
    assert bench.client("iam").list_roles()["Roles"] == []
    logged = {call.service: (call.operation, call.region) for call in bench.sandbox.calls.entries()}
    assert logged == {
        "lambda": ("ListFunctions", "us-west-2"),
        "apigateway": ("GetRestApis", "us-west-2"),
        "sns": ("ListTopics", "us-west-2"),
        "iam": ("ListRoles", "us-east-1"),
    }


def test_a_service_of_some_operations_leaves_the_rest_to_moto(bench: Bench) -> None:
    tables = bench.client("dynamodb", "eu-west-1")
    tables.create_table(
        TableName="Overlaid",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table = tables.describe_table(TableName="Overlaid")["Table"]
    assert (table["GlobalTableVersion"], table["TableStatus"]) == ("2019.11.21", "ACTIVE")
    with pytest.raises(tables.exceptions.ResourceNotFoundException):
        tables.describe_table(TableName="None")


# Hooks, for faults


def test_a_hook_may_refuse_a_call_before_it_has_any_effect(bench: Bench) -> None:
    bench.sandbox.intercept.append(
        lambda call: AwsError("Throttling", "Rate exceeded") if call.service == "route53" else None
    )
    client = bench.client("route53")
    before = len(bench.route53.zones())
    with pytest.raises(ClientError, match="Rate exceeded"):
        client.create_hosted_zone(Name="never.example", CallerReference="never")
    assert len(bench.route53.zones()) == before
    assert bench.client("sts").get_caller_identity()["Account"]
    assert [call.outcome for call in bench.sandbox.calls.entries()] == ["Throttling", "ok"]


def test_a_hook_may_refuse_what_moto_would_have_answered(bench: Bench) -> None:
    bench.sandbox.intercept.append(lambda _: AwsError("AccessDenied", "no", 403))
    asks: tuple[Callable[[], object], ...] = (
        bench.client("sts").get_caller_identity,
        bench.client("s3").list_buckets,
        bench.client("lambda").list_functions,
        bench.client("dynamodb").list_tables,
    )
    for ask in asks:
        with pytest.raises(ClientError) as caught:
            ask()
        assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_an_answer_may_be_lost_after_the_effect(bench: Bench) -> None:
    def lose(call: Call) -> AwsError | None:
        return AwsError("gone", "", NO_ANSWER_STATUS) if call.operation == "CreateHostedZone" else None

    bench.sandbox.after.append(lose)
    client = bench.client("route53")
    with pytest.raises(ConnectionClosedError):
        client.create_hosted_zone(Name="lost.example", CallerReference="lost")
    assert "lost.example." in [zone.name for zone in bench.route53.zones()]
    (entry,) = bench.sandbox.calls.entries()
    assert (entry.operation, entry.status, entry.outcome) == ("CreateHostedZone", 0, "no answer")


def test_hooks_see_what_dynamodb_was_asked(bench: Bench) -> None:
    seen: list[Call] = []

    def note(call: Call) -> None:
        seen.append(call)

    bench.sandbox.after.append(note)
    with pytest.raises(ClientError):
        bench.client("dynamodb").put_item(TableName="None", Item={"id": {"S": "1"}})
    bench.client("dynamodb").list_tables(Limit=5)
    assert [(call.operation, call.params) for call in seen][-1] == ("ListTables", {"Limit": 5})


def test_a_call_that_hangs_holds_up_nobody_else(bench: Bench) -> None:
    released = threading.Event()

    def hang(call: Call) -> AwsError | None:
        if call.service == "synthetics":
            released.wait(5)
        return None

    bench.sandbox.intercept.append(hang)
    hanging, quick = bench.client("synthetics"), bench.client("sts")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: hanging.get_canary_runs(Name="x"))
        started = time.monotonic()
        quick.get_caller_identity()
        assert time.monotonic() - started < 2
        assert not waiting.done()
        released.set()
        waiting.result(5)


# The log and the sandbox's own pages


def fetch(bench: Bench, method: str, path: str, body: bytes | None = None, headers: Any = None) -> tuple[int, bytes]:
    status, _, answer = exchange(bench, method, path, body, headers)
    return status, answer


def test_the_log_says_who_asked_what_of_which_region_and_how_it_ended(bench: Bench) -> None:
    bench.client("cloudwatch", "us-east-2").describe_alarms()
    with pytest.raises(ClientError):
        bench.client("route53").get_hosted_zone(Id="ZNONE")
    bench.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[])
    status, body = fetch(bench, "GET", "/_resil/calls")
    logged = json.loads(body)
    assert (status, logged["dropped"]) == (200, 0)
    assert logged["last"] == 3
    assert 0 < logged["calls"][0].pop("duration_ms") < 10_000
    assert logged["calls"][0] == {
        "time": datetime.fromtimestamp(bench.clock.now, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "service": "cloudwatch",
        "operation": "DescribeAlarms",
        "region": "us-east-2",
        "caller": KEY,
        "status": 200,
        "outcome": "ok",
        "write": False,
        "number": 1,
    }
    ended = [(call["operation"], call["region"], call["outcome"], call["write"]) for call in logged["calls"][1:]]
    assert ended == [
        ("GetHostedZone", "us-east-1", "NoSuchHostedZone", False),
        ("PutMetricData", "us-west-2", "ok", True),
    ]
    writes = json.loads(fetch(bench, "GET", "/_resil/calls?writes=1")[1])["calls"]
    assert [call["operation"] for call in writes] == ["PutMetricData"]


@pytest.mark.parametrize("operation", ["GetItem", "Scan", "Query", "BatchGetItem", "TransactGetItems", "HeadObject"])
def test_reads_are_told_from_writes_by_name(operation: str) -> None:
    assert not is_write(operation)


@pytest.mark.parametrize("operation", ["PutItem", "BatchWriteItem", "ExecuteStatement", "UpdateRoutingControlStates"])
def test_what_is_not_surely_a_read_counts_as_a_write(operation: str) -> None:
    assert is_write(operation)


def test_the_log_is_bounded_and_says_what_it_let_go() -> None:
    log = CallLog(lambda: 0.0, kept=2)
    for number in range(5):
        log.add("sts", f"Get{number}", "", "", 200, "ok")
    assert [entry.operation for entry in log.entries()] == ["Get3", "Get4"]
    assert log.dropped == 3


def test_it_says_when_it_is_ready_and_passes_wishes_to_the_world(bench: Bench) -> None:
    assert fetch(bench, "GET", "/_resil/ready") == (200, b'{"ready": true}')
    wish = json.dumps({"name": "impair"}).encode()
    status, body = fetch(bench, "POST", "/_resil/world", wish)
    assert (status, json.loads(body)) == (200, {"got": {"name": "impair"}, "name": "impair"})
    assert fetch(bench, "POST", "/_resil/world", b"{}")[0] == 400
    assert fetch(bench, "GET", "/_resil/nothing")[0] == 404
    assert bench.sandbox.calls.entries() == ()


# Connections


def test_one_connection_serves_many_calls(bench: Bench) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bench.sandbox.port, timeout=5)
    ports = set()
    for _ in range(3):
        connection.request("GET", "/_resil/ready")
        connection.getresponse().read()
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert len(ports) == 1


def test_a_chunked_body_is_put_together(bench: Bench) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bench.sandbox.port, timeout=5)
    connection.request("POST", "/_resil/world", iter([b'{"name":', b' "x"}']), encode_chunked=True, headers={})
    assert json.loads(connection.getresponse().read())["name"] == "x"
    connection.close()


def test_a_stopped_sandbox_leaves_no_port_connection_or_thread() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox([Recorder("cloudwatch")])
    sandbox.serve_endpoint("us-east-1")
    sandbox.start()
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=5)
    connection.request("GET", "/_resil/ready")
    connection.getresponse().read()
    sandbox.stop()
    sandbox.stop()
    assert connection.sock.recv(1) == b""
    connection.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=1)
