"""The sandbox's CloudWatch Synthetics, asked directly."""

from typing import Any

import pytest

from resilience_cli.sandbox.service import AwsError, Call
from resilience_cli.sandbox.synthetics import Synthetics

NOON = 1_792_238_400.0
WEST, OBSERVER = "us-west-2", "us-east-2"


class Asked:
    def __init__(self) -> None:
        self.now = NOON
        self.service = Synthetics(lambda: self.now)
        for region, name in ((WEST, "orders-own"), (OBSERVER, "orders-east"), (OBSERVER, "orders-west")):
            self.service.create(region, name)

    def __call__(self, operation: str, region: str = OBSERVER, **params: Any) -> dict[str, Any]:
        return self.service.handle(Call("synthetics", operation, region, "AKIA", params))


@pytest.fixture
def synthetics() -> Asked:
    return Asked()


def test_the_last_run_of_each_canary_is_told_and_one_without_a_run_is_left_out(synthetics: Asked) -> None:
    synthetics.service.record_run(OBSERVER, "orders-west", "passed", NOON - 60)
    synthetics.service.record_run(OBSERVER, "orders-west", "failed", NOON - 1)
    (last,) = synthetics("DescribeCanariesLastRun")["CanariesLastRun"]
    assert last["CanaryName"] == "orders-west"
    assert last["LastRun"]["Status"]["State"] == "FAILED"
    assert last["LastRun"]["Status"]["StateReasonCode"] == "CANARY_FAILURE"
    assert last["LastRun"]["Timeline"]["Completed"].timestamp() == NOON - 1


def test_an_execution_failure_is_not_the_applications_failure(synthetics: Asked) -> None:
    synthetics.service.record_run(OBSERVER, "orders-west", "execution_failure", NOON)
    (run,) = synthetics("GetCanaryRuns", Name="orders-west")["CanaryRuns"]
    assert run["Status"]["StateReasonCode"] == "EXECUTION_FAILURE"
    assert run["Status"]["TestResult"] == "UNKNOWN"


def test_a_stopped_canary_grows_stale_and_can_be_started_again(synthetics: Asked) -> None:
    assert synthetics.service.record_run(OBSERVER, "orders-west", "passed", NOON)
    synthetics("StopCanary", Name="orders-west")
    assert not synthetics.service.record_run(OBSERVER, "orders-west", "passed", NOON + 60)
    (run,) = synthetics("GetCanaryRuns", Name="orders-west")["CanaryRuns"]
    assert run["Timeline"]["Completed"].timestamp() == NOON
    assert synthetics("GetCanary", Name="orders-west")["Canary"]["Status"]["State"] == "STOPPED"
    with pytest.raises(AwsError) as error:
        synthetics("StopCanary", Name="orders-west")
    assert error.value.code == "ConflictException"
    synthetics("StartCanary", Name="orders-west")
    assert synthetics("GetCanary", Name="orders-west")["Canary"]["Status"]["State"] == "RUNNING"


def test_runs_come_newest_first_in_pages(synthetics: Asked) -> None:
    for n in range(5):
        synthetics.service.record_run(OBSERVER, "orders-west", "passed", NOON + n)
    first = synthetics("GetCanaryRuns", Name="orders-west", MaxResults=3)
    rest = synthetics("GetCanaryRuns", Name="orders-west", MaxResults=3, NextToken=first["NextToken"])
    completed = [run["Timeline"]["Completed"].timestamp() for run in first["CanaryRuns"] + rest["CanaryRuns"]]
    assert completed == [NOON + n for n in (4, 3, 2, 1, 0)]
    assert "NextToken" not in rest


def test_canaries_belong_to_their_region_and_at_most_five_names_are_asked_for(synthetics: Asked) -> None:
    assert [canary["Name"] for canary in synthetics("DescribeCanaries", WEST)["Canaries"]] == ["orders-own"]
    names = [canary["Name"] for canary in synthetics("DescribeCanaries", Names=["orders-west", "gone"])["Canaries"]]
    assert names == ["orders-west"]
    with pytest.raises(AwsError) as error:
        synthetics("DescribeCanariesLastRun", Names=[str(n) for n in range(6)])
    assert error.value.code == "ValidationException"
    with pytest.raises(AwsError) as error:
        synthetics("GetCanaryRuns", WEST, Name="orders-west")
    assert error.value.code == "ResourceNotFoundException"
