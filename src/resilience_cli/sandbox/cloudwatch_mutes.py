"""CloudWatch's alarm mute rules. A muted alarm goes on being evaluated: only its actions are silent.

Source: PutAlarmMuteRule and its Schedule (``cron(minute hour day month weekday)`` or ``at(yyyy-MM-ddThh:mm)``).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .operations import Answer, Operation, page, paged
from .service import AwsError, Call
from .timestamps import epoch, moment

_DURATION = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, _DAYS))
_LONGEST = timedelta(days=15)


class MuteRules:
    """The mute rules of every Region; ``exists`` says whether a Region has an alarm of a name."""

    def __init__(self, now: Callable[[], float], exists: Callable[[str, str], bool], account: str) -> None:
        self._now, self._exists, self._account = now, exists, account
        self._rules: dict[tuple[str, str], Answer] = {}
        self.operations: dict[str, Operation] = {
            "PutAlarmMuteRule": self._put,
            "GetAlarmMuteRule": self._get,
            "ListAlarmMuteRules": self._list,
            "DeleteAlarmMuteRule": self._delete,
        }

    def muted(self, region: str, alarm: str) -> bool:
        """Whether an active rule mutes this alarm's actions now."""
        return any(
            rule["Status"] == "ACTIVE" and alarm in _targets(rule)
            for (where, _), rule in self._described()
            if where == region
        )

    def _described(self) -> list[tuple[tuple[str, str], Answer]]:
        now = self._now()
        return [(key, rule | {"Status": _status(rule, now)}) for key, rule in sorted(self._rules.items())]

    def _put(self, call: Call) -> Answer:
        params = call.params
        name, schedule = params["Name"], params["Rule"]["Schedule"]
        _starts(schedule, self._now())  # a schedule that cannot be read is refused before anything is kept
        for alarm in _targets(params):
            if not self._exists(call.region, alarm):
                raise AwsError("ValidationError", f"Alarm {alarm} does not exist")
        kept = ("Name", "Description", "Rule", "MuteTargets")
        rule = {member: params[member] for member in kept if params.get(member) is not None}
        rule |= {member: moment(epoch(params[member])) for member in ("StartDate", "ExpireDate") if params.get(member)}
        rule["AlarmMuteRuleArn"] = f"arn:aws:cloudwatch:{call.region}:{self._account}:alarm-mute-rule:{name}"
        rule["MuteType"] = "ONE_TIME" if schedule["Expression"].startswith("at(") else "RECURRING"
        rule["LastUpdatedTimestamp"] = moment(self._now())
        self._rules[call.region, name] = rule
        return {}

    def _get(self, call: Call) -> Answer:
        name = call.params["AlarmMuteRuleName"]
        rule = self._rules.get((call.region, name))
        if rule is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"{name} does not exist",
                404,
                ResourceType="AlarmMuteRule",
                ResourceId=name,
            )
        return rule | {"Status": _status(rule, self._now())}

    def _list(self, call: Call) -> Answer:
        alarm, statuses = call.params.get("AlarmName"), call.params.get("Statuses")
        found = [
            {member: rule[member] for member in _SUMMARY if member in rule}
            for (region, _), rule in self._described()
            if region == call.region
            and (alarm is None or alarm in _targets(rule))
            and (not statuses or rule["Status"] in statuses)
        ]
        limit = int(call.params.get("MaxRecords") or 50)
        invalid = AwsError("InvalidNextToken", "The next token is not valid.")
        part, following = page(found, limit, call.params.get("NextToken"), invalid)
        return paged("AlarmMuteRuleSummaries", part, following)

    def _delete(self, call: Call) -> Answer:
        self._rules.pop((call.region, call.params["AlarmMuteRuleName"]), None)
        return {}


_SUMMARY = ("AlarmMuteRuleArn", "ExpireDate", "Status", "MuteType", "LastUpdatedTimestamp")


def _targets(rule: Mapping[str, Any]) -> Sequence[str]:
    return (rule.get("MuteTargets") or {}).get("AlarmNames") or ()


def _status(rule: Mapping[str, Any], now: float) -> str:
    """ACTIVE inside a window of its schedule, EXPIRED after its expiry or its one window, else SCHEDULED."""
    schedule = rule["Rule"]["Schedule"]
    begins, expires = rule.get("StartDate"), rule.get("ExpireDate")
    if expires is not None and now >= epoch(expires):
        return "EXPIRED"
    starts = _starts(schedule, now)
    running = [at for at in starts if at <= now < at + _duration(schedule["Duration"]).total_seconds()]
    if running and (begins is None or now >= epoch(begins)):
        return "ACTIVE"
    return "EXPIRED" if rule["MuteType"] == "ONE_TIME" and all(at < now for at in starts) else "SCHEDULED"


def _starts(schedule: Mapping[str, Any], now: float) -> list[float]:
    """When the schedule's windows that may matter now began: the one of ``at``, or cron's within the duration."""
    zone, text = _zone(schedule.get("Timezone") or "UTC"), schedule["Expression"]
    length = _duration(schedule["Duration"])
    if text.startswith("at(") and text.endswith(")"):
        try:
            return [datetime.fromisoformat(text[3:-1]).replace(tzinfo=zone).timestamp()]
        except ValueError as error:
            raise _bad(text) from error
    if not (text.startswith("cron(") and text.endswith(")")):
        raise _bad(text)
    allowed = _cron(text)
    newest = moment(now - now % 60)
    minutes = (newest - timedelta(minutes=ago) for ago in range(int(length.total_seconds() // 60) + 1))
    return [at.timestamp() for at in minutes if _fits(at.astimezone(zone), allowed)]


def _fits(at: datetime, allowed: Sequence[frozenset[int]]) -> bool:
    values = (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7)
    return all(value in field for value, field in zip(values, allowed, strict=True))


def _cron(text: str) -> list[frozenset[int]]:
    fields = text[len("cron(") : -1].split()
    if len(fields) != len(_FIELDS):
        raise _bad(text)
    try:
        return [_values(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True)]
    except ValueError as error:
        raise _bad(text) from error


def _values(field: str, low: int, high: int, names: Sequence[str]) -> frozenset[int]:
    """The values one cron field allows: ``*``, numbers or English names, ranges and lists."""
    if field == "*":
        return frozenset(range(low, high + 1))
    found: set[int] = set()
    for part in field.split(","):
        first, _, last = part.partition("-")
        ends = [names.index(end.upper()) + low if end.upper() in names else int(end) for end in (first, last or first)]
        if not low <= ends[0] <= ends[1] <= high:
            raise ValueError(part)
        found.update(range(ends[0], ends[1] + 1))
    return frozenset(found)


def _duration(text: str) -> timedelta:
    match = _DURATION.match(text)
    days, hours, minutes = (int(group or 0) for group in match.groups()) if match else (0, 0, 0)
    length = timedelta(days=days, hours=hours, minutes=minutes)
    if not timedelta(minutes=1) <= length <= _LONGEST:
        raise AwsError("ValidationError", f"Duration must be between PT1M and P15D, not {text}")
    return length


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise AwsError("ValidationError", f"Timezone {name} is not known") from error


def _bad(text: str) -> AwsError:
    return AwsError("ValidationError", f"Schedule expression {text} is neither cron(...) of five fields nor at(...)")
