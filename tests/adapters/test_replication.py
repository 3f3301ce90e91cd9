from datetime import timedelta
from typing import Any

from botocore.stub import Stubber

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.signals import replication
from resilience_cli.model.app import Replication
from resilience_cli.model.readings import Level, Reading

from .conftest import EAST, NOW, WEST, Stub, make_app, now


def table(status: str = "ACTIVE", region: str = EAST, **more: Any) -> dict[str, Any]:
    return {"Table": {"Replicas": [{"RegionName": region, "ReplicaStatus": status}], **more}}


def lag(id_: str, *values: float) -> dict[str, Any]:
    times = [NOW - timedelta(seconds=60 * (number + 1)) for number in range(len(values))]
    return {"Id": id_, "Timestamps": times, "Values": list(values)}


def look(sessions: Sessions, *tables: str) -> list[Reading]:
    spec = Replication.model_validate({"kind": "replication", "tables": tables or ["Orders"]})
    west, east = replication.reads(spec, make_app(), sessions, now)
    assert (west.region, east.region) == (WEST, EAST)
    return list(west.ask().readings)


def lags(stub: Stub, *results: dict[str, Any]) -> Stubber:
    answers = stub("cloudwatch", WEST)
    answers.add_response("get_metric_data", {"MetricDataResults": list(results)})
    return answers


def test_the_longest_lag_of_the_window_counts_in_seconds(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", table(), {"TableName": "Orders"})
    lags(stub, lag("m0", 600.0, 1200.0))
    (reading,) = look(sessions)
    assert (reading.level, reading.lag_s, reading.age_s) == (Level.OK, 1.2, 60.0)
    assert (reading.region, reading.seen_from) == (WEST, WEST)


def test_a_good_lag_of_some_minutes_ago_says_nothing_about_now(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", table())
    old = lag("m0", 600.0)
    lags(stub, old | {"Timestamps": [NOW - timedelta(seconds=250)]})
    (reading,) = look(sessions)
    assert (reading.level, reading.lag_s) == (Level.UNKNOWN, None)
    assert "250 s old" in reading.evidence


def test_a_lag_over_the_allowed_is_bad(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", table())
    lags(stub, lag("m0", 5001.0))
    assert look(sessions)[0].level is Level.BAD


def test_no_datapoint_is_unknown_not_zero_lag(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", table())
    lags(stub, lag("m0"))
    (reading,) = look(sessions)
    assert (reading.level, reading.lag_s) == (Level.UNKNOWN, None)
    assert "not zero lag" in reading.evidence


def test_a_replica_that_is_not_active_is_bad_whatever_the_lag(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", table("INACCESSIBLE_ENCRYPTION_CREDENTIALS"))
    lags(stub, lag("m0", 600.0))
    (reading,) = look(sessions)
    assert reading.level is Level.BAD
    assert "INACCESSIBLE_ENCRYPTION_CREDENTIALS" in reading.evidence


def test_a_serving_region_without_a_replica_is_bad(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", table(region="eu-west-1"))
    lags(stub, lag("m0"))
    (reading,) = look(sessions)
    assert reading.level is Level.BAD
    assert f"no replica in {EAST}" in reading.evidence


def test_a_table_without_replicas_is_no_global_table(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", {"Table": {}})
    (reading,) = look(sessions)
    assert reading.level is Level.UNKNOWN
    assert "not a global table" in reading.evidence


def test_strong_consistency_has_no_lag_and_does_not_count(sessions: Sessions, stub: Stub) -> None:
    stub("dynamodb", WEST).add_response("describe_table", table(MultiRegionConsistency="STRONG"))
    (reading,) = look(sessions)
    assert (reading.level, reading.counts, reading.lag_s) == (Level.OK, False, None)


def test_one_table_that_cannot_be_read_does_not_hide_the_others(sessions: Sessions, stub: Stub) -> None:
    tables = stub("dynamodb", WEST)
    tables.add_client_error("describe_table", "ResourceNotFoundException")
    tables.add_response("describe_table", table())
    lags(stub, lag("m0", 600.0))
    missing, orders = look(sessions, "Missing", "Orders")
    assert (missing.level, orders.level) == (Level.UNKNOWN, Level.OK)


def test_where_metrics_are_denied_what_the_table_says_still_stands(sessions: Sessions, stub: Stub) -> None:
    tables = stub("dynamodb", WEST)
    tables.add_response("describe_table", table())
    tables.add_response("describe_table", table("CREATION_FAILED"))
    stub("cloudwatch", WEST).add_client_error("get_metric_data", "AccessDenied", http_status_code=403)
    first, second = look(sessions, "Orders", "Broken")
    assert (first.level, second.level) == (Level.UNKNOWN, Level.BAD)
