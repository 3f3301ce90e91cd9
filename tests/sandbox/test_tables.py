"""Global tables: the members DescribeTable gains, and the lag published in each source Region."""

from typing import Any

import pytest

from resilience_cli.sandbox.cloudwatch_metrics import MetricStore
from resilience_cli.sandbox.service import AwsError, Call
from resilience_cli.sandbox.tables import GlobalTable, GlobalTables, lag_key

NOON = 1_792_238_400.0
WEST, EAST = "us-west-2", "us-east-1"


def backend(call: Call) -> dict[str, Any]:
    if call.region not in (WEST, EAST):
        raise AwsError("ResourceNotFoundException", "Requested resource not found")
    return {"Table": {"TableName": call.params["TableName"], "TableStatus": "ACTIVE"}}


@pytest.fixture
def metrics() -> MetricStore:
    return MetricStore()


@pytest.fixture
def tables(metrics: MetricStore) -> GlobalTables:
    tables = GlobalTables(metrics, backend)
    tables.add(GlobalTable("Orders", (WEST, EAST)))
    return tables


def describe(tables: GlobalTables, region: str, name: str) -> dict[str, Any]:
    table: dict[str, Any] = tables.handle(Call("dynamodb", "DescribeTable", region, "AKIA", {"TableName": name}))[
        "Table"
    ]
    return table


def test_a_global_table_names_its_replicas_and_keeps_the_backends_fields(tables: GlobalTables) -> None:
    table = describe(tables, WEST, "Orders")
    assert table["TableStatus"] == "ACTIVE"
    assert table["GlobalTableVersion"] == "2019.11.21"
    assert table["MultiRegionConsistency"] == "EVENTUAL"
    assert table["Replicas"] == [
        {"RegionName": WEST, "ReplicaStatus": "ACTIVE"},
        {"RegionName": EAST, "ReplicaStatus": "ACTIVE"},
    ]


def test_a_plain_table_is_described_as_the_backend_has_it(tables: GlobalTables) -> None:
    assert "Replicas" not in describe(tables, WEST, "Audit")


def test_a_replica_in_trouble_is_told_by_its_status(tables: GlobalTables) -> None:
    tables.tables["Orders"].status[EAST] = "REPLICATION_NOT_AUTHORIZED"
    assert describe(tables, WEST, "Orders")["Replicas"][1]["ReplicaStatus"] == "REPLICATION_NOT_AUTHORIZED"


def test_lag_is_published_in_the_source_region_for_each_direction(tables: GlobalTables, metrics: MetricStore) -> None:
    tables.publish(NOON)
    for source, target in ((WEST, EAST), (EAST, WEST)):
        (stat,) = metrics.buckets(lag_key("Orders", source, target), NOON, NOON + 1, 60).values()
        assert 600 <= stat.high <= 1200
        assert stat.samples == 1
    assert {key.region for key, _ in metrics.keys(WEST)} == {WEST}


def test_stopped_lag_and_strong_tables_publish_nothing(tables: GlobalTables, metrics: MetricStore) -> None:
    tables.add(GlobalTable("Ledger", (WEST, EAST), consistency="STRONG"))
    tables.publish(NOON)
    assert not metrics.buckets(lag_key("Ledger", WEST, EAST), NOON, NOON + 1, 60)
    tables.set_lag(None)
    tables.publish(NOON + 60)
    assert not metrics.buckets(lag_key("Orders", WEST, EAST), NOON + 60, NOON + 61, 60)


def test_a_new_lag_can_replace_what_was_published_lately(tables: GlobalTables, metrics: MetricStore) -> None:
    tables.publish(NOON)
    tables.erase(NOON - 60)
    tables.set_lag(90_000)
    tables.publish(NOON)
    (stat,) = metrics.buckets(lag_key("Orders", WEST, EAST), NOON, NOON + 1, 60).values()
    assert stat.total == 90_000


def test_only_describe_table_is_answered_here(tables: GlobalTables) -> None:
    assert tables.operations == {"DescribeTable"}
    with pytest.raises(AwsError):
        tables.handle(Call("dynamodb", "GetItem", WEST, "AKIA", {}))
