"""CloudWatch alarms, metric and composite, in every Region they are looked for.

Source: CloudWatch API reference. ``DescribeAlarms`` returns metric alarms only unless ``AlarmTypes`` names the others;
``MetricAlarm.EvaluationState`` EVALUATION_ERROR and EVALUATION_FAILURE mean that the state was not evaluated;
``MuteTargets``: an alarm that is muted goes on evaluating, only its actions are silent, so its state counts.

An alarm measures what its metrics measure, and carries that as its ``source``: an alarm on a canary's metric is that
canary seen again, and counts once with it. A composite's source is the set of its children's sources, so that one
made of a single canary's alarms is that canary too; where a child was not read, it is a source of its own. An alarm
on ReplicationLatency is shown and does not count: replication never makes a Region impaired.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ....errors import AwsTrouble
from ....model.app import Alarms, App, Canaries
from ....model.readings import Level, Reading, SignalKind
from ....ports import Read
from ..reading import Now, batches, canary_source, metric_source, shortened, signal_read, stamp
from ..session import Answer, Api, Sessions

TYPES = ["MetricAlarm", "CompositeAlarm"]
NAMES_A_CALL = 100  # DescribeAlarmsInput.AlarmNames, max
NOT_EVALUATED = ("EVALUATION_ERROR", "EVALUATION_FAILURE")
CANARIES = "CloudWatchSynthetics"
MOST_MUTE_RULES = 20
_CHILD = re.compile(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|'([^']+)'|([^\s()"']+))\s*\)""")

Sources = dict[str, frozenset[str]]


@dataclass(frozen=True)
class _Look:
    """One look at the alarms of one Region."""

    spec: Alarms
    app: App
    api: Api
    region: str

    def readings(self) -> Iterator[Reading]:
        found = self._found()
        sources = _sources(self.region, found)
        muted = _muted(self.api) if found else frozenset()
        for name, alarm in sorted(found.items()):
            yield self._reading(name, alarm, sources[name], name in muted)
        for wanted in self.spec.names:
            if not any(_matches(wanted, name) for name in found):
                yield _unknown(self.spec, self.app, self.region, wanted, f"no alarm of this name in {self.region}")

    def _found(self) -> dict[str, Answer]:
        exact = [name for name in self.spec.names if not name.endswith("*")]
        asked: list[Answer] = [{"AlarmNames": list(names)} for names in batches(exact, NAMES_A_CALL)]
        # An empty prefix is not allowed by the API: "*" alone leaves it out.
        prefixes = [name[:-1] for name in self.spec.names if name.endswith("*")]
        asked += [{"AlarmNamePrefix": prefix} if prefix else {} for prefix in prefixes]
        pages = (page for params in asked for page in self.api.pages("DescribeAlarms", AlarmTypes=TYPES, **params))
        return {
            alarm["AlarmName"]: alarm
            for page in pages
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        }

    def _reading(self, name: str, alarm: Answer, sources: frozenset[str], muted: bool) -> Reading:
        replication = _is_replication(alarm)
        flags = [word for word, holds in (("muted", muted), ("replication", replication)) if holds]
        return Reading(
            kind=SignalKind.ALARM,
            subject=name,
            region=_about(self.spec, self.app, self.region, name, alarm),
            seen_from=self.region,
            level=_level(alarm),
            evidence=_evidence(alarm),
            age_s=0.0,  # CloudWatch's own judgement as it stands now; since when is in the evidence
            source="+".join(sorted(sources)),
            counts=not replication,
            flag=", ".join(flags),
        )


def reads(spec: Alarms, app: App, sessions: Sessions, now: Now) -> list[Read]:
    """One read a Region: names and prefixes, then the mute rules in force there."""
    del now  # an alarm's state is of the moment it is read
    return [_read(spec, app, sessions, region) for region in spec.from_ or app.regions.all]


def _read(spec: Alarms, app: App, sessions: Sessions, region: str) -> Read:
    def ask() -> Iterable[Reading]:
        return _Look(spec, app, sessions.reader("cloudwatch", region), region).readings()

    def unanswered(why: str) -> tuple[Reading, ...]:
        return tuple(_unknown(spec, app, region, name, why) for name in spec.names)

    return signal_read(f"alarms {', '.join(spec.names)}", region, ask, unanswered)


def _unknown(spec: Alarms, app: App, region: str, name: str, why: str) -> Reading:
    return Reading(
        kind=SignalKind.ALARM,
        subject=name,
        region=_about(spec, app, region, name, {}),
        seen_from=region,
        level=Level.UNKNOWN,
        evidence=shortened(why),
    )


