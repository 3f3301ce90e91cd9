"""CloudWatch as the sandbox serves it: metrics, alarms and mute rules of every Region behind one ``handle``."""

from collections.abc import Callable, Mapping
from typing import Any

from .cloudwatch_alarms import AlarmState, AlarmStore, CompositeAlarm, MetricAlarm
from .cloudwatch_metrics import MetricStore
from .cloudwatch_mutes import MuteRules
from .cloudwatch_queries import MetricOperations
from .cloudwatch_rules import children
from .operations import Answer, Operation, page, perform
from .service import AwsError, Call
from .timestamps import moment

_COMMON = (
    "AlarmName",
    "AlarmDescription",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "ActionConfiguration",
)
_METRIC = (
    "MetricName",
    "Namespace",
    "Statistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
)
_COMPOSITE = ("AlarmRule", "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
_SELECTORS = ("AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "ActionPrefix")


class CloudWatch:
    """The Service. ``metrics`` and ``alarms`` are its stores, for the world that publishes into them."""

    name = "cloudwatch"

    def __init__(self, now: Callable[[], float], account: str = "123456789012") -> None:
        self._account = account
        self.metrics = MetricStore()
        self.alarms = AlarmStore(self.metrics, now)
        self.mutes = MuteRules(now, lambda region, name: name in self.alarms.names(region), account)
        self._operations: dict[str, Operation] = {
            **MetricOperations(self.metrics, now).operations,
            **self.mutes.operations,
            "PutMetricAlarm": self._put_metric_alarm,
            "PutCompositeAlarm": self._put_composite_alarm,
            "DescribeAlarms": self._describe_alarms,
            "SetAlarmState": self._set_alarm_state,
            "DeleteAlarms": self._delete_alarms,
        }

    def handle(self, call: Call) -> Answer:
        return perform(self._operations, call)

    def _put_metric_alarm(self, call: Call) -> Answer:
        self.alarms.put_metric(call.region, call.params)
        return {}

    def _put_composite_alarm(self, call: Call) -> Answer:
        self.alarms.put_composite(call.region, call.params)
        return {}

    def _set_alarm_state(self, call: Call) -> Answer:
        params = call.params
        self.alarms.set_state(call.region, params["AlarmName"], params["StateValue"], params["StateReason"])
        return {}

    def _delete_alarms(self, call: Call) -> Answer:
        names = call.params["AlarmNames"]
        if len(names) > 100:
            raise AwsError("ValidationError", "You can delete up to 100 alarms in one operation")
        self.alarms.delete(call.region, names)
        return {}

    def _describe_alarms(self, call: Call) -> Answer:
        """Metric alarms only, unless AlarmTypes says otherwise; metric ones first, each kind by name."""
        params = call.params
        wanted = self._relatives(call)
        if wanted is None and params.get("AlarmNames") and params.get("AlarmNamePrefix"):
            raise AwsError("ValidationError", "AlarmNames and AlarmNamePrefix cannot be used together")
        types = params.get("AlarmTypes") or (
            ("MetricAlarm", "CompositeAlarm") if wanted is not None else ("MetricAlarm",)
        )
        alarms: list[MetricAlarm | CompositeAlarm] = []
        if "MetricAlarm" in types:
            alarms += self.alarms.metric_alarms(call.region)
        if "CompositeAlarm" in types:
            alarms += self.alarms.composite_alarms(call.region)
        found = [alarm for alarm in alarms if _selected(alarm, params, wanted)]
        limit = int(params.get("MaxRecords") or 100)
        if not 1 <= limit <= 100:
            raise AwsError("ValidationError", "MaxRecords must be between 1 and 100")
        invalid = AwsError("InvalidNextToken", "The next token is not valid.")
        part, following = page(found, limit, params.get("NextToken"), invalid)
        return {
            "MetricAlarms": [self._metric(call.region, alarm) for alarm in part if isinstance(alarm, MetricAlarm)],
            "CompositeAlarms": [self._composite(call.region, a) for a in part if isinstance(a, CompositeAlarm)],
        } | ({"NextToken": following} if following else {})

    def _relatives(self, call: Call) -> frozenset[str] | None:
        """The names ChildrenOfAlarmName or ParentsOfAlarmName select; no other selector may go with them."""
        params = call.params
        child_of, parent_of = params.get("ChildrenOfAlarmName"), params.get("ParentsOfAlarmName")
        if not child_of and not parent_of:
            return None
        if (child_of and parent_of) or any(params.get(member) for member in _SELECTORS):
            raise AwsError("ValidationError", "ChildrenOfAlarmName and ParentsOfAlarmName go with no other selection")
        rules = {a.config["AlarmName"]: a.rule for a in self.alarms.composite_alarms(call.region)}
        if child_of:
            return frozenset(children(rules[child_of])) if child_of in rules else frozenset()
        return frozenset(name for name, rule in rules.items() if parent_of in tuple(children(rule)))

    def _metric(self, region: str, alarm: MetricAlarm) -> Answer:
        described = self._described(region, alarm, _METRIC)
        if alarm.evaluation_state:
            described["EvaluationState"] = alarm.evaluation_state
        return described

    def _composite(self, region: str, alarm: CompositeAlarm) -> Answer:
        described = self._described(region, alarm, _COMPOSITE)
        suppressor = (alarm.config.get("ActionsSuppressor") or "").split(":alarm:")[-1]
        if suppressor and self.alarms.state_of(region, suppressor) == "ALARM":
            described |= {"ActionsSuppressedBy": "Alarm", "ActionsSuppressedReason": f"{suppressor} is in ALARM"}
        return described

    def _described(self, region: str, alarm: MetricAlarm | CompositeAlarm, members: tuple[str, ...]) -> Answer:
        config, state = alarm.config, alarm.state
        given = {member: config[member] for member in (*_COMMON, *members) if config.get(member) is not None}
        enabled = config.get("ActionsEnabled")
        return given | {
            "AlarmArn": f"arn:aws:cloudwatch:{region}:{self._account}:alarm:{config['AlarmName']}",
            "ActionsEnabled": True if enabled is None else enabled,
            "AlarmConfigurationUpdatedTimestamp": moment(alarm.configured),
            **_state(state),
        }


def _state(state: AlarmState) -> Answer:
    return {
        "StateValue": state.value,
        "StateReason": state.reason,
        "StateUpdatedTimestamp": moment(state.updated),
        "StateTransitionedTimestamp": moment(state.transitioned),
    }


def _selected(alarm: MetricAlarm | CompositeAlarm, params: Mapping[str, Any], relatives: frozenset[str] | None) -> bool:
    """Whether DescribeAlarms' selectors keep this alarm."""
    config, name = alarm.config, alarm.config["AlarmName"]
    if relatives is not None:
        return name in relatives
    actions = [a for kind in ("OKActions", "AlarmActions", "InsufficientDataActions") for a in config.get(kind) or ()]
    prefix = params.get("ActionPrefix")
    return (
        (not params.get("AlarmNames") or name in params["AlarmNames"])
        and name.startswith(params.get("AlarmNamePrefix") or "")
        and params.get("StateValue") in (None, alarm.state.value)
        and (not prefix or any(action.startswith(prefix) for action in actions))
    )
