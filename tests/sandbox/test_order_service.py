"""The moving world's order services and canaries: real processes, asked over real connections."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resilience_cli.errors import ResilError
from resilience_cli.model.traffic import Serving
from resilience_cli.sandbox import order_metrics
from resilience_cli.sandbox.application import Pace
from resilience_cli.sandbox.cloudwatch_metrics import metric_key
from resilience_cli.sandbox.moving import MovingApplication
from resilience_cli.sandbox.order_metrics import CREATE, READ, Served
from resilience_cli.sandbox.orders import World, build
from resilience_cli.sandbox.regional_service import RegionalService
from resilience_cli.sandbox.service import AwsError, Call

WEST, EAST, OBSERVER = "us-west-2", "us-east-1", "us-east-2"
ORDER = {"id": "", "customer": "c", "lines": [{"sku": "a", "count": 2}], "price": 9.5, "gift": True, "note": None}

Reply = tuple[int, dict[str, Any], str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    pace = Pace(ttl=1, alarm_s=1, canary_age_s=5, detection_s=0.9)
    world = build(tmp_path_factory.mktemp("moving"), propagation=0.1, moving=True, pace=pace)
    world.start()
    yield world
    world.stop()


@pytest.fixture(autouse=True)
def _put_right(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        world.sandbox.intercept.clear()
        for region in (WEST, EAST):
            if service(world, region).serving != Serving():
                world.recover(region)


def service(world: World, region: str) -> RegionalService:
    assert isinstance(world.application, MovingApplication)
    return world.application.services[region]


def behave(world: World, region: str, **serving: Any) -> None:
    world.control({"service": {"region": region, **serving}})


def connect(world: World, region: str, timeout: float = 2.0) -> http.client.HTTPConnection:
    endpoint = world.endpoints[region]
    return http.client.HTTPConnection(endpoint.address, endpoint.port, timeout=timeout)


def exchange(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> Reply:
    connection.request(method, path, body)
    with connection.getresponse() as response:
        return response.status, json.loads(response.read()), response.headers["X-Region"]


def ask(world: World, region: str, method: str, path: str, body: Any = None, timeout: float = 2.0) -> Reply:
    connection = connect(world, region, timeout)
    try:
        return exchange(connection, method, path, None if body is None else json.dumps(body).encode())
    finally:
        connection.close()


def place(world: World, region: str, order_id: str, **changed: Any) -> Reply:
    return ask(world, region, "POST", "/orders", {**ORDER, "id": order_id, **changed})


def soon(holds: Callable[[], bool], within: float = 6.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alarm(world: World, region: str, name: str) -> str:
    with world.sandbox.lock:
        return world.cloudwatch.alarms.state_of(region, name)


def runs(world: World, region: str, canary: str) -> list[str]:
    """The outcomes of a canary's runs, oldest first."""
    call = Call("synthetics", "GetCanaryRuns", region, "test", {"Name": canary})
    with world.sandbox.lock:
        found = world.synthetics.handle(call)["CanaryRuns"]
    return [run["Status"].get("StateReasonCode", run["Status"]["State"]) for run in reversed(found)]


def test_an_order_is_kept_in_its_own_regions_table_and_answered_by_that_region(world: World) -> None:
    assert place(world, WEST, "kept") == (201, {"id": "kept", "created": "new"}, WEST)
    assert ask(world, WEST, "GET", "/orders/kept") == (200, {**ORDER, "id": "kept"}, WEST)
    writers = {(e.operation, e.region) for e in world.sandbox.calls.entries() if e.caller == f"order-service-{WEST}"}
    assert ("PutItem", WEST) in writers
    assert {region for _, region in writers} == {WEST}


def test_the_same_order_again_is_acknowledged_and_another_of_its_id_is_not(world: World) -> None:
    assert place(world, EAST, "twice")[0] == 201
    assert place(world, EAST, "twice")[:2] == (200, {"id": "twice", "created": "same"})
    assert place(world, EAST, "twice", price=1)[0] == 409


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": 7}', b'{"id": ""}'])
def test_what_is_no_order_is_refused(world: World, body: bytes) -> None:
    connection = connect(world, WEST)
    assert exchange(connection, "POST", "/orders", body)[0] == 400
    connection.close()


def test_what_is_not_there_is_not_found(world: World) -> None:
    assert ask(world, WEST, "GET", "/orders/none")[0] == 404
    assert ask(world, WEST, "GET", "/elsewhere")[0] == 404


def test_health_is_shallow_and_the_canary_writes_and_reads(world: World) -> None:
    world.sandbox.intercept.append(lambda call: refusal() if call.service == "dynamodb" else None)
    assert ask(world, EAST, "GET", "/health") == (200, {"region": EAST}, EAST)
    assert ask(world, EAST, "GET", "/canary")[0] == 503
    world.sandbox.intercept.clear()
    assert ask(world, EAST, "GET", "/canary")[0] == 200


