from datetime import timedelta
from typing import Any

import pytest

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.signals import health_events
from resilience_cli.errors import Denied, Unreachable
from resilience_cli.model.app import HealthEvents
from resilience_cli.model.readings import Level, Reading

from .conftest import EAST, NOW, WEST, Stub, make_app, now

SPEC = {"kind": "health-events", "services": ["DYNAMODB", "LAMBDA"]}
QUESTION = {
    "filter": {
        "services": ["DYNAMODB", "LAMBDA"],
        "regions": [WEST, EAST, "global"],
        "eventTypeCategories": ["issue"],
        "eventStatusCodes": ["open"],
    },
    "maxResults": 100,
}


def look(sessions: Sessions) -> tuple[Reading, ...]:
    (read,) = health_events.reads(HealthEvents.model_validate(SPEC), make_app(), sessions, now)
    return read.ask().readings


def event(region: str, **more: Any) -> dict[str, Any]:
    code = "AWS_DYNAMODB_OPERATIONAL_ISSUE"
    times = {"startTime": NOW - timedelta(minutes=20), "lastUpdatedTime": NOW - timedelta(minutes=5)}
    return {"eventTypeCode": code, "region": region, **times, **more}


def test_an_open_issue_is_bad_for_its_region_only(sessions: Sessions, stub: Stub) -> None:
    page = {"events": [event(WEST)], "nextToken": "more1"}
    answers = stub("health", EAST, elsewhere=True)
    answers.add_response("describe_events", page, QUESTION)
    answers.add_response("describe_events", {"events": []}, QUESTION | {"nextToken": "more1"})
    west, east = look(sessions)
    assert (west.region, west.level, west.age_s) == (WEST, Level.BAD, 300.0)
    assert "AWS_DYNAMODB_OPERATIONAL_ISSUE" in west.evidence
    assert "global.health.amazonaws.com" in west.evidence
    assert (east.region, east.level) == (EAST, Level.OK)


def test_a_global_issue_is_bad_everywhere(sessions: Sessions, stub: Stub) -> None:
    stub("health", EAST, elsewhere=True).add_response("describe_events", {"events": [event("global")]})
    assert [reading.level for reading in look(sessions)] == [Level.BAD, Level.BAD]


def test_without_a_support_plan_it_is_said_once_and_does_not_count(sessions: Sessions, stub: Stub) -> None:
    stub("health", EAST, elsewhere=True).add_client_error("describe_events", "SubscriptionRequiredException")
    (reading,) = look(sessions)
    assert (reading.level, reading.counts) == (Level.UNKNOWN, False)


def test_an_endpoint_that_does_not_answer_leads_to_the_next_by_its_name(sessions: Sessions, stub: Stub) -> None:
    stub("health", EAST, elsewhere=True).add_client_error("describe_events", "ServiceUnavailable", http_status_code=503)
    first = stub("health", EAST, elsewhere=True, endpoint="https://health.us-east-1.amazonaws.com")
    first.add_client_error("describe_events", "InternalFailure", http_status_code=500)
    second = stub("health", "us-east-2", elsewhere=True, endpoint="https://health.us-east-2.amazonaws.com")
    second.add_response("describe_events", {"events": []})
    assert all("health.us-east-2.amazonaws.com" in reading.evidence for reading in look(sessions))


def test_a_denial_is_not_asked_elsewhere_and_leaves_unknown_readings(sessions: Sessions, stub: Stub) -> None:
    stub("health", EAST, elsewhere=True).add_client_error("describe_events", "AccessDeniedException")
    (read,) = health_events.reads(HealthEvents.model_validate(SPEC), make_app(), sessions, now)
    with pytest.raises(Denied):
        read.ask()
    assert [(r.region, r.level) for r in read.unanswered("denied")] == [(WEST, Level.UNKNOWN), (EAST, Level.UNKNOWN)]


def test_a_configured_endpoint_is_the_only_one_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # discard: nobody listens there
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        look(Sessions())
