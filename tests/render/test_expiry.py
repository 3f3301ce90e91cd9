"""When credentials end: what is said before a run that may need longer, and in status."""

import json
from datetime import timedelta

import pytest

from resilience_cli.model.facts import Caller
from resilience_cli.model.plan import Plan
from resilience_cli.render.expiry import ending_soon, expected_s, too_short
from resilience_cli.render.formats import decision_payload
from resilience_cli.render.json_out import status_json
from resilience_cli.render.screen import Look
from resilience_cli.render.text_status import status_screen

from . import sample

WIDE = Look(100)


def plan(*expected: float | None, skipped: bool = False) -> Plan:
    """A plan whose steps are expected to take so long."""
    first = sample.plan().steps[0]
    steps = [
        first.model_copy(update={"id": f"s{n}", "expected_s": span, "skipped": "skipped" if skipped else ""})
        for n, span in enumerate(expected)
    ]
    return sample.plan().model_copy(update={"steps": tuple(steps)})


def said(left_s: float, *expected: float | None) -> str:
    return too_short(plan(*expected), sample.AT + timedelta(seconds=left_s))


def test_the_time_a_run_may_need_is_the_sum_of_its_steps_and_a_minute_at_least() -> None:
    assert expected_s(plan(300.0, None, 90.0)) == 390.0
    assert expected_s(plan(None, 5.0)) == 60.0
    assert expected_s(plan(600.0, skipped=True)) == 60.0


@pytest.mark.parametrize(
    ("left_s", "expected", "words"),
    [
        (720.0, 1200.0, "these credentials expire in 12 min; the run may need 20 min: renew them first"),
        (779.0, 1201.0, "these credentials expire in 12 min; the run may need 21 min: renew them first"),
        (45.0, None, "these credentials expire in 45 s; the run may need 60 s: renew them first"),
        (-5.0, None, "these credentials have expired; the run may need 60 s: renew them first"),
        (
            3600.0,
            9000.0,
            "these credentials expire in 1 h 0 min; the run may need 2 h 30 min: "
            "renew them first, unless they renew themselves",
        ),
        (1200.0, 1200.0, ""),
        (61.0, 5.0, ""),
    ],
)
def test_too_little_time_is_told_in_both_figures_and_enough_is_not_mentioned(
    left_s: float, expected: float | None, words: str
) -> None:
    assert said(left_s, expected) == words


def test_credentials_that_do_not_end_or_do_not_say_when_are_not_mentioned() -> None:
    assert too_short(plan(1e6), None) == ""
    assert ending_soon(None, sample.AT) == ""


def test_the_plan_says_when_the_credentials_end_and_warns_where_that_is_too_soon() -> None:
    at = sample.AT + timedelta(seconds=30)
    shown = decision_payload(plan(1200.0), "text", WIDE, expires_at=at)
    assert "CREDENTIALS  these credentials expire in 30 s; the run may need 20 min: renew them first" in shown
    assert "CREDENTIALS" not in decision_payload(plan(5.0), "text", WIDE, expires_at=at + timedelta(hours=1))
    for decision in (sample.plan(), sample.refusal(), sample.nothing()):
        told = json.loads(decision_payload(decision, "json", WIDE, expires_at=at))
        assert told["credentials_expire_at"] == "2026-07-30T03:00:35.120Z"
        assert json.loads(decision_payload(decision, "json", WIDE))["credentials_expire_at"] is None


def test_status_says_so_where_less_than_a_quarter_of_an_hour_is_left() -> None:
    def status(left_s: float) -> tuple[str, object]:
        at = sample.AT + timedelta(seconds=left_s)
        caller = Caller(account="123456789012", arn="arn:aws:sts::123456789012:assumed-role/ops/kim", expires_at=at)
        seen = sample.status().model_copy(update={"caller": caller, "observed_at": sample.AT})
        return status_screen(seen, WIDE), status_json(seen)["credentials_expire_at"]

    soon, at = status(14 * 60)
    assert "\nthese credentials expire in 14 min: renew them\n" in soon
    assert at == "2026-07-30T03:14:05.120Z"
    assert "credentials" not in status(15 * 60)[0]
    assert status_json(sample.status().model_copy(update={"caller": None}))["credentials_expire_at"] is None
