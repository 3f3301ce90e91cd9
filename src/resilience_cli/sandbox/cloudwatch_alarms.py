"""CloudWatch's alarms, metric and composite: really evaluated from the stored datapoints, each time they are read.

SetAlarmState is temporary for a metric alarm (it lasts until the next evaluation) and sticks on a composite until one
of its children changes state or it is updated (SetAlarmState, API reference).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from .cloudwatch_evaluation import COMPARISONS, EXTRA_PERIODS, Missing, State, Test, evaluate, verdicts
from .cloudwatch_metrics import MetricKey, MetricStore, metric_key
from .cloudwatch_queries import SHORT_PERIODS, STATISTICS
from .cloudwatch_rules import STATES, BadRule, Rule, children, holds, parse
from .service import AwsError

EVALUATION_S = 10.0  # a metric alarm set by hand "returns to its actual state quickly, often within seconds"
MISSING = ("missing", "ignore", "breaching", "notBreaching")
EVALUATION_STATES = ("PARTIAL_DATA", "EVALUATION_FAILURE", "EVALUATION_ERROR")


@dataclass
class AlarmState:
    """What an alarm says now, since when, and why."""

    value: State
    reason: str
    updated: float
    transitioned: float

    def move(self, value: State, reason: str, now: float) -> None:
        if value != self.value:
            self.value, self.reason, self.transitioned, self.updated = value, reason, now, now


@dataclass
class MetricAlarm:
    """One metric alarm: ``config`` is PutMetricAlarm's input, ``held_until`` the end of a state set by hand."""

    config: Mapping[str, Any]
    metric: MetricKey
    test: Test
    configured: float
    state: AlarmState
    held_until: float = 0.0
    evaluation_state: str | None = None


@dataclass
class CompositeAlarm:
    """One composite alarm; ``stuck`` holds the children's states under which a state set by hand stays."""

    config: Mapping[str, Any]
    rule: Rule
    configured: float
    state: AlarmState
    stuck: tuple[str, ...] | None = None


@dataclass
class _Region:
    metric: dict[str, MetricAlarm] = field(default_factory=dict)
    composite: dict[str, CompositeAlarm] = field(default_factory=dict)


