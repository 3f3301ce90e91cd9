"""The person at the terminal, and the flags that speak for one."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from resilience_cli.adapters.terminal import Preapproved, SystemClock, TerminalOperator
from resilience_cli.model.plan import Intent, Mode, Plan

PLAN = Plan(
    app="orders",
    intent=Intent(verb="failover", to="us-east-1"),
    mode=Mode.PLANNED,
    target=("us-east-1",),
    source=("us-west-2",),
    steps=(),
    guards=(),
    observed_at=datetime(2026, 7, 30, 3, 0, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("typed", "agreed"), [("orders\n", True), ("  orders \n", True), ("yes\n", False), ("ORDERS\n", False), ("", False)]
)
def test_only_the_apps_name_is_a_yes(typed: str, agreed: bool) -> None:
    questions = io.StringIO()
    assert TerminalOperator(questions, io.StringIO(typed)).approves(PLAN, "Go on?") is agreed
    assert questions.getvalue() == "Go on?\nType orders to go on, anything else to stop: "


def test_a_digest_agrees_to_its_plan_only_and_a_stub_of_it_to_none() -> None:
    other = PLAN.model_copy(update={"target": ("us-west-2",)})
    assert Preapproved(PLAN.digest).approves(PLAN, "")
    assert Preapproved(PLAN.digest[:12].upper()).approves(PLAN, "")
    assert not Preapproved(PLAN.digest).approves(other, "")
    assert not Preapproved(PLAN.digest[:11]).approves(PLAN, "")


def test_yes_agrees_to_any_plan() -> None:
    assert Preapproved().approves(PLAN, "")


def test_the_systems_clock_tells_utc_and_sleeps_no_negative_time() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(-1)
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() >= before
