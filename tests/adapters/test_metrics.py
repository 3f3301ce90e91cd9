from datetime import timedelta
from typing import Any

import pytest

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.signals import metrics
from resilience_cli.errors import Denied
from resilience_cli.model.app import Metric
from resilience_cli.model.readings import Level, Reading

from .conftest import EAST, NOW, OBSERVER, WEST, Stub, make_app, now

MINUTE = NOW.replace(second=0)


def metric(**more: Any) -> Metric:
    fields = {"kind": "metric", "name": "api-5xx", "namespace": "AWS/ApiGateway", "metric": "5XXError", "above": 0.05}
    return Metric.model_validate(fields | {"dimensions": {"ApiName": "orders-{region}"}, "regions": [WEST]} | more)


def result(id_: str, *points: tuple[int, float], status: str = "Complete") -> dict[str, Any]:
    """Points as (minutes before 03:00, value)."""
    times = [MINUTE - timedelta(minutes=back) for back, _ in points]
    return {"Id": id_, "Timestamps": times, "Values": [value for _, value in points], "StatusCode": status}


def look(sessions: Sessions, stub: Stub, found: dict[str, Any], **spec: Any) -> Reading:
    stub("cloudwatch", WEST).add_response("get_metric_data", {"MetricDataResults": [found]})
    (read,) = metrics.reads([metric(**spec)], make_app(), sessions, now)
    (reading,) = read.ask().readings
    return reading


def test_the_newest_complete_period_decides(sessions: Sessions, stub: Stub) -> None:
    """At 03:00:30 the period from 03:00 is still going on; the newest complete one began at 02:59."""
    reading = look(sessions, stub, result("m0", (0, 1.0), (1, 0.01), (2, 1.0)))
    assert (reading.level, reading.age_s) == (Level.OK, 30.0)
    assert reading.source == f"metric:{WEST}:AWS/ApiGateway:5XXError:ApiName=orders-{WEST}"


@pytest.mark.parametrize(
    ("limits", "value", "level"),
    [
        ({"above": 5}, 5.0, Level.OK),
        ({"above": 5}, 5.1, Level.BAD),
        ({"above": None, "below": 5}, 5.0, Level.OK),
        ({"above": None, "below": 5}, 4.9, Level.BAD),
        ({"above": 9, "below": 5}, 7.0, Level.OK),
        ({"above": 9, "below": 5}, 10.0, Level.BAD),
    ],
)
def test_a_value_is_bad_beyond_a_threshold_not_at_it(
    sessions: Sessions, stub: Stub, limits: dict[str, float], value: float, level: Level
) -> None:
    assert look(sessions, stub, result("m0", (1, value)), **limits).level is level


@pytest.mark.parametrize(("missing", "level"), [("unknown", "unknown"), ("ok", "ok"), ("bad", "bad")])
def test_no_datapoint_is_unknown_unless_the_config_says_otherwise(
    sessions: Sessions, stub: Stub, missing: str, level: str
) -> None:
    assert look(sessions, stub, result("m0"), missing=missing).level == level


def test_a_datapoint_from_before_the_window_is_no_datapoint(sessions: Sessions, stub: Stub) -> None:
    assert look(sessions, stub, result("m0", (9, 1.0))).level is Level.UNKNOWN


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_data_that_cloudwatch_withholds_is_unknown_even_if_missing_is_ok(
    sessions: Sessions, stub: Stub, status: str
) -> None:
    reading = look(sessions, stub, result("m0", status=status), missing="ok")
    assert reading.level is Level.UNKNOWN
    assert status in reading.evidence


def test_all_metrics_of_a_vantage_travel_in_one_call_and_pages_are_put_together(sessions: Sessions, stub: Stub) -> None:
    answers = stub("cloudwatch", OBSERVER)
    page = {"MetricDataResults": [result("m0", (2, 1.0), status="PartialData")], "NextToken": "t"}
    answers.add_response("get_metric_data", page)
    answers.add_response("get_metric_data", {"MetricDataResults": [result("m0", (1, 0.0)), result("m1", (1, 9.0))]})
    specs = [metric(regions=[WEST, EAST], seen_from=OBSERVER)]
    (read,) = metrics.reads(specs, make_app(), sessions, now)
    west, east = read.ask().readings
    assert (west.region, west.seen_from, west.level) == (WEST, OBSERVER, Level.OK)
    assert (east.region, east.seen_from, east.level) == (EAST, OBSERVER, Level.BAD)


def test_each_region_is_its_own_read_so_that_one_cannot_hide_the_other(sessions: Sessions, stub: Stub) -> None:
    stub("cloudwatch", WEST).add_client_error("get_metric_data", "AccessDenied", http_status_code=403)
    west, east = metrics.reads([metric(regions=[])], make_app(), sessions, now)
    assert (west.region, east.region) == (WEST, EAST)
    with pytest.raises(Denied):
        west.ask()
    assert [(r.region, r.level) for r in west.unanswered("denied")] == [(WEST, Level.UNKNOWN)]
