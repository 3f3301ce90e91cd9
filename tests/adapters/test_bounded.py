"""Time counted as a whole, over one call and over several places."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from resilience_cli.adapters.aws.bounded import NobodyAnswered, Patience, Place, first_answer, within
from resilience_cli.errors import Denied, Uncertain

SHORT = Patience(silence_s=0.05, whole_s=0.4)


@pytest.fixture
def hangs() -> Iterator[Callable[[], str]]:
    """Something that answers only when the test is over."""
    over = threading.Event()

    def ask() -> str:
        over.wait(30)
        return "too late"

    yield ask
    over.set()


def never(error: Exception) -> bool:
    return False


def fails(error: Exception) -> Callable[[], str]:
    def ask() -> str:
        raise error

    return ask


def noted(name: str, asked: list[str]) -> Place[str]:
    """A place that answers with its name, and notes that it was asked."""

    def ask() -> str:
        asked.append(name)
        return name

    return Place(name, ask)


def test_an_answer_in_time_is_the_answer_and_an_error_is_raised_here() -> None:
    assert within(1, "route53 GetChange", lambda: 7) == 7
    with pytest.raises(Denied, match="no"):
        within(1, "route53 GetChange", fails(Denied("no")))


def test_no_whole_answer_in_time_is_uncertain_and_names_the_call(hangs: Callable[[], str]) -> None:
    began = time.monotonic()
    with pytest.raises(Uncertain, match=r"route53 ChangeResourceRecordSets: no whole answer within 0\.1 s"):
        within(0.1, "route53 ChangeResourceRecordSets", hangs)
    assert time.monotonic() - began < 2


def test_time_that_is_spent_already_is_not_waited_for(hangs: Callable[[], str]) -> None:
    with pytest.raises(Uncertain):
        within(-1, "route53 GetChange", hangs)


def test_places_are_asked_in_order_and_the_first_that_answers_ends_it() -> None:
    asked: list[str] = []
    assert first_answer([noted("a", asked), noted("b", asked)], SHORT, never) == "a"
    assert asked == ["a"]


def test_a_silent_place_delays_the_next_by_the_silence_only(hangs: Callable[[], str]) -> None:
    began = time.monotonic()
    places = [Place("a", hangs), Place("b", fails(Uncertain("reset"))), Place("c", lambda: "c")]
    assert first_answer(places, Patience(0.05, 10), never) == "c"
    assert time.monotonic() - began < 2


def test_a_late_answer_of_an_earlier_place_counts_too() -> None:
    second = threading.Event()

    def first() -> str:
        second.wait(5)
        return "a"

    def hang() -> str:
        second.set()
        time.sleep(0.5)
        return "b"

    assert first_answer([Place("a", first), Place("b", hang)], Patience(0.02, 5), never) == "a"


def test_when_nobody_answers_each_is_told_with_what_it_said(hangs: Callable[[], str]) -> None:
    began = time.monotonic()
    with pytest.raises(NobodyAnswered) as told:
        first_answer([Place("a", hangs), Place("b", fails(Uncertain("reset")))], SHORT, never)
    assert str(told.value) == "a (no answer within 0.4 s); b (reset)"
    assert [str(error) for error in told.value.errors] == ["reset"]
    assert time.monotonic() - began < 2


def test_an_error_that_would_be_the_same_anywhere_is_not_asked_for_again() -> None:
    asked: list[str] = []
    places = [Place("a", fails(Denied("no"))), noted("b", asked)]
    with pytest.raises(NobodyAnswered, match=r"a \(no\)"):
        first_answer(places, SHORT, lambda error: isinstance(error, Denied))
    assert asked == []
