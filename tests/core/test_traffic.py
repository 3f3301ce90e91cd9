"""What is computed from the clients' logs: hand-made logs, answers worked out by hand."""

from collections.abc import Sequence

import pytest

from resilience_cli import traffic
from resilience_cli.model.traffic import (
    Closed,
    Connected,
    Ended,
    Requested,
    Resolved,
    TrafficEvent,
    TrafficLog,
)

WEST, EAST = "us-west-2", "us-east-1"
W, E = "127.0.2.1", "127.0.1.1"
REGIONS = {W: WEST, E: EAST}


def request(at: float, status: int = 201, place: str = "a", address: str = W, took: float = 0.01) -> Requested:
    region = REGIONS.get(address, "") if status else ""
    return Requested(
        at=at,
        mono=at,
        place=place,
        took=took,
        address=address,
        region=region,
        op="create",
        order=f"{place}-{at:g}",
        status=status,
        error="" if status else "timeout",
    )


def steadily(start: float, end: float, failing: tuple[float, float] | None = None, place: str = "a") -> list[Requested]:
    """Ten requests a second; those that start within ``failing`` get no answer."""
    times = [start + step / 10 for step in range(round((end - start) * 10))]
    bad = failing or (0.0, 0.0)
    return [request(at, status=0 if bad[0] <= at < bad[1] else 201, place=place) for at in times]


def resolved(at: float, address: str, ttl: float, place: str = "a") -> Resolved:
    return Resolved(at=at, mono=at, place=place, took=0.0, addresses=(address,), ttl=ttl, expires=at + ttl)


def kept(number: int, start: float, end: float, address: str = W, why: str = "age") -> list[TrafficEvent]:
    opened = Connected(at=start, mono=start, place="a", address=address, connection=number)
    closed = {"at": end, "mono": end, "place": "a", "address": address, "connection": number, "why": why}
    return [opened, Closed.model_validate(closed)]


def log(*events: TrafficEvent | Sequence[TrafficEvent]) -> TrafficLog:
    flat = [one for event in events for one in (event if isinstance(event, Sequence) else (event,))]
    return TrafficLog.of(flat)


def test_a_log_without_failures_has_no_outage_and_an_rto_of_the_first_request_after_the_command() -> None:
    seen = log(steadily(0, 5))
    assert traffic.outages(seen) == ()
    assert traffic.failures(seen) == 0
    assert traffic.rto(seen, 2.05) == pytest.approx(0.05)


def test_an_outage_lasts_from_the_first_failed_request_to_the_first_steady_second() -> None:
    (outage,) = traffic.outages(log(steadily(0, 8, failing=(2, 4))))
    assert (outage.began, outage.steady, outage.failed) == (2.0, 4.0, 20)
    assert outage.seconds == 2.0


def test_a_lull_shorter_than_a_second_does_not_end_an_outage() -> None:
    requests = [*steadily(0, 8, failing=(2, 3)), request(3.55, status=0)]
    (outage,) = traffic.outages(log(requests))
    assert outage.steady == pytest.approx(3.6)


def test_each_place_has_its_own_outage_and_the_rto_waits_for_the_last() -> None:
    seen = log(steadily(0, 9, failing=(2, 3)), steadily(0.05, 9, failing=(2, 5), place="b"))
    assert {outage.place: outage.steady for outage in traffic.outages(seen)} == {"a": 3.0, "b": pytest.approx(5.05)}
    assert traffic.rto(seen, 1.0) == pytest.approx(0.0)  # all was well for a second then
    assert traffic.rto(seen, 2.5) == pytest.approx(2.5)  # place a's first request after place b's last failure


def test_a_request_that_times_out_late_counts_at_its_start() -> None:
    requests = [*steadily(0, 6), request(1.95, status=0, took=2.0)]
    assert traffic.rto(log(requests), 1.5) == pytest.approx(0.5)


def test_an_outage_that_the_log_does_not_see_the_end_of_has_none() -> None:
    seen = log(steadily(0, 4.5, failing=(2, 4)))
    (outage,) = traffic.outages(seen)
    assert (outage.steady, outage.seconds) == (None, None)
    assert traffic.rto(seen, 2.0) is None