def refusal() -> AwsError:
    return AwsError("InternalServerError", "not now", 500)


def test_what_its_table_does_not_do_is_a_503_that_says_why(world: World) -> None:
    world.sandbox.intercept.append(lambda call: refusal() if call.operation == "PutItem" else None)
    status, body, _ = place(world, WEST, "refused")
    assert (status, body["message"]) == (503, "DynamoDB: InternalServerError")


def test_a_connection_is_kept_from_request_to_request(world: World) -> None:
    connection = connect(world, WEST)
    exchange(connection, "GET", "/health")
    kept = connection.sock
    for number in range(20):
        assert exchange(connection, "POST", "/orders", json.dumps({"id": f"many-{number}"}).encode())[0] == 201
    assert connection.sock is kept
    connection.close()


def test_a_closed_port_refuses_and_cuts_and_is_the_same_one_again_later(world: World) -> None:
    connection = connect(world, WEST)
    exchange(connection, "GET", "/health")
    behave(world, WEST, port="closed")
    with pytest.raises(ConnectionRefusedError):
        ask(world, WEST, "GET", "/health")
    with pytest.raises((http.client.HTTPException, OSError)):
        exchange(connection, "GET", "/health")
    connection.close()
    world.recover(WEST)
    assert ask(world, WEST, "GET", "/health")[0] == 200


def test_a_full_backlog_hangs_new_connections_and_serves_those_there_are(world: World) -> None:
    connection = connect(world, EAST)
    exchange(connection, "GET", "/health")
    behave(world, EAST, port="full")
    with pytest.raises(TimeoutError):
        ask(world, EAST, "GET", "/health", timeout=0.3)
    assert exchange(connection, "GET", "/health")[0] == 200
    connection.close()
    world.recover(EAST)
    assert ask(world, EAST, "GET", "/health")[0] == 200


def test_a_black_hole_takes_connections_and_answers_none_and_later_only_new_ones(world: World) -> None:
    behave(world, WEST, silent=True)
    connection = connect(world, WEST, timeout=0.3)
    with pytest.raises(TimeoutError):
        exchange(connection, "GET", "/health")
    held = connect(world, WEST)
    held.request("GET", "/health")
    time.sleep(0.1)
    world.recover(WEST)
    with pytest.raises((http.client.HTTPException, OSError)):
        held.getresponse()
    assert ask(world, WEST, "GET", "/health")[0] == 200
    for each in (connection, held):
        each.close()


def test_a_grey_failure_fails_its_share_of_requests(world: World) -> None:
    behave(world, WEST, failing=0.5)
    connection = connect(world, WEST)
    statuses = [exchange(connection, "GET", "/health")[0] for _ in range(60)]
    connection.close()
    assert 15 <= statuses.count(503) <= 45


def test_latency_is_added_to_each_answer(world: World) -> None:
    behave(world, WEST, latency_ms=150)
    start = time.monotonic()
    assert ask(world, WEST, "GET", "/health")[0] == 200
    assert 0.15 <= time.monotonic() - start < 1.0


@pytest.mark.parametrize("wish", [{"port": "ajar"}, {"failing": 1.5}, {"speed": 1}])
def test_a_behaviour_that_makes_no_sense_is_refused_and_changes_nothing(world: World, wish: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wish))):
        behave(world, WEST, **wish)
    assert service(world, WEST).serving == Serving()


def test_a_process_that_does_not_understand_says_so_and_goes_on(world: World) -> None:
    with pytest.raises(ResilError, match="refused"):
        service(world, WEST)._child.say("nonsense")
    assert ask(world, WEST, "GET", "/health")[0] == 200


def test_canaries_of_a_failing_region_drive_alarms_in_it_and_in_the_observer(world: World) -> None:
    assert soon(lambda: alarm(world, OBSERVER, f"orders-canary-{WEST}") == "OK")
    world.impair(WEST)
    assert soon(lambda: alarm(world, OBSERVER, f"orders-canary-{WEST}") == "ALARM")
    assert soon(lambda: alarm(world, WEST, "orders-impaired") == "ALARM")
    assert runs(world, WEST, "orders-canary")[-1] == "CANARY_FAILURE"
    assert runs(world, OBSERVER, f"orders-observe-{EAST}")[-1] == "PASSED"
    assert alarm(world, OBSERVER, f"orders-canary-{EAST}") == "OK"
    world.recover(WEST)
    assert soon(lambda: alarm(world, OBSERVER, f"orders-canary-{WEST}") == "OK")
    assert soon(lambda: alarm(world, WEST, "orders-impaired") == "OK")