def _about(spec: Alarms, app: App, region: str, name: str, alarm: Answer) -> str:
    """The Region an alarm is about: as ``of`` says, else its canary's, else the one it lives in."""
    for pattern, about in spec.of.items():
        if _matches(pattern, name):
            return about
    watched = _canary_of(alarm)
    for canaries in app.signals_of(Canaries):
        for canary in canaries.canaries:
            if (canary.region, canary.name) == (region, watched):
                return canary.of or canary.region
    return region


def _matches(wanted: str, name: str) -> bool:
    return name == wanted or (wanted.endswith("*") and name.startswith(wanted[:-1]))


def _level(alarm: Answer) -> Level:
    if alarm.get("EvaluationState") in NOT_EVALUATED:
        return Level.UNKNOWN
    return {"OK": Level.OK, "ALARM": Level.BAD}.get(str(alarm["StateValue"]), Level.UNKNOWN)


def _evidence(alarm: Answer) -> str:
    said = [str(alarm["StateValue"])]
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    if isinstance(since, datetime):
        said.append(f"since {stamp(since)}")
    if alarm.get("EvaluationState"):
        said.append(f"({alarm['EvaluationState']})")
    reason = str(alarm.get("StateReason") or "")
    return shortened(" ".join(said) + (f": {reason}" if reason else ""))


def _canary_of(alarm: Answer) -> str | None:
    """The canary whose metric a metric alarm watches."""
    if alarm.get("Namespace") != CANARIES:
        return None
    return next((d["Value"] for d in alarm.get("Dimensions", ()) if d["Name"] == "CanaryName"), None)


def _is_replication(alarm: Answer) -> bool:
    return (alarm.get("Namespace"), alarm.get("MetricName")) == ("AWS/DynamoDB", "ReplicationLatency")


def _sources(region: str, alarms: dict[str, Answer]) -> Sources:
    """What each alarm measures. Composites are asked after the metric alarms, and may hold composites."""
    known: Sources = {
        name: frozenset(_measured(region, alarm)) for name, alarm in alarms.items() if "AlarmRule" not in alarm
    }
    waiting = {name: _children(str(alarm["AlarmRule"])) for name, alarm in alarms.items() if "AlarmRule" in alarm}
    while waiting:
        ready = [name for name, children in waiting.items() if children and children <= set(known)]
        if not ready:
            break
        for name in ready:
            known[name] = frozenset[str]().union(*(known[child] for child in waiting.pop(name)))
    return known | {name: frozenset({f"alarm:{region}:{name}"}) for name in waiting}


def _children(rule: str) -> frozenset[str]:
    """The names in an alarm rule; an alarm may be named by its ARN (PutCompositeAlarm, ``AlarmRule``)."""
    named = (next(filter(None, found)) for found in _CHILD.findall(rule))
    return frozenset(name.rpartition(":alarm:")[2] for name in named)


def _measured(region: str, alarm: Answer) -> Iterator[str]:
    """The sources of a metric alarm: its one metric, or those its metric math is made of."""
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    metrics = [alarm] if alarm.get("MetricName") else stats
    for metric in metrics:
        canary = _canary_of(metric)
        if canary is not None:
            yield canary_source(region, canary)
        else:
            dimensions = [(each["Name"], each["Value"]) for each in metric.get("Dimensions", ())]
            yield metric_source(region, str(metric.get("Namespace", "")), str(metric["MetricName"]), dimensions)
    if not metrics:
        yield f"alarm:{region}:{alarm['AlarmName']}"


def _muted(api: Api) -> frozenset[str]:
    """The alarms that mute rules in force silence. A flag only: where it cannot be read there is none."""
    try:
        rules = list(_active_rules(api))[:MOST_MUTE_RULES]
        targets = [api.patiently("GetAlarmMuteRule", AlarmMuteRuleName=rule) for rule in rules]
        return frozenset(name for target in targets for name in target.get("MuteTargets", {}).get("AlarmNames", ()))
    except AwsTrouble:
        return frozenset()


def _active_rules(api: Api) -> Iterator[str]:
    for page in api.pages("ListAlarmMuteRules", Statuses=["ACTIVE"]):
        for rule in page.get("AlarmMuteRuleSummaries", ()):
            yield str(rule["AlarmMuteRuleArn"]).rpartition(":")[2]