def test_a_second_in_which_a_place_sends_nothing_is_not_steady() -> None:
    silent = steadily(0, 2, place="b") + steadily(5, 8, place="b")
    seen = log(steadily(0, 8), silent)
    assert traffic.rto(seen, 2.0) == pytest.approx(2.1)  # the first second of place a's that reaches place b's again


def test_a_refusal_is_a_failure_and_an_order_that_was_there_already_is_none() -> None:
    seen = log(request(0, status=503), request(1, status=409), request(2, status=200), request(3))
    assert traffic.failures(seen) == 2
    assert traffic.acknowledged(seen) == {"a-2": pytest.approx(2.01), "a-3": pytest.approx(3.01)}


def test_an_empty_log_tells_nothing() -> None:
    seen = log(Ended(at=0, mono=0))
    assert (traffic.outages(seen), traffic.rto(seen, 0.0), traffic.shares(seen, REGIONS)) == ((), None, ())
    assert traffic.floor(seen, 0.0, 5.0).total_s == 5.0


def test_a_seconds_shares_are_of_all_its_requests_by_who_answered_or_else_by_where_they_went() -> None:
    seen = log(
        request(10.0),
        request(10.1, address=E),
        request(10.2, status=0, address=E),
        request(10.3, status=0, address=""),
        request(12.5),
    )
    first, silent, last = traffic.shares(seen, REGIONS)
    assert (first.second, first.requests, first.failed) == (0, 4, 2)
    assert first.shares == {EAST: 0.5, WEST: 0.25}
    assert (silent.requests, silent.shares) == (0, {})
    assert last.shares == {WEST: 1.0}


def test_the_floor_is_the_propagation_and_the_longest_ttl_that_was_left() -> None:
    answers = [
        *(resolved(at, W, 5.0) for at in (0.0, 5.0, 10.0)),
        resolved(15.0, E, 5.0),
        resolved(8.0, W, 5.0, place="b"),
        resolved(13.0, E, 5.0, place="b"),
    ]
    floor = traffic.floor(log(steadily(0, 20), steadily(0, 20, place="b"), answers), changed_at=11.0, propagation_s=6.0)
    assert (floor.ttl_left_s, floor.drain_s, floor.total_s) == (4.0, 0.0, 10.0)


def test_a_place_whose_answer_stayed_the_same_had_nothing_to_wait_for() -> None:
    answers = [resolved(0.0, E, 60.0), resolved(60.0, E, 60.0), resolved(8.0, W, 5.0, place="b")]
    seen = log(steadily(0, 9), steadily(0, 9, place="b"), answers)
    assert traffic.floor(seen, 10.0, 1.0).ttl_left_s == 3.0


def test_a_cache_that_was_empty_when_the_answer_changed_adds_nothing() -> None:
    seen = log(steadily(0, 9), resolved(0.0, W, 2.0), resolved(7.0, E, 2.0))
    assert traffic.floor(seen, 5.0, 1.0).total_s == 1.0


def test_a_connection_kept_to_the_old_address_until_its_time_is_up_can_be_what_takes_longest() -> None:
    caches = [resolved(0.0, W, 2.0), resolved(6.0, E, 60.0), resolved(66.0, W, 60.0)]
    connections = [
        *kept(1, 0.0, 4.0),  # over before the change
        *kept(2, 4.9, 14.9),
        *kept(3, 7.0, 90.0, address=E),
        *kept(4, 70.0, 80.0),  # of a later answer: the way back
        *kept(5, 5.5, 60.0, why="failed"),
    ]
    floor = traffic.floor(log(steadily(0, 9), caches, connections), 5.0, 1.0)
    assert floor.drain_s == pytest.approx(9.9)
    assert floor.total_s == pytest.approx(10.9)


def test_the_floor_is_the_same_however_many_requests_failed() -> None:
    answers = [resolved(0.0, W, 5.0), resolved(5.0, E, 5.0)]
    well, badly = log(steadily(0, 9), answers), log(steadily(0, 9, failing=(1, 9)), answers)
    assert traffic.floor(well, 3.0, 1.0) == traffic.floor(badly, 3.0, 1.0)


def test_events_are_put_in_order_whatever_order_they_were_written_in() -> None:
    seen = log(request(2.0), request(1.0), Ended(at=3, mono=3), resolved(0.5, W, 1.0))
    assert [one.mono for one in seen.requests] == [1.0, 2.0]
    assert seen.is_whole
    assert not log(request(1.0)).is_whole