class AlarmStore:
    """The alarms of every Region, and their evaluation."""

    def __init__(self, metrics: MetricStore, now: Callable[[], float]) -> None:
        self._metrics = metrics
        self._now = now
        self._regions: dict[str, _Region] = {}

    def _at(self, region: str) -> _Region:
        return self._regions.setdefault(region, _Region())

    def put_metric(self, region: str, config: Mapping[str, Any]) -> None:
        """Create or replace; an alarm updated keeps its state until it is evaluated (PutMetricAlarm)."""
        name = config["AlarmName"]
        if name in self._at(region).composite:
            raise _invalid(f"Alarm {name} already exists as a composite alarm")
        alarm = _metric_alarm(region, config, self._now())
        if (existing := self._at(region).metric.get(name)) is not None:
            alarm.state = existing.state
        self._at(region).metric[name] = alarm

    def put_composite(self, region: str, config: Mapping[str, Any]) -> None:
        name = config["AlarmName"]
        if name in self._at(region).metric:
            raise _invalid(f"Alarm {name} already exists as a metric alarm")
        rule = self._rule(region, config)
        now = self._now()
        state = AlarmState("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", now, now)
        if (existing := self._at(region).composite.get(name)) is not None:
            state = existing.state
        self._at(region).composite[name] = CompositeAlarm(config, rule, now, state)

    def _rule(self, region: str, config: Mapping[str, Any]) -> Rule:
        try:
            rule = parse(config["AlarmRule"])
        except BadRule as error:
            raise _invalid(f"AlarmRule is not valid: {error}") from error
        named = dict.fromkeys(children(rule))
        if len(named) > 100:
            raise _invalid("AlarmRule can specify as many as 100 child alarms")
        known = set(self.names(region)) | {config["AlarmName"]}
        if missing := [name for name in named if name not in known]:
            raise _invalid(
                f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
            )
        return rule

    def names(self, region: str) -> Iterator[str]:
        yield from self._at(region).metric
        yield from self._at(region).composite

    def delete(self, region: str, names: Sequence[str]) -> None:
        """Names that are not there are passed over; one that a remaining composite refers to is refused."""
        here = self._at(region)
        if len([name for name in names if name in here.composite]) > 1:
            raise _invalid("You can delete no more than one composite alarm per operation")
        for parent, alarm in here.composite.items():
            wanted = [name for name in children(alarm.rule) if name in names]
            if wanted and (parent not in names or parent in wanted):
                raise AwsError("ResourceConflict", f"Composite alarm {parent} depends on {wanted[0]}")
        for name in names:
            here.metric.pop(name, None)
            here.composite.pop(name, None)

    def set_state(self, region: str, name: str, value: str, reason: str) -> None:
        here, now = self._at(region), self._now()
        if value not in STATES:
            raise _invalid(f"StateValue must be one of {', '.join(STATES)}")
        alarm = here.metric.get(name) or here.composite.get(name)
        if alarm is None:
            raise AwsError("ResourceNotFound", "Unknown alarm", 404)
        if isinstance(alarm, CompositeAlarm):
            alarm.stuck = self._children_states(region, alarm)
        else:
            alarm.held_until = now - now % EVALUATION_S + EVALUATION_S
        alarm.state.move(cast(State, value), reason, now)
        alarm.state.updated = now

    def force_evaluation_state(self, region: str, name: str, value: str | None) -> None:
        """Make DescribeAlarms say that the alarm could not be evaluated: PARTIAL_DATA, EVALUATION_FAILURE or _ERROR."""
        if value is not None and value not in EVALUATION_STATES:
            raise ValueError(f"an EvaluationState is one of {', '.join(EVALUATION_STATES)}, not {value}")
        self._at(region).metric[name].evaluation_state = value

    def metric_alarms(self, region: str) -> list[MetricAlarm]:
        """The Region's metric alarms by name, each evaluated now."""
        alarms = self._at(region).metric
        return [self._evaluated(alarms[name]) for name in sorted(alarms)]

    def composite_alarms(self, region: str) -> list[CompositeAlarm]:
        """The Region's composite alarms by name, each evaluated now."""
        alarms = self._at(region).composite
        for name in alarms:
            self.state_of(region, name)
        return [alarms[name] for name in sorted(alarms)]

    def state_of(self, region: str, name: str, asking: tuple[str, ...] = ()) -> State:
        """An alarm's state now. A name that is not there, or a cycle of composites, is INSUFFICIENT_DATA."""
        here = self._at(region)
        if name in here.metric:
            return self._evaluated(here.metric[name]).state.value
        if name not in here.composite or name in asking:
            return "INSUFFICIENT_DATA"
        alarm = here.composite[name]
        states = self._children_states(region, alarm, asking)
        if alarm.stuck == states:
            return alarm.state.value
        by_name = dict(zip(children(alarm.rule), states, strict=True))
        true = holds(alarm.rule, by_name.__getitem__)
        alarm.stuck = None
        alarm.state.move("ALARM" if true else "OK", _composite_reason(alarm, by_name), self._now())
        return alarm.state.value

    def _children_states(self, region: str, alarm: CompositeAlarm, asking: tuple[str, ...] = ()) -> tuple[str, ...]:
        asking = (*asking, alarm.config["AlarmName"])
        return tuple(self.state_of(region, name, asking) for name in children(alarm.rule))

    def metric_state(self, region: str, name: str) -> State | None:
        """What the alarm's metric data say, whatever SetAlarmState set: what a Route 53 health check goes by.

        None: there is no metric alarm of this name in the Region.
        """
        alarm = self._at(region).metric.get(name)
        return self._measured(alarm)[0] if alarm is not None else None

    def _evaluated(self, alarm: MetricAlarm) -> MetricAlarm:
        if self._now() >= alarm.held_until:
            value, reason = self._measured(alarm)
            alarm.state.move(value, reason, self._now())
        return alarm

    def _measured(self, alarm: MetricAlarm) -> tuple[State, str]:
        config, test = alarm.config, alarm.test
        period, count = int(config["Period"]), test.evaluation_periods + EXTRA_PERIODS
        ends = int(self._now() // period) * period
        buckets = self._metrics.buckets(alarm.metric, ends - count * period, ends, period, config.get("Unit"))
        values = {at: stat.statistic(config["Statistic"]) for at, stat in buckets.items()}
        points = verdicts(values, ends, period, count, config["ComparisonOperator"], float(config["Threshold"]))
        state = evaluate(points, test, alarm.state.value)
        return state, _reason(state, config, [values[at] for at in sorted(values)][-test.evaluation_periods :])


def _metric_alarm(region: str, config: Mapping[str, Any], now: float) -> MetricAlarm:
    """A new alarm, as strict about its members as PutMetricAlarm is."""
    for unserved in ("Metrics", "ExtendedStatistic", "EvaluationCriteria", "ThresholdMetricId"):
        if config.get(unserved):
            raise _invalid(f"the sandbox serves alarms on one metric and a plain statistic, no {unserved}")
    required = (
        "MetricName",
        "Namespace",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "Threshold",
        "ComparisonOperator",
    )
    for member in required:
        if config.get(member) is None:
            raise _invalid(f"The parameter {member} is required.")
    _one_of(config, "Statistic", STATISTICS)
    _one_of(config, "ComparisonOperator", COMPARISONS)
    period, periods = int(config["Period"]), int(config["EvaluationPeriods"])
    if period not in SHORT_PERIODS and (period <= 0 or period % 60):
        raise _invalid("Period must be 1, 5, 10, 20, 30 or a multiple of 60")
    enough = int(config.get("DatapointsToAlarm") or periods)
    if not 1 <= enough <= periods:
        raise _invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods")
    if period * periods > (86400 if period < 3600 else 7 * 86400):
        raise _invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)")
    dimensions = {d["Name"]: d["Value"] for d in config.get("Dimensions") or ()}
    metric = metric_key(region, config["Namespace"], config["MetricName"], dimensions)
    state = AlarmState("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", now, now)
    return MetricAlarm(config, metric, Test(periods, enough, _missing(config)), now, state)


def _missing(config: Mapping[str, Any]) -> Missing:
    """TreatMissingData; alarms on AWS/DynamoDB metrics always ignore missing data (PutMetricAlarm)."""
    chosen = config.get("TreatMissingData") or "missing"
    _one_of({"TreatMissingData": chosen}, "TreatMissingData", MISSING)
    return "ignore" if config["Namespace"] == "AWS/DynamoDB" else cast(Missing, chosen)


def _one_of(config: Mapping[str, Any], member: str, allowed: Sequence[str]) -> None:
    if config[member] not in allowed:
        raise _invalid(f"{member} must be one of {', '.join(allowed)}, not {config[member]}")


def _reason(state: State, config: Mapping[str, Any], values: Sequence[float]) -> str:
    shown = ", ".join(f"{value:g}" for value in values)
    if not values:
        return f"{state}: no datapoints were received in the evaluation range"
    return f"{state}: datapoints [{shown}] against {config['ComparisonOperator']} {float(config['Threshold']):g}"


def _composite_reason(alarm: CompositeAlarm, states: Mapping[str, str]) -> str:
    told = ", ".join(f"{name} is {state}" for name, state in states.items())
    return f"{alarm.config['AlarmRule']}: {told or 'no alarm named'}"


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)
