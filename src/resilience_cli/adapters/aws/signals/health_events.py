"""AWS Health: open issues of the app's services in its Regions.

Source: AWS Health API reference, ``DescribeEvents`` (fields ``eventTypeCategories``, ``eventStatusCodes``,
``regions``; events of global services have the Region ``global``), and the user guide, "Endpoints for AWS Health":
us-east-1 is active and us-east-2 passive, ``global.health.amazonaws.com`` names the active one. The API needs a
Business or Enterprise support plan, and refuses with SubscriptionRequiredException without one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from ....errors import Denied, Throttled, Uncertain, Unreachable
from ....model.app import App, HealthEvents
from ....model.readings import Level, Reading, SignalKind
from ....ports import Read
from ..overrides import configured_endpoint
from ..reading import Now, age, shortened, signal_read, stamp
from ..session import Answer, Api, Sessions

GLOBAL = "global"
HOME_REGION = "us-east-1"
NEXT_ENDPOINTS = ("us-east-1", "us-east-2")
NO_PLAN = "SubscriptionRequiredException"


@dataclass(frozen=True)
class _Look:
    """One look at AWS Health for one app."""

    spec: HealthEvents
    app: App
    sessions: Sessions
    now: Now

    def readings(self) -> Iterator[Reading]:
        try:
            events, answered = self._events()
        except Denied as refusal:
            if refusal.code != NO_PLAN:
                raise
            yield self._no_plan()
            return
        for region in self.app.regions.serving:
            yield self._reading(region, events, answered)

    def _events(self) -> tuple[tuple[Answer, ...], str]:
        """The open issues, and which endpoint told: the next one is asked only if one gives no answer."""
        apis = list(self._apis())
        for number, api in enumerate(apis):
            try:
                return self._asked(api), urlsplit(api.url).hostname or api.url
            except (Uncertain, Unreachable, Throttled):
                if number == len(apis) - 1:
                    raise
        raise Uncertain("health DescribeEvents: no endpoint")

    def _apis(self) -> Iterator[Api]:
        """The endpoint the operator configured, and only that; else the global name, then each Region by its name."""
        if configured_endpoint(self.sessions, "health"):
            yield self.sessions.reader("health", HOME_REGION)
            return
        yield self.sessions.reader("health", HOME_REGION, elsewhere=True)
        for region in NEXT_ENDPOINTS:
            url = f"https://health.{region}.amazonaws.com"
            yield self.sessions.reader("health", region, endpoint=url, elsewhere=True)

    def _asked(self, api: Api) -> tuple[Answer, ...]:
        wanted = {
            "services": list(self.spec.services),
            "regions": [*self.app.regions.serving, GLOBAL],
            "eventTypeCategories": ["issue"],
            "eventStatusCodes": ["open"],
        }
        pages = api.pages("DescribeEvents", token="nextToken", filter=wanted, maxResults=100)
        return tuple(event for page in pages for event in page["events"])

    def _reading(self, region: str, events: tuple[Answer, ...], answered: str) -> Reading:
        open_ = [event for event in events if event.get("region") in (region, GLOBAL)]
        return Reading(
            kind=SignalKind.HEALTH_EVENTS,
            subject=_subject(self.spec),
            region=region,
            seen_from=GLOBAL,
            level=Level.BAD if open_ else Level.OK,
            evidence=shortened(f"{_told(open_)} ({answered})"),
            age_s=_age(self.now(), open_),
            source=f"health-events:{_subject(self.spec)}",
        )

    def _no_plan(self) -> Reading:
        return Reading(
            kind=SignalKind.HEALTH_EVENTS,
            subject=_subject(self.spec),
            region=self.app.regions.primary,
            seen_from=GLOBAL,
            level=Level.UNKNOWN,
            evidence="the account's support plan does not include the AWS Health API (SubscriptionRequiredException)",
            counts=False,
        )


def reads(spec: HealthEvents, app: App, sessions: Sessions, now: Now) -> list[Read]:
    """One read for all serving Regions: DescribeEvents filters by Region itself."""
    look = _Look(spec, app, sessions, now)

    def unanswered(why: str) -> tuple[Reading, ...]:
        return tuple(
            Reading(
                kind=SignalKind.HEALTH_EVENTS,
                subject=_subject(spec),
                region=region,
                seen_from=GLOBAL,
                level=Level.UNKNOWN,
                evidence=shortened(why),
            )
            for region in app.regions.serving
        )

    return [signal_read(f"AWS Health {_subject(spec)}", HOME_REGION, look.readings, unanswered)]


def _subject(spec: HealthEvents) -> str:
    return ",".join(spec.services)


def _told(events: list[Answer]) -> str:
    if not events:
        return "no open issue"
    first = events[0]
    since = first.get("startTime")
    told = f"{first.get('eventTypeCode', first.get('service', 'issue'))} open in {first.get('region')}"
    told += f" since {stamp(since)}" if isinstance(since, datetime) else ""
    return told + (f", and {len(events) - 1} more" if len(events) > 1 else "")


def _age(now: datetime, events: list[Answer]) -> float | None:
    """Since AWS last updated the newest of the events; what is read as "none open" is of this moment."""
    updated = [event["lastUpdatedTime"] for event in events if event.get("lastUpdatedTime")]
    return age(now, max(updated)) if updated else (None if events else 0.0)
