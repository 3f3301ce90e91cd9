"""The sandbox's CloudWatch, asked directly: metrics, alarms, composites and mute rules."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_cli.sandbox.cloudwatch import CloudWatch
from resilience_cli.sandbox.cloudwatch_evaluation import Missing, State, Test, evaluate
from resilience_cli.sandbox.cloudwatch_metrics import MetricStore, metric_key, sample
from resilience_cli.sandbox.cloudwatch_rules import BadRule, holds, parse
from resilience_cli.sandbox.service import AwsError, Call

NOON = 1_792_238_400.0  # 2026-10-17 12:00:00 UTC, a Saturday
WEST, EAST = "us-west-2", "us-east-1"
ALARM: dict[str, Any] = {
    "AlarmName": "orders-5xx",
    "Namespace": "AWS/ApiGateway",
    "MetricName": "5XXError",
    "Dimensions": [{"Name": "ApiName", "Value": "orders"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


@dataclass
class Time:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


class Asked:
    """CloudWatch with a clock of the test's own; calls take and give what the API's shapes hold."""

    def __init__(self) -> None:
        self.time = Time()
        self.service = CloudWatch(self.time)

    def __call__(self, operation: str, region: str = WEST, **params: Any) -> dict[str, Any]:
        return self.service.handle(Call("cloudwatch", operation, region, "AKIA", params))

    def put(self, value: float, ago: float = 0.0, name: str = "5XXError", region: str = WEST) -> None:
        datum = {
            "MetricName": name,
            "Dimensions": ALARM["Dimensions"],
            "Value": value,
            "Timestamp": self.time.now - ago,
        }
        self("PutMetricData", region, Namespace="AWS/ApiGateway", MetricData=[datum])

    def state(self, name: str = "orders-5xx") -> str:
        types = ["MetricAlarm", "CompositeAlarm"]
        found = self("DescribeAlarms", AlarmNames=[name], AlarmTypes=types)
        return str((found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"])

    def data(self, stat: str = "Sum", period: int = 60, region: str = WEST, **more: Any) -> dict[str, Any]:
        metric = {k: ALARM[k] for k in ("Namespace", "MetricName", "Dimensions")}
        query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}
        params: dict[str, Any] = {"MetricDataQueries": [query], "StartTime": NOON - 600, "EndTime": NOON}
        return self("GetMetricData", region, **(params | more))


@pytest.fixture
def cloudwatch() -> Asked:
    return Asked()


def refused(code: str, ask: Asked, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as error:
        ask(operation, **params)
    assert error.value.code == code
    return error.value.message


def test_samples_of_one_period_make_one_datapoint(cloudwatch: Asked) -> None:
    for value, ago in ((1.0, 90), (3.0, 70), (9.0, 30)):
        cloudwatch.put(value, ago)
    for statistic, expected in {
        "Sum": [9.0, 4.0],
        "Average": [9.0, 2.0],
        "Minimum": [9.0, 1.0],
        "Maximum": [9.0, 3.0],
        "SampleCount": [1.0, 2.0],
    }.items():
        (result,) = cloudwatch.data(statistic)["MetricDataResults"]
        assert result["Values"] == expected
        assert [at.timestamp() for at in result["Timestamps"]] == [NOON - 60, NOON - 120]


def test_datapoints_stay_in_their_region(cloudwatch: Asked) -> None:
    cloudwatch.put(1.0, 60)
    assert cloudwatch.data(region=EAST)["MetricDataResults"][0]["Values"] == []


def test_another_set_of_dimensions_is_another_metric(cloudwatch: Asked) -> None:
    cloudwatch.put(1.0, 60)
    metric = {"Namespace": "AWS/ApiGateway", "MetricName": "5XXError"}
    bare = [{"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]
    assert cloudwatch.data(MetricDataQueries=bare)["MetricDataResults"][0]["Values"] == []


def test_the_end_time_is_exclusive_and_the_start_time_inclusive(cloudwatch: Asked) -> None:
    cloudwatch.put(1.0, 60)
    cloudwatch.put(2.0, 0)
    assert cloudwatch.data(StartTime=NOON - 60)["MetricDataResults"][0]["Values"] == [1.0]


def test_a_start_time_within_a_minute_is_rounded_down(cloudwatch: Asked) -> None:
    cloudwatch.put(1.0, 60)
    assert cloudwatch.data(StartTime=NOON - 31)["MetricDataResults"][0]["Values"] == [1.0]


def test_pages_hold_every_datapoint_exactly_once_in_scan_order(cloudwatch: Asked) -> None:
    for minute in range(1, 8):
        cloudwatch.put(float(minute), minute * 60)
    values: list[float] = []
    statuses: list[str] = []
    token = None
    while True:
        answer = cloudwatch.data(MaxDatapoints=3, ScanBy="TimestampAscending", NextToken=token)
        values += answer["MetricDataResults"][0]["Values"]
        statuses.append(answer["MetricDataResults"][0]["StatusCode"])
        token = answer.get("NextToken")
        if token is None:
            break
    assert values == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    assert statuses == ["PartialData", "PartialData", "Complete"]


def test_five_hundred_queries_are_served_and_one_more_refused(cloudwatch: Asked) -> None:
    metric = {k: ALARM[k] for k in ("Namespace", "MetricName", "Dimensions")}
    queries = [
        {"Id": f"q{n}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": n != 7}
        for n in range(501)
    ]
    assert len(cloudwatch.data(MetricDataQueries=queries[:500])["MetricDataResults"]) == 499
    message = refused(
        "ValidationError", cloudwatch, "GetMetricData", MetricDataQueries=queries, StartTime=NOON - 60, EndTime=NOON
    )
    assert message == "The collection MetricDataQueries must not have a size greater than 500."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"MetricDataQueries": [{"Id": "q", "Expression": "SUM(METRICS())"}]}, "no Expression"),
        ({"MetricDataQueries": [{"Id": "Q"}]}, "is not matching the expected pattern"),
        ({"MetricDataQueries": [{"Id": "q"}, {"Id": "q"}]}, "must be unique"),
        ({"StartTime": NOON, "EndTime": NOON}, "must be less than"),
        ({"MaxDatapoints": 100_801}, "MaxDatapoints"),
    ],
)
def test_a_query_that_cannot_be_served_is_refused(cloudwatch: Asked, change: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsError, match=words) as error:
        cloudwatch.data(**change)
    assert error.value.code == "ValidationError"


def test_percentiles_and_odd_periods_are_refused(cloudwatch: Asked) -> None:
    with pytest.raises(AwsError, match="not p99"):
        cloudwatch.data("p99")
    with pytest.raises(AwsError, match="Period"):
        cloudwatch.data(period=90)


def test_a_token_that_was_not_given_out_is_refused(cloudwatch: Asked) -> None:
    with pytest.raises(AwsError) as error:
        cloudwatch.data(NextToken="x")
    assert error.value.code == "InvalidNextToken"


def test_statistics_and_metrics_can_be_read_one_by_one(cloudwatch: Asked) -> None:
    cloudwatch.put(4.0, 60)
    wanted = {k: ALARM[k] for k in ("Namespace", "MetricName", "Dimensions")}
    span: dict[str, Any] = {"StartTime": NOON - 300, "EndTime": NOON, "Period": 60}
    answer = cloudwatch("GetMetricStatistics", **wanted, **span, Statistics=["Sum", "Maximum"])
    (point,) = answer["Datapoints"]
    assert (point["Sum"], point["Maximum"], "Average" in point) == (4.0, 4.0, False)
    assert cloudwatch("ListMetrics", Namespace="AWS/ApiGateway")["Metrics"] == [wanted]
    assert cloudwatch("ListMetrics", EAST)["Metrics"] == []


def test_too_many_datapoints_of_statistics_are_refused_in_the_services_words(cloudwatch: Asked) -> None:
    message = refused(
        "InvalidParameterCombination",
        cloudwatch,
        "GetMetricStatistics",
        Namespace="x",
        MetricName="y",
        StartTime=NOON - 2 * 86400,
        EndTime=NOON,
        Period=60,
        Statistics=["Sum"],
    )
    assert message.startswith("You have requested up to 2,880 datapoints, which exceeds the limit of 1,440.")


@pytest.mark.parametrize(
    "datum",
    [
        {"Value": float("nan")},
        {"Value": 1.0, "Timestamp": NOON + 7300},
        {"Value": 1.0, "Timestamp": NOON - 15 * 86400},
        {"Values": [1.0, 2.0], "Counts": [1.0]},
    ],
)
def test_data_out_of_bounds_are_refused_and_nothing_of_the_request_is_kept(
    cloudwatch: Asked, datum: dict[str, Any]
) -> None:
    data = [{"MetricName": "m", "Value": 1.0}, {"MetricName": "m"} | datum]
    refused("InvalidParameterValue", cloudwatch, "PutMetricData", Namespace="ns", MetricData=data)
    assert cloudwatch("ListMetrics")["Metrics"] == []


def test_old_points_are_merged_into_minutes_without_losing_a_sample() -> None:
    store, key = MetricStore(), metric_key(WEST, "ns", "m")
    for second in range(9000):
        store.publish(key, NOON + second * 2, sample(1.0))
    buckets = store.buckets(key, NOON, NOON + 18001, 60)
    assert sum(stat.samples for stat in buckets.values()) == 9000
    assert {stat.samples for stat in buckets.values()} == {30.0}


# The user guide's two tables ("Configuring how CloudWatch alarms treat missing data"), oldest first: 0 within the
# threshold, X breaching, - missing; then the state by missing, ignore, breaching and notBreaching.
THREE_OF_THREE = [
    ("0-X-X", ("OK", "OK", "OK", "OK")),
    ("----0", ("OK", "OK", "OK", "OK")),
    ("-----", ("INSUFFICIENT_DATA", "retained", "ALARM", "OK")),
    ("0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("--X--", ("ALARM", "retained", "ALARM", "OK")),
]
TWO_OF_THREE = [
    ("0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("0-X--", ("OK", "OK", "ALARM", "OK")),
    ("----0", ("OK", "OK", "ALARM", "OK")),
    ("---X-", ("ALARM", "retained", "ALARM", "OK")),
]
TREATMENTS: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("enough", "points", "expected"),
    [(3, points, expected) for points, expected in THREE_OF_THREE]
    + [(2, points, expected) for points, expected in TWO_OF_THREE],
)
@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_missing_data_are_treated_as_the_user_guides_tables_say(
    enough: int, points: str, expected: tuple[str, ...], current: State
) -> None:
    marks = [{"0": False, "X": True, "-": None}[mark] for mark in points]
    for treatment, state in zip(TREATMENTS, expected, strict=True):
        wanted = current if state == "retained" else state
        assert evaluate(marks, Test(3, enough, treatment), current) == wanted


@given(points=st.lists(st.booleans(), min_size=3, max_size=6), treatment=st.sampled_from(TREATMENTS))
def test_without_gaps_the_treatment_of_missing_data_changes_nothing(points: list[bool], treatment: Missing) -> None:
    expected = "ALARM" if sum(points[-3:]) >= 2 else "OK"
    assert evaluate(points, Test(3, 2, treatment), "INSUFFICIENT_DATA") == expected


def test_an_alarm_is_evaluated_from_whole_periods_when_it_is_read(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    assert cloudwatch.state() == "OK"
    cloudwatch.put(6.0, 60)
    assert cloudwatch.state() == "OK"
    cloudwatch.put(6.0, 120)
    assert cloudwatch.state() == "ALARM"
    cloudwatch.put(0.0, 0)
    assert cloudwatch.state() == "ALARM"
    cloudwatch.time.now += 60
    assert cloudwatch.state() == "OK"


def test_the_time_of_a_transition_is_told(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    cloudwatch.time.now += 7
    cloudwatch.put(6.0, 60)
    cloudwatch.put(6.0, 120)
    (alarm,) = cloudwatch("DescribeAlarms")["MetricAlarms"]
    assert alarm["StateTransitionedTimestamp"].timestamp() == NOON + 7
    assert "6, 6" in alarm["StateReason"]


def test_an_alarm_on_a_dynamodb_metric_ignores_missing_data_whatever_it_says(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **(ALARM | {"Namespace": "AWS/DynamoDB", "TreatMissingData": "breaching"}))
    assert cloudwatch.state() == "INSUFFICIENT_DATA"


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    cloudwatch("SetAlarmState", AlarmName="orders-5xx", StateValue="ALARM", StateReason="test")
    assert cloudwatch.state() == "ALARM"
    assert cloudwatch.service.alarms.metric_state(WEST, "orders-5xx") == "OK"
    cloudwatch.time.now += 10
    assert cloudwatch.state() == "OK"


def test_a_state_set_on_a_composite_sticks_until_a_child_changes(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    cloudwatch("PutCompositeAlarm", AlarmName="orders", AlarmRule="ALARM(orders-5xx)")
    cloudwatch("SetAlarmState", AlarmName="orders", StateValue="ALARM", StateReason="test")
    cloudwatch.time.now += 600
    assert cloudwatch.state("orders") == "ALARM"
    cloudwatch.put(6.0, 60)
    cloudwatch.put(6.0, 120)
    assert cloudwatch.state("orders") == "ALARM"
    cloudwatch.put(0.0, 0)
    cloudwatch.time.now += 60
    assert cloudwatch.state("orders") == "OK"


def test_composites_are_described_only_when_asked_for(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    cloudwatch("PutCompositeAlarm", AlarmName="orders", AlarmRule='NOT OK("orders-5xx")')
    plain = cloudwatch("DescribeAlarms")
    both = cloudwatch("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert [a["AlarmName"] for a in plain["MetricAlarms"]] == ["orders-5xx"]
    assert plain["CompositeAlarms"] == []
    assert [a["AlarmName"] for a in both["CompositeAlarms"]] == ["orders"]
    assert both["CompositeAlarms"][0]["StateValue"] == "OK"


def test_alarms_are_selected_by_prefix_state_and_page(cloudwatch: Asked) -> None:
    for name in ("a1", "a2", "a3", "b1"):
        cloudwatch("PutMetricAlarm", **(ALARM | {"AlarmName": name}))
    first = cloudwatch("DescribeAlarms", AlarmNamePrefix="a", MaxRecords=2)
    second = cloudwatch("DescribeAlarms", AlarmNamePrefix="a", MaxRecords=2, NextToken=first["NextToken"])
    assert [a["AlarmName"] for a in first["MetricAlarms"] + second["MetricAlarms"]] == ["a1", "a2", "a3"]
    assert "NextToken" not in second
    assert cloudwatch("DescribeAlarms", StateValue="ALARM")["MetricAlarms"] == []
    refused("ValidationError", cloudwatch, "DescribeAlarms", AlarmNames=["a1"], AlarmNamePrefix="a")


def test_relatives_of_an_alarm_can_be_asked_for(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    cloudwatch("PutCompositeAlarm", AlarmName="orders", AlarmRule="ALARM(orders-5xx)")
    children = cloudwatch("DescribeAlarms", ChildrenOfAlarmName="orders")
    parents = cloudwatch("DescribeAlarms", ParentsOfAlarmName="orders-5xx")
    assert [a["AlarmName"] for a in children["MetricAlarms"]] == ["orders-5xx"]
    assert [a["AlarmName"] for a in parents["CompositeAlarms"]] == ["orders"]


def test_an_alarm_a_composite_depends_on_cannot_be_deleted(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    cloudwatch("PutCompositeAlarm", AlarmName="orders", AlarmRule="ALARM(orders-5xx)")
    refused("ResourceConflict", cloudwatch, "DeleteAlarms", AlarmNames=["orders-5xx"])
    cloudwatch("DeleteAlarms", AlarmNames=["orders-5xx", "orders", "never-there"])
    assert cloudwatch("DescribeAlarms")["MetricAlarms"] == []


def test_an_evaluation_state_can_be_forced(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    cloudwatch.service.alarms.force_evaluation_state(WEST, "orders-5xx", "EVALUATION_FAILURE")
    assert cloudwatch("DescribeAlarms")["MetricAlarms"][0]["EvaluationState"] == "EVALUATION_FAILURE"
    cloudwatch.service.alarms.force_evaluation_state(WEST, "orders-5xx", None)
    assert "EvaluationState" not in cloudwatch("DescribeAlarms")["MetricAlarms"][0]


@pytest.mark.parametrize(
    ("operation", "params", "words"),
    [
        ("PutMetricAlarm", ALARM | {"Metrics": [{"Id": "m"}]}, "no Metrics"),
        ("PutMetricAlarm", ALARM | {"DatapointsToAlarm": 3}, "DatapointsToAlarm"),
        ("PutMetricAlarm", ALARM | {"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator"),
        ("PutMetricAlarm", ALARM | {"Period": 45}, "Period"),
        ("PutMetricAlarm", ALARM | {"TreatMissingData": "fine"}, "TreatMissingData"),
        ("PutCompositeAlarm", {"AlarmName": "c", "AlarmRule": "ALARM(gone)"}, r"alarms \[gone\] in the alarm rule"),
        ("PutCompositeAlarm", {"AlarmName": "c", "AlarmRule": "ALARM("}, "ends too early"),
        ("SetAlarmState", {"AlarmName": "gone", "StateValue": "OK", "StateReason": ""}, "Unknown alarm"),
    ],
)
def test_an_alarm_that_makes_no_sense_is_refused(
    cloudwatch: Asked, operation: str, params: dict[str, Any], words: str
) -> None:
    with pytest.raises(AwsError, match=words):
        cloudwatch(operation, **params)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("TRUE", True),
        ("false", False),
        ("ALARM(bad)", True),
        ('OK("bad")', False),
        ("NOT OK(bad) AND INSUFFICIENT_DATA(quiet)", True),
        ("ALARM(good) AND ALARM(bad) OR ALARM(bad)", True),
        ("ALARM(good) AND (ALARM(bad) OR ALARM(bad))", False),
        ("NOT (ALARM(good) OR ALARM(quiet))", True),
        ('ALARM("arn:aws:cloudwatch:us-west-2:123456789012:alarm:bad")', True),
        ('ALARM("OK")', False),
    ],
)
def test_a_composites_rule_is_read_as_it_is_meant(rule: str, expected: bool) -> None:
    states = {"bad": "ALARM", "good": "OK", "quiet": "INSUFFICIENT_DATA", "OK": "OK"}
    assert holds(parse(rule), states.__getitem__) is expected


@pytest.mark.parametrize("rule", ["", "ALARM", "ALARM()", "ALARM(a) OK(b)", "AND", "(TRUE", "MAYBE(a)", '"'])
def test_a_rule_that_cannot_be_read_is_refused(rule: str) -> None:
    with pytest.raises(BadRule):
        parse(rule)


def mute(cloudwatch: Asked, expression: str, duration: str = "PT1H", **more: Any) -> str:
    schedule = {"Expression": expression, "Duration": duration}
    params = {"Name": "quiet", "Rule": {"Schedule": schedule}, "MuteTargets": {"AlarmNames": ["orders-5xx"]}} | more
    cloudwatch("PutAlarmMuteRule", **params)
    return str(cloudwatch("GetAlarmMuteRule", AlarmMuteRuleName="quiet")["Status"])


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ("at(2026-10-17T11:30)", "ACTIVE"),
        ("at(2026-10-17T12:30)", "SCHEDULED"),
        ("at(2026-10-17T10:30)", "EXPIRED"),
        ("cron(30 11 * * *)", "ACTIVE"),
        ("cron(30 11 * * SUN)", "SCHEDULED"),
        ("cron(0-59 11 17 OCT SAT)", "ACTIVE"),
    ],
)
def test_a_mute_rule_is_active_within_its_windows_only(cloudwatch: Asked, expression: str, status: str) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    assert mute(cloudwatch, expression) == status


def test_a_muted_alarm_goes_on_being_evaluated(cloudwatch: Asked) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    mute(cloudwatch, "at(2026-10-17T11:30)")
    cloudwatch.put(6.0, 60)
    cloudwatch.put(6.0, 120)
    assert cloudwatch.service.mutes.muted(WEST, "orders-5xx")
    assert cloudwatch.state() == "ALARM"
    (summary,) = cloudwatch("ListAlarmMuteRules", AlarmName="orders-5xx", Statuses=["ACTIVE"])["AlarmMuteRuleSummaries"]
    assert summary["AlarmMuteRuleArn"].endswith(":alarm-mute-rule:quiet")
    assert cloudwatch("ListAlarmMuteRules", AlarmName="another")["AlarmMuteRuleSummaries"] == []
    cloudwatch("DeleteAlarmMuteRule", AlarmMuteRuleName="quiet")
    refused("ResourceNotFoundException", cloudwatch, "GetAlarmMuteRule", AlarmMuteRuleName="quiet")


@pytest.mark.parametrize("expression", ["rate(1 minute)", "cron(0 2 * *)", "cron(61 2 * * *)", "at(tomorrow)"])
def test_a_schedule_that_cannot_be_read_is_refused(cloudwatch: Asked, expression: str) -> None:
    cloudwatch("PutMetricAlarm", **ALARM)
    with pytest.raises(AwsError, match="Schedule expression"):
        mute(cloudwatch, expression)


def test_an_operation_the_sandbox_does_not_know_is_refused_by_name(cloudwatch: Asked) -> None:
    assert "PutDashboard" in refused("UnknownOperationException", cloudwatch, "PutDashboard")
