from typing import Any

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.signals import alarms
from resilience_cli.model.app import Alarms
from resilience_cli.model.readings import Level, Reading

from .conftest import EAST, NOW, OBSERVER, WEST, Stub, make_app, now

TYPES = ["MetricAlarm", "CompositeAlarm"]


def metric_alarm(name: str, state: str = "OK", **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "StateValue": state,
        "StateReason": "threshold crossed",
        "StateTransitionedTimestamp": NOW,
        "Namespace": "AWS/ApiGateway",
        "MetricName": "5XXError",
        "Dimensions": [{"Name": "ApiName", "Value": name}],
    } | more


def on_canary(name: str, canary: str, state: str = "OK") -> dict[str, Any]:
    dimensions = [{"Name": "CanaryName", "Value": canary}]
    metric = {"Namespace": "CloudWatchSynthetics", "MetricName": "SuccessPercent", "Dimensions": dimensions}
    return metric_alarm(name, state, **metric)


def composite(name: str, rule: str, state: str = "OK") -> dict[str, Any]:
    return {"AlarmName": name, "StateValue": state, "AlarmRule": rule}


def look(
    sessions: Sessions,
    stub: Stub,
    found: list[dict[str, Any]],
    *,
    region: str = WEST,
    signals: tuple[dict[str, Any], ...] = (),
    mutes: tuple[str, ...] = (),
    **spec: Any,
) -> dict[str, Reading]:
    answers = stub("cloudwatch", region)
    page = {
        "MetricAlarms": [alarm for alarm in found if "AlarmRule" not in alarm],
        "CompositeAlarms": [alarm for alarm in found if "AlarmRule" in alarm],
    }
    answers.add_response("describe_alarms", page, {"AlarmTypes": TYPES, "AlarmNamePrefix": "orders-"})
    if found:
        arn = f"arn:aws:cloudwatch:{region}:123456789012:alarm-mute-rule:night"
        arns = [{"AlarmMuteRuleArn": arn}] if mutes else []
        answers.add_response("list_alarm_mute_rules", {"AlarmMuteRuleSummaries": arns}, {"Statuses": ["ACTIVE"]})
    if mutes:
        rule = {"Name": "night", "MuteTargets": {"AlarmNames": list(mutes)}}
        answers.add_response("get_alarm_mute_rule", rule, {"AlarmMuteRuleName": "night"})
    whole = Alarms.model_validate({"kind": "alarm", "names": ["orders-*"], "from": [region]} | spec)
    (read,) = alarms.reads(whole, make_app(*signals), sessions, now)
    return {reading.subject: reading for reading in read.ask().readings}


def test_states_become_levels_and_what_was_not_evaluated_is_unknown(sessions: Sessions, stub: Stub) -> None:
    found = look(
        sessions,
        stub,
        [
            metric_alarm("orders-a"),
            metric_alarm("orders-b", "ALARM"),
            metric_alarm("orders-c", "INSUFFICIENT_DATA"),
            metric_alarm("orders-d", "OK", EvaluationState="EVALUATION_ERROR"),
            metric_alarm("orders-e", "ALARM", EvaluationState="EVALUATION_FAILURE"),
            metric_alarm("orders-f", "ALARM", EvaluationState="PARTIAL_DATA"),
        ],
    )
    assert [found[f"orders-{letter}"].level for letter in "abcdef"] == [
        Level.OK,
        Level.BAD,
        Level.UNKNOWN,
        Level.UNKNOWN,
        Level.UNKNOWN,
        Level.BAD,
    ]
    assert "threshold crossed" in found["orders-b"].evidence


def test_a_muted_alarm_keeps_its_state_and_is_flagged(sessions: Sessions, stub: Stub) -> None:
    found = look(sessions, stub, [metric_alarm("orders-a", "ALARM"), metric_alarm("orders-b")], mutes=("orders-a",))
    assert (found["orders-a"].level, found["orders-a"].flag) == (Level.BAD, "muted")
    assert found["orders-b"].flag == ""


