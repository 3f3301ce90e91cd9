"""The data a takeover cost, by ledgers made by hand. us-east-1 takes over from us-west-2 at 100."""

import pytest

from resilience_cli.model.ledger import (
    Acknowledged,
    Arrived,
    Fate,
    Ledger,
    Moment,
    Pending,
    Suppressed,
    Written,
)
from resilience_cli.rpo import measure

WEST, EAST, OHIO = "us-west-2", "us-east-1", "us-east-2"
TAKEOVER = 100.0


def at(mono: float) -> Moment:
    return Moment(wall=1_800_000_000 + mono, mono=mono)


def arrived(mono: float) -> Fate:
    return Arrived(at=at(mono))


def suppressed(mono: float) -> Fate:
    return Suppressed(at=at(mono))


def west(order: str, when: float, fate: Fate, *, is_new: bool = True) -> Written:
    return Written(
        number=int(when), table="Orders", key=(order,), region=WEST, at=at(when), is_new=is_new, fates={EAST: fate}
    )


def east(order: str, when: float, fate: Fate | None = None, *, is_new: bool = True) -> Written:
    fates: dict[str, Fate] = {WEST: fate or Pending()}
    return Written(number=int(when), table="Orders", key=(order,), region=EAST, at=at(when), is_new=is_new, fates=fates)


def ledger(*writes: Written, dropped: int = 0) -> Ledger:
    return Ledger(now=at(200), writes=writes, dropped=dropped)


def acks(**orders: float) -> list[Acknowledged]:
    return [Acknowledged(order=order, at=when) for order, when in orders.items()]


def test_an_order_that_was_replicated_before_the_takeover_is_not_missing() -> None:
    loss = measure(acks(a=90), ledger(west("a", 90, arrived(91))), TAKEOVER, EAST)
    assert loss.acknowledged == 1
    assert loss.missing_at_takeover == loss.lost == ()
    assert loss.rpo_s == 0


def test_an_order_on_its_way_at_the_takeover_is_missing_and_arrives_later() -> None:
    loss = measure(acks(a=99.5), ledger(west("a", 99.5, arrived(100.4))), TAKEOVER, EAST)
    assert loss.missing_at_takeover == loss.later_arrived == ("a",)
    assert loss.lost == loss.later_suppressed == ()
    assert loss.rpo_s == pytest.approx(0.5)


def test_an_order_held_to_the_end_is_lost_but_known_to_be_pending() -> None:
    loss = measure(acks(a=97, b=99), ledger(west("a", 97, Pending()), west("b", 99, Pending())), TAKEOVER, EAST)
    assert loss.missing_at_takeover == loss.lost == loss.pending == ("a", "b")
    assert loss.rpo_s == 3


def test_a_held_write_that_loses_to_a_newer_one_is_suppressed_and_its_order_is_not_lost() -> None:
    loss = measure(acks(a=99), ledger(west("a", 99, suppressed(150)), east("a", 105)), TAKEOVER, EAST)
    assert loss.missing_at_takeover == loss.later_suppressed == ("a",)
    assert loss.later_arrived == loss.lost == ()


def test_an_order_that_two_regions_took_for_new_is_duplicated_whoever_was_told() -> None:
    loss = measure([], ledger(west("a", 99, suppressed(150)), east("a", 105)), TAKEOVER, EAST)
    assert loss.duplicated == ("a",)


def test_a_second_write_to_an_order_the_other_region_knew_is_no_duplicate() -> None:
    writes = ledger(west("a", 90, arrived(91)), east("a", 105, is_new=False))
    assert measure(acks(a=90), writes, TAKEOVER, EAST).duplicated == ()


def test_an_order_taken_by_the_old_region_after_the_takeover_can_be_lost_but_was_not_missing_at_it() -> None:
    loss = measure(acks(a=101), ledger(west("a", 101, Pending())), TAKEOVER, EAST)
    assert loss.missing_at_takeover == ()
    assert loss.lost == ("a",)
    assert loss.rpo_s == 0


def test_an_order_written_in_the_target_itself_is_there() -> None:
    loss = measure(acks(a=101, b=99), ledger(east("a", 101), east("b", 99)), TAKEOVER, EAST)
    assert loss.missing_at_takeover == loss.lost == ()


def test_an_acknowledged_order_nobody_wrote_is_lost() -> None:
    loss = measure(acks(a=99), ledger(), TAKEOVER, EAST)
    assert loss.missing_at_takeover == loss.lost == ("a",)
    assert loss.pending == loss.unknown == ()


def test_an_order_a_shortened_ledger_says_nothing_of_is_unknown_and_so_is_the_rpo() -> None:
    loss = measure(acks(a=10, b=99), ledger(west("b", 99, arrived(99.5)), dropped=4), TAKEOVER, EAST)
    assert loss.unknown == ("a",)
    assert loss.lost == loss.missing_at_takeover == ()
    assert loss.rpo_s is None


def test_other_tables_and_removals_are_not_orders() -> None:
    other = west("a", 90, arrived(91)).model_copy(update={"table": "Customers"})
    removed = west("a", 95, arrived(96), is_new=False).model_copy(update={"deleted": True})
    assert measure(acks(a=90), ledger(other, removed), TAKEOVER, EAST).lost == ("a",)


def test_with_three_regions_only_the_one_that_took_over_counts() -> None:
    write = west("a", 99, Pending()).model_copy(update={"fates": {EAST: Pending(), OHIO: arrived(99.5)}})
    assert measure(acks(a=99), ledger(write), TAKEOVER, EAST).lost == ("a",)
    assert measure(acks(a=99), ledger(write), TAKEOVER, OHIO).lost == ()


def test_an_order_acknowledged_twice_is_one_order() -> None:
    twice = [*acks(a=98), *acks(a=99)]
    loss = measure(twice, ledger(west("a", 98, Pending())), TAKEOVER, EAST)
    assert loss.acknowledged == 1
    assert loss.missing_at_takeover == loss.lost == ("a",)
    assert loss.rpo_s == 2


def test_a_ledger_survives_its_own_json() -> None:
    before = ledger(west("a", 99, suppressed(150)), east("a", 105), dropped=3)
    assert Ledger.model_validate_json(before.model_dump_json()) == before
