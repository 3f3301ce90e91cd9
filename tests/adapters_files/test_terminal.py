"""The person at the terminal, and the flags that speak for one."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def terminal() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """Where a person types, and what resil reads there."""
    typing, reading = os.openpty()
    try:
        with os.fdopen(reading, encoding="utf-8") as answers:
            yield typing, answers
    finally:
        os.close(typing)


class Answers(io.StringIO):
    """Somebody who types the answer when the question is there."""

    def __init__(self, typing: int, text: bytes) -> None:
        super().__init__()
        self.typing, self.text = typing, text

    def flush(self) -> None:
        os.write(self.typing, self.text)


@pytest.mark.parametrize(("then", "agreed"), [(b"no\n", False), (b"orders\n", True)])
def test_what_was_typed_before_the_question_was_seen_agrees_to_nothing(then: bytes, agreed: bool) -> None:
    with terminal() as (typing, answers):
        os.write(typing, b"orders\n" if not agreed else b"no\n")
        assert TerminalOperator(Answers(typing, then), answers).approves(PLAN, "Go on?") is agreed


def test_what_comes_through_a_pipe_was_put_there_on_purpose() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"orders\n")
    os.close(writing)
    with os.fdopen(reading) as answers:
        assert TerminalOperator(io.StringIO(), answers).approves(PLAN, "Go on?")


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
