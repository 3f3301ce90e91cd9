"""The sandbox's AWS Health, asked directly."""

from typing import Any

import pytest

from resilience_cli.sandbox.health import Health
from resilience_cli.sandbox.service import AwsError, Call

NOON = 1_792_238_400.0


class Asked:
    def __init__(self) -> None:
        self.now = NOON
        self.service = Health(lambda: self.now)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.service.handle(Call("health", operation, "us-east-1", "AKIA", params))

    def arns(self, **wanted: Any) -> list[str]:
        return [event["arn"] for event in self("DescribeEvents", filter=wanted)["events"]]


@pytest.fixture
def health() -> Asked:
    return Asked()


def test_events_are_filtered_and_the_newest_update_comes_first(health: Asked) -> None:
    old = health.service.open("us-west-2", "DYNAMODB", "slow")
    health.now += 60
    new = health.service.open("us-east-1", "LAMBDA", "errors")
    health.now += 60
    assert health.arns() == [new, old]
    health.service.close(old)
    assert health.arns() == [old, new]
    assert health.arns(eventStatusCodes=["open"]) == [new]
    assert health.arns(regions=["us-west-2", "global"], services=["DYNAMODB"]) == [old]
    assert health.arns(eventTypeCategories=["scheduledChange"]) == []
    assert health.arns(startTimes=[{"from": NOON + 30}]) == [new]
    assert health.arns(endTimes=[{"to": NOON + 999}]) == [old]


def test_events_come_in_pages(health: Asked) -> None:
    arns = {health.service.open("us-west-2", "DYNAMODB", str(n)) for n in range(5)}
    seen: list[str] = []
    token = None
    while True:
        answer = health("DescribeEvents", maxResults=2, nextToken=token)
        seen += [event["arn"] for event in answer["events"]]
        token = answer.get("nextToken")
        if token is None:
            break
    assert len(seen) == 5
    assert set(seen) == arns
    with pytest.raises(AwsError) as error:
        health("DescribeEvents", nextToken="nonsense")
    assert error.value.code == "InvalidPaginationToken"


def test_details_name_the_events_that_are_not_there(health: Asked) -> None:
    arn = health.service.open("us-west-2", "DYNAMODB", "Elevated error rates.")
    answer = health("DescribeEventDetails", eventArns=[arn, "arn:gone"])
    assert answer["successfulSet"][0]["eventDescription"] == {"latestDescription": "Elevated error rates."}
    assert [failed["eventArn"] for failed in answer["failedSet"]] == ["arn:gone"]
    assert health("DescribeAffectedEntities", filter={"eventArns": [arn]}) == {"entities": []}


def test_without_a_support_plan_every_operation_is_refused(health: Asked) -> None:
    health.service.support_plan = False
    with pytest.raises(AwsError) as error:
        health("DescribeEvents")
    assert error.value.code == "SubscriptionRequiredException"


def test_a_status_that_does_not_exist_is_refused(health: Asked) -> None:
    with pytest.raises(AwsError, match="eventStatusCodes"):
        health.arns(eventStatusCodes=["active"])
