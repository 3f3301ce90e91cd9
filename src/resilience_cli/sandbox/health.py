"""AWS Health as the sandbox serves it: events by Region, service, category and status, behind a support plan.

Without a Business, Enterprise On-Ramp or Enterprise plan every operation answers SubscriptionRequiredException
(AWS Health API reference, welcome page).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .operations import Answer, Operation, page, paged, perform
from .service import AwsError, Call
from .timestamps import epoch, moment

_CATEGORIES = ("issue", "accountNotification", "scheduledChange", "investigation")
_STATUSES = ("open", "closed", "upcoming")


@dataclass(frozen=True)
class HealthEvent:
    """One event. ``ended`` None: it is still open."""

    arn: str
    service: str
    code: str
    region: str
    started: float
    updated: float
    ended: float | None = None
    category: str = "issue"
    scope: str = "PUBLIC"
    description: str = ""

    @property
    def status(self) -> str:
        return "open" if self.ended is None else "closed"


class Health:
    """The Service. ``support_plan`` may be switched at any time."""

    name = "health"

    def __init__(self, now: Callable[[], float], support_plan: bool = True) -> None:
        self._now = now
        self.support_plan = support_plan
        self._events: dict[str, HealthEvent] = {}
        self._operations: dict[str, Operation] = {
            "DescribeEvents": self._describe_events,
            "DescribeEventDetails": self._describe_event_details,
            "DescribeAffectedEntities": self._describe_affected_entities,
        }

    def handle(self, call: Call) -> Answer:
        if not self.support_plan:
            raise AwsError(
                "SubscriptionRequiredException",
                "You need to have a Business, Enterprise On-Ramp or Enterprise Support plan to use the AWS Health API.",
            )
        return perform(self._operations, call)

    def put(self, event: HealthEvent) -> None:
        self._events[event.arn] = event

    def open(self, region: str, service: str, description: str) -> str:
        """Open an issue now; its ARN. ``service`` is a Health service code such as DYNAMODB."""
        now = self._now()
        code = f"AWS_{service}_OPERATIONAL_ISSUE"
        arn = f"arn:aws:health:{region}::event/{service}/{code}/{code}_{len(self._events) + 1:05d}"
        self.put(HealthEvent(arn, service, code, region, now, now, description=description))
        return arn

    def close(self, arn: str) -> None:
        now = self._now()
        self._events[arn] = replace(self._events[arn], ended=now, updated=now)

    def _describe_events(self, call: Call) -> Answer:
        """Newest update first, as DescribeEvents sorts."""
        wanted = call.params.get("filter") or {}
        _check(wanted)
        found = [event for event in self._events.values() if _fits(event, wanted)]
        found.sort(key=lambda event: (-event.updated, event.arn))
        return _page(call, "events", [_summary(event) for event in found])

    def _describe_event_details(self, call: Call) -> Answer:
        arns = call.params["eventArns"]
        if not 1 <= len(arns) <= 10:
            raise AwsError("ValidationException", "eventArns must have between 1 and 10 members")
        known = [self._events[arn] for arn in arns if arn in self._events]
        unknown = [arn for arn in arns if arn not in self._events]
        return {
            "successfulSet": [
                {"event": _summary(event), "eventDescription": {"latestDescription": event.description}}
                for event in known
            ],
            "failedSet": [
                {"eventArn": arn, "errorName": "InvalidEvent", "errorMessage": "The event does not exist"}
                for arn in unknown
            ],
        }

    def _describe_affected_entities(self, call: Call) -> Answer:
        """None: the sandbox's events are public ones, which name no entity."""
        if not (call.params.get("filter") or {}).get("eventArns"):
            raise AwsError("ValidationException", "filter.eventArns must have between 1 and 10 members")
        return _page(call, "entities", [])


def _page(call: Call, key: str, items: list[Answer]) -> Answer:
    limit = int(call.params.get("maxResults") or 100)
    if not 1 <= limit <= 100:
        raise AwsError("ValidationException", "maxResults must be between 1 and 100")
    invalid = AwsError("InvalidPaginationToken", "The specified pagination token is not valid")
    part, following = page(items, limit, call.params.get("nextToken"), invalid)
    return paged(key, part, following, "nextToken")


def _check(wanted: Mapping[str, Any]) -> None:
    for member, allowed in (("eventTypeCategories", _CATEGORIES), ("eventStatusCodes", _STATUSES)):
        for value in wanted.get(member) or ():
            if value not in allowed:
                raise AwsError("ValidationException", f"{member}: {value} is not one of {', '.join(allowed)}")


def _fits(event: HealthEvent, wanted: Mapping[str, Any]) -> bool:
    """Every filter given must be met; an empty or absent one keeps all."""
    plain = {
        "eventArns": event.arn,
        "eventTypeCodes": event.code,
        "services": event.service,
        "regions": event.region,
        "eventTypeCategories": event.category,
        "eventStatusCodes": event.status,
    }
    times = {"startTimes": event.started, "endTimes": event.ended, "lastUpdatedTimes": event.updated}
    return all(not wanted.get(member) or value in wanted[member] for member, value in plain.items()) and all(
        not wanted.get(member) or any(_within(value, span) for span in wanted[member])
        for member, value in times.items()
    )


def _within(at: float | None, span: Mapping[str, Any]) -> bool:
    if at is None:
        return False
    begins, ends = span.get("from"), span.get("to")
    return (begins is None or epoch(begins) <= at) and (ends is None or at <= epoch(ends))


def _summary(event: HealthEvent) -> Answer:
    ended = {} if event.ended is None else {"endTime": moment(event.ended)}
    return {
        "arn": event.arn,
        "service": event.service,
        "eventTypeCode": event.code,
        "eventTypeCategory": event.category,
        "region": event.region,
        "startTime": moment(event.started),
        "lastUpdatedTime": moment(event.updated),
        "statusCode": event.status,
        "eventScopeCode": event.scope,
    } | ended
