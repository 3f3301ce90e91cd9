from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.signals import canaries
from resilience_cli.errors import Uncertain
from resilience_cli.model.app import Canaries
from resilience_cli.model.readings import Level, Reading

from .conftest import NOW, OBSERVER, WEST, Stub, make_app, now

RUN: dict[str, Any] = {"Status": {"State": "PASSED"}, "Timeline": {"Completed": NOW - timedelta(seconds=30)}}


def run(state: str = "PASSED", ago: float | None = 30, **status: str) -> dict[str, Any]:
    timeline = {} if ago is None else {"Completed": NOW - timedelta(seconds=ago)}
    return {"Status": {"State": state, **status}, "Timeline": timeline}


def look(sessions: Sessions, *names: str) -> list[Reading]:
    named = [{"name": name, "region": OBSERVER, "of": WEST} for name in names]
    spec = Canaries.model_validate({"kind": "canary", "canaries": named})
    (read,) = canaries.reads(spec, make_app(), sessions, now)
    return list(read.ask().readings)


def answering(stub: Stub, last: dict[str, Any] | None, state: str = "RUNNING") -> Stubber:
    answers = stub("synthetics", OBSERVER)
    answers.add_response("describe_canaries", {"Canaries": [{"Name": "c", "Status": {"State": state}}]})
    found = [] if last is None else [{"CanaryName": "c", "LastRun": last}]
    answers.add_response("describe_canaries_last_run", {"CanariesLastRun": found})
    return answers


@pytest.mark.parametrize(
    ("last", "level"),
    [
        (run("PASSED"), Level.OK),
        (run("FAILED", StateReasonCode="CANARY_FAILURE", TestResult="FAILED"), Level.BAD),
        (run("FAILED"), Level.BAD),
        (run("FAILED", StateReasonCode="EXECUTION_FAILURE"), Level.UNKNOWN),
        (run("FAILED", StateReasonCode="CANARY_FAILURE", TestResult="UNKNOWN"), Level.UNKNOWN),
        (run("PASSED", ago=181), Level.UNKNOWN),
        (run("FAILED", ago=181), Level.UNKNOWN),
        (None, Level.UNKNOWN),
    ],
)
def test_only_a_fresh_run_that_tested_the_app_says_something(
    sessions: Sessions, stub: Stub, last: dict[str, Any] | None, level: Level
) -> None:
    answering(stub, last)
    (reading,) = look(sessions, "c")
    assert reading.level is level
    assert (reading.region, reading.seen_from, reading.source) == (WEST, OBSERVER, f"canary:{OBSERVER}:c")


@pytest.mark.parametrize("state", ["STOPPED", "ERROR"])
def test_a_canary_that_does_not_run_is_unknown_whatever_it_last_said(
    sessions: Sessions, stub: Stub, state: str
) -> None:
    answering(stub, RUN, state)
    (reading,) = look(sessions, "c")
    assert reading.level is Level.UNKNOWN
    assert state in reading.evidence


def test_while_a_run_is_going_on_the_one_before_it_speaks(sessions: Sessions, stub: Stub) -> None:
    answers = answering(stub, run("RUNNING", ago=None))
    runs = {"CanaryRuns": [run("RUNNING", ago=None), run("FAILED", ago=60), run("PASSED", ago=120)]}
    answers.add_response("get_canary_runs", runs, {"Name": "c", "MaxResults": 5})
    (reading,) = look(sessions, "c")
    assert (reading.level, reading.age_s) == (Level.BAD, 60.0)


def test_a_canary_that_does_not_exist_is_unknown(sessions: Sessions, stub: Stub) -> None:
    answers = stub("synthetics", OBSERVER)
    answers.add_response("describe_canaries", {"Canaries": []})
    answers.add_response("describe_canaries_last_run", {"CanariesLastRun": []})
    (reading,) = look(sessions, "c")
    assert reading.level is Level.UNKNOWN
    assert "no canary of this name" in reading.evidence


def test_where_a_batch_is_denied_each_canary_is_asked_by_name(sessions: Sessions, stub: Stub) -> None:
    answers = stub("synthetics", OBSERVER)
    answers.add_client_error("describe_canaries", "AccessDenied", http_status_code=403)
    answers.add_client_error("describe_canaries_last_run", "AccessDenied", http_status_code=403)
    answers.add_response("get_canary_runs", {"CanaryRuns": [RUN]}, {"Name": "a", "MaxResults": 5})
    answers.add_client_error("get_canary_runs", "ResourceNotFoundException", http_status_code=404)
    found = look(sessions, "a", "b")
    assert [reading.level for reading in found] == [Level.OK, Level.UNKNOWN]


def test_names_are_asked_five_at_a_time(sessions: Sessions, stub: Stub) -> None:
    answers = stub("synthetics", OBSERVER)
    for names in (["c0", "c1", "c2", "c3", "c4"], ["c5"]):
        states = [{"Name": name, "Status": {"State": "RUNNING"}} for name in names]
        answers.add_response("describe_canaries", {"Canaries": states}, {"Names": names})
        runs = [{"CanaryName": name, "LastRun": RUN} for name in names]
        answers.add_response("describe_canaries_last_run", {"CanariesLastRun": runs}, {"Names": names})
    assert len(look(sessions, *(f"c{number}" for number in range(6)))) == 6


def test_a_region_that_does_not_answer_is_not_asked_further(sessions: Sessions, stub: Stub) -> None:
    stub("synthetics", OBSERVER).add_client_error("describe_canaries", "InternalFailure", http_status_code=500)
    with pytest.raises(Uncertain):
        look(sessions, "c")