def test_mute_rules_that_cannot_be_read_leave_no_flag(sessions: Sessions, stub: Stub) -> None:
    answers = stub("cloudwatch", WEST)
    answers.add_response("describe_alarms", {"MetricAlarms": [metric_alarm("orders-a")]})
    answers.add_client_error("list_alarm_mute_rules", "AccessDenied", http_status_code=403)
    spec = Alarms.model_validate({"kind": "alarm", "names": ["orders-a"], "from": [WEST]})
    (read,) = alarms.reads(spec, make_app(), sessions, now)
    (reading,) = read.ask().readings
    assert (reading.level, reading.flag) == (Level.OK, "")


def test_an_alarm_on_a_canary_is_that_canary_and_about_its_region(sessions: Sessions, stub: Stub) -> None:
    canary = {"kind": "canary", "canaries": [{"name": "watch-west", "region": OBSERVER, "of": WEST}]}
    found = look(
        sessions, stub, [on_canary("orders-canary", "watch-west", "ALARM")], region=OBSERVER, signals=(canary,)
    )
    reading = found["orders-canary"]
    assert (reading.source, reading.region, reading.seen_from) == (f"canary:{OBSERVER}:watch-west", WEST, OBSERVER)


def test_a_composite_of_one_canarys_alarms_is_that_canary_too(sessions: Sessions, stub: Stub) -> None:
    found = look(
        sessions,
        stub,
        [
            on_canary("orders-slow", "watch"),
            on_canary("orders-failing", "watch"),
            composite("orders-inner", 'ALARM("orders-slow") OR ALARM(orders-failing)'),
            composite("orders-outer", f"ALARM(arn:aws:cloudwatch:{WEST}:123456789012:alarm:orders-inner)"),
        ],
    )
    assert {reading.source for reading in found.values()} == {f"canary:{WEST}:watch"}


def test_a_composite_of_different_children_is_their_sum_and_one_with_unread_children_stands_alone(
    sessions: Sessions, stub: Stub
) -> None:
    found = look(
        sessions,
        stub,
        [
            metric_alarm("orders-a"),
            on_canary("orders-b", "watch"),
            composite("orders-both", "ALARM(orders-a) AND NOT ALARM(orders-b)"),
            composite("orders-other", "ALARM(elsewhere) OR ALARM(orders-a)"),
        ],
    )
    assert found["orders-both"].source == f"canary:{WEST}:watch+metric:{WEST}:AWS/ApiGateway:5XXError:ApiName=orders-a"
    assert found["orders-other"].source == f"alarm:{WEST}:orders-other"


def test_an_alarm_on_replication_is_shown_and_does_not_count(sessions: Sessions, stub: Stub) -> None:
    lag = metric_alarm("orders-lag", "ALARM", Namespace="AWS/DynamoDB", MetricName="ReplicationLatency")
    assert look(sessions, stub, [lag])["orders-lag"].counts is False


def test_a_metric_math_alarm_measures_what_its_metrics_measure(sessions: Sessions, stub: Stub) -> None:
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": []}
    queries = [
        {"Id": "e", "Expression": "m1*100", "ReturnData": True},
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    ]
    alarm = {"AlarmName": "orders-math", "StateValue": "OK", "Metrics": queries}
    assert look(sessions, stub, [alarm])["orders-math"].source == f"metric:{WEST}:N:M:"


def test_a_name_that_matches_nothing_is_unknown_and_says_where(sessions: Sessions, stub: Stub) -> None:
    reading = look(sessions, stub, [])["orders-*"]
    assert (reading.level, reading.region) == (Level.UNKNOWN, WEST)
    assert WEST in reading.evidence


def test_of_says_which_region_an_alarm_is_about(sessions: Sessions, stub: Stub) -> None:
    found = look(sessions, stub, [metric_alarm("orders-east")], region=OBSERVER, of={"orders-east": EAST})
    assert (found["orders-east"].region, found["orders-east"].seen_from) == (EAST, OBSERVER)


def test_every_region_the_observer_among_them_is_asked_by_default() -> None:
    spec = Alarms.model_validate({"kind": "alarm", "names": ["orders-*"]})
    assert [read.region for read in alarms.reads(spec, make_app(), Sessions(), now)] == [WEST, EAST, OBSERVER]
