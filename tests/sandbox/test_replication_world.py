"""Replication in the running world: real clients, real time, and the switches over the control page."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from resilience_cli.model.ledger import Arrived, Ledger
from resilience_cli.sandbox.orders import World, build
from resilience_cli.sandbox.orders_resources import CALLER, DYNAMODB
from resilience_cli.sandbox.service import Call
from resilience_cli.sandbox.tables import lag_key

WEST, EAST, OHIO = "us-west-2", "us-east-1", "us-east-2"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = build(tmp_path_factory.mktemp("orders"), propagation=0.1)
    world.control({"lag_ms": [40, 80]})
    world.start()
    yield world
    world.stop()


@pytest.fixture(scope="module")
def orders(world: World) -> Iterator[dict[str, Any]]:
    """A DynamoDB client for each Region."""
    session = boto3.Session(aws_access_key_id=CALLER, aws_secret_access_key="sandbox")
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
    make: Any = session.client
    clients = {
        region: make("dynamodb", region_name=region, endpoint_url=world.sandbox.url, config=once)
        for region in (WEST, EAST)
    }
    yield clients
    for client in clients.values():
        client.close()


def put(client: Any, order: str, amount: int = 1) -> None:
    client.put_item(
        TableName="Orders",
        Item={"id": {"S": order}, "amount": {"N": str(amount)}},
        ConditionExpression="attribute_not_exists(id)",
    )


def has(client: Any, order: str) -> bool:
    return "Item" in client.get_item(TableName="Orders", Key={"id": {"S": order}})


def soon(holds: Callable[[], bool], within: float = 3.0) -> bool:
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def page(world: World, query: str = "") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"{world.sandbox.url}/_resil/ledger{query}", timeout=2) as answer:
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_clients_orders_reach_the_other_region_and_the_ledger_says_when(world: World, orders: dict[str, Any]) -> None:
    put(orders[WEST], "o1")
    assert not has(orders[EAST], "o1")
    assert soon(lambda: has(orders[EAST], "o1"))
    status, body = page(world, "?table=Orders")
    assert status == 200
    ledger = Ledger.model_validate_json(body)
    (write,) = [write for write in ledger.writes if write.key == ("o1",)]
    fate = write.fates[EAST]
    assert isinstance(fate, Arrived)
    assert 0.04 <= fate.at.mono - write.at.mono < 0.5
    assert abs(write.at.mono - time.monotonic()) < 60
    assert {write.table for write in ledger.writes} == {"Orders"}


def test_a_cut_off_regions_orders_arrive_once_it_is_back(world: World, orders: dict[str, Any]) -> None:
    assert world.control({"isolate": WEST})["isolated"] == [WEST]
    put(orders[WEST], "o2")
    put(orders[EAST], "o3")
    time.sleep(0.2)
    assert not has(orders[EAST], "o2")
    assert not has(orders[WEST], "o3")
    assert world.control({"rejoin": WEST})["isolated"] == []
    assert soon(lambda: has(orders[EAST], "o2") and has(orders[WEST], "o3"))


def test_a_stall_hides_the_lag_and_holds_orders_and_a_resume_ends_it(world: World, orders: dict[str, Any]) -> None:
    way = {"from": WEST, "to": EAST}
    assert world.control({"stall": way})["stalled"] == [[WEST, EAST]]
    put(orders[WEST], "o4")
    time.sleep(0.2)
    key, back = lag_key("Orders", WEST, EAST), lag_key("Orders", EAST, WEST)
    now = time.time()
    with world.sandbox.lock:
        assert not world.cloudwatch.metrics.buckets(key, now - 120, now + 1, 60)
        assert world.cloudwatch.metrics.buckets(back, now - 120, now + 1, 60)
    assert not has(orders[EAST], "o4")
    assert world.control({"resume": way})["stalled"] == []
    assert soon(lambda: has(orders[EAST], "o4"))


def test_a_conditional_write_sees_its_own_regions_version_only(world: World, orders: dict[str, Any]) -> None:
    world.control({"stall": {"from": WEST, "to": EAST}})
    put(orders[WEST], "o5", 1)
    put(orders[EAST], "o5", 2)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put(orders[EAST], "o5", 3)
    world.control({"resume": {"from": WEST, "to": EAST}})
    ledger = Ledger.model_validate_json(page(world, "?table=Orders")[1])
    assert [write.is_new for write in ledger.writes if write.key == ("o5",)] == [True, True]


def test_one_directions_lag_can_be_set(world: World) -> None:
    world.control({"lag_ms": {"from": WEST, "to": EAST, "ms": [70_000, 80_000]}})
    now = time.time()
    with world.sandbox.lock:
        told = world.cloudwatch.metrics.buckets(lag_key("Orders", WEST, EAST), now - 120, now + 1, 60)
        back = world.cloudwatch.metrics.buckets(lag_key("Orders", EAST, WEST), now - 120, now + 1, 60)
    assert max(stat.high for stat in told.values()) >= 70_000
    assert max(stat.high for stat in back.values()) < 10_000
    world.control({"lag_ms": [40, 80]})


def test_an_unknown_table_is_named_with_those_there_are(world: World) -> None:
    status, body = page(world, "?table=Order")
    assert status == 400
    assert "Customers, Products, Orders" in json.loads(body)["error"]


@pytest.mark.parametrize(
    "wish",
    [
        {"stall": {"from": WEST, "to": WEST}},
        {"stall": {"from": WEST, "to": OHIO}},
        {"isolate": OHIO},
        {"lag_ms": {"from": WEST, "to": EAST, "ms": [2, 1]}},
        {"lag_ms": -1},
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(world: World, wish: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"serving|itself|low to high"):
        world.control(wish)
    assert world.control({})["stalled"] == world.control({})["isolated"] == []


def test_a_backlog_of_thousands_comes_through_without_shutting_clients_out(
    world: World, orders: dict[str, Any]
) -> None:
    world.control({"isolate": WEST})
    call = Call("dynamodb", "PutItem", WEST, CALLER, {"TableName": "Products", "Item": {"id": {"S": ""}}})
    for number in range(600):
        with world.sandbox.lock:
            item = {"id": {"S": f"p{number}"}}
            world.sandbox.moto.ask(
                Call(call.service, call.operation, WEST, CALLER, call.params | {"Item": item}), DYNAMODB
            )
    world.control({"rejoin": WEST})
    slowest = 0.0
    while world.replication.waiting > 20:
        began = time.monotonic()
        has(orders[EAST], "o1")
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1.0
    with world.sandbox.lock:
        found = world.sandbox.moto.ask(
            Call("dynamodb", "Scan", EAST, CALLER, {"TableName": "Products", "Select": "COUNT"}), DYNAMODB
        )
    assert found["Count"] >= 590


def test_the_courier_ends_with_the_world(world: World) -> None:
    world.stop()
    assert "replication" not in {thread.name for thread in threading.enumerate()}