def test_nothing_gets_out_of_a_black_holed_region_but_the_observer_sees_it(world: World) -> None:
    errors = metric_key(WEST, "AWS/ApiGateway", "Count", {"ApiName": "orders"})

    def newest() -> float:
        with world.sandbox.lock:
            return max(world.cloudwatch.metrics.buckets(errors, 0, time.time() + 9, 1))

    behave(world, WEST, silent=True)
    assert soon(lambda: runs(world, OBSERVER, f"orders-observe-{WEST}")[-1] == "CANARY_FAILURE")
    own, reported = len(runs(world, WEST, "orders-canary")), newest()
    time.sleep(1.5)
    assert (len(runs(world, WEST, "orders-canary")), newest()) == (own, reported)
    assert runs(world, OBSERVER, f"orders-observe-{EAST}")[-1] == "PASSED"
    world.recover(WEST)
    assert soon(lambda: len(runs(world, WEST, "orders-canary")) > own and newest() > reported)


def test_canaries_can_be_stopped_or_broken_while_the_application_is_sound(world: World) -> None:
    world.control({"canaries": "broken"})
    assert soon(lambda: runs(world, OBSERVER, f"orders-observe-{WEST}")[-1] == "EXECUTION_FAILURE")
    world.control({"canaries": "stop"})
    seen = len(runs(world, OBSERVER, f"orders-observe-{WEST}"))
    time.sleep(1.3)
    assert len(runs(world, OBSERVER, f"orders-observe-{WEST}")) == seen
    world.control({"canaries": "start"})
    assert soon(lambda: runs(world, OBSERVER, f"orders-observe-{WEST}")[-1] == "PASSED")


def test_what_is_reported_are_the_shares_that_failed_by_api_and_by_function() -> None:
    served = [Served((CREATE,), 201, 0.02), Served((CREATE,), 503, 0.04, 1), Served((READ,), 404, 0.01)]
    told = dict(order_metrics.reports(served, 5.0))
    api = {datum["MetricName"]: datum["StatisticValues"] for datum in told["AWS/ApiGateway"]}
    assert api["Count"] == {"SampleCount": 3.0, "Sum": 3.0, "Minimum": 1.0, "Maximum": 1.0}
    assert (api["5XXError"]["Sum"], api["4XXError"]["Sum"]) == (1.0, 1.0)
    errors = {
        d["Dimensions"][0]["Value"]: d["StatisticValues"] for d in told["AWS/Lambda"] if d["MetricName"] == "Errors"
    }
    assert errors[CREATE]["Sum"] / errors[CREATE]["SampleCount"] == 0.5
    assert errors[READ]["Sum"] == 0.0
    assert told["AWS/DynamoDB"][0]["StatisticValues"]["Sum"] == 1.0


def test_a_second_without_requests_reports_nothing() -> None:
    assert list(order_metrics.reports([], 5.0)) == []
    (api, functions) = order_metrics.reports([Served((READ,), 200, 0.01)], 5.0)
    assert {datum["Dimensions"][0]["Value"] for datum in functions[1]} == {READ}
    assert api[0] == "AWS/ApiGateway"


def test_a_stopped_world_leaves_no_process_thread_or_port(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    world = build(tmp_path, moving=True)
    world.start()
    pids = [service(world, region).pid for region in (WEST, EAST)]
    ports = [(world.endpoints[region].address, world.endpoints[region].port) for region in (WEST, EAST)]
    world.stop()
    world.stop()
    assert set(threading.enumerate()) <= before
    assert not any(pid and Path(f"/proc/{pid}").exists() for pid in pids)
    assert all(is_refused(place) for place in ports)


def is_refused(place: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(place) != 0


def test_a_service_that_cannot_start_says_why_and_leaves_no_port(tmp_path: Path) -> None:
    broken = RegionalService(WEST, "127.0.2.1", 0, "http://127.0.0.1:not-a-port", tmp_path)
    broken.start()
    with pytest.raises(ResilError, match="order_service ended: ValueError"):
        broken.await_ready()
    broken.stop()
    assert is_refused((broken.address, broken.port))


def test_a_service_dies_with_the_process_that_started_it_however_that_ends(tmp_path: Path) -> None:
    parent = (
        "import sys, time; from pathlib import Path\n"
        "from resilience_cli.sandbox.regional_service import RegionalService\n"
        f"one = RegionalService('{WEST}', '127.0.2.1', 0, 'http://127.0.0.1:9', Path({str(tmp_path)!r}))\n"
        "one.start(); one.await_ready(); print(one.port, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert not is_refused(("127.0.2.1", port))
        os.kill(process.pid, signal.SIGKILL)
    assert soon(lambda: is_refused(("127.0.2.1", port)))
