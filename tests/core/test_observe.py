"""One bounded look: what answers is taken, what does not is told, and nothing is waited for beyond the deadline."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from resilience_cli.adapters.memory import MemoryWorld, RehearsalClock
from resilience_cli.errors import Denied, UsageError
from resilience_cli.model.app import App
from resilience_cli.model.facts import CheckUse, Seen, Topic, Unread, ZoneRecords
from resilience_cli.model.readings import PENDING, Level
from resilience_cli.observe import gather
from resilience_cli.ports import Read

from . import builders as b

APP = b.weighted_app()


class Reads(MemoryWorld):
    """A world of just these reads."""

    def __init__(self, *reads: Read) -> None:
        super().__init__(b.facts(APP))
        self._reads = reads

    def reads(self, app: App, topics: frozenset[Topic]) -> Sequence[Read]:
        return self._reads


class RealClock(RehearsalClock):
    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def never() -> Iterator[Read]:
    """A read that hangs until the test is over."""
    over = threading.Event()

    def hang() -> Seen:
        over.wait(10)
        return Seen()

    yield Read(
        Topic.SIGNALS,
        "hanging canary",
        b.WEST,
        hang,
        lambda why: (b.reading("canary", b.WEST, "unknown", evidence=why),),
    )
    over.set()


def gives(seen: Seen, topic: Topic = Topic.RECORDS) -> Read:
    return Read(topic, "something", b.WEST, lambda: seen)


def raises(error: Exception) -> Read:
    def ask() -> Seen:
        raise error

    return Read(
        Topic.SIGNALS, "canaries", b.WEST, ask, lambda why: (b.reading("canary", b.WEST, "unknown", evidence=why),)
    )


def test_everything_memory_knows_is_seen_again() -> None:
    facts = b.facts(APP)
    seen = gather(MemoryWorld(facts), APP, RehearsalClock(b.NOON))
    assert (seen.caller, seen.zones, seen.checks, seen.readings) == (
        facts.caller,
        facts.zones,
        facts.checks,
        facts.readings,
    )
    assert seen.unread == ()


def test_a_look_may_be_narrowed_to_topics() -> None:
    seen = gather(MemoryWorld(b.facts(APP)), APP, RehearsalClock(b.NOON), topics=frozenset({Topic.RECORDS}))
    assert seen.zones
    assert (seen.caller, seen.readings, seen.answers) == (None, (), ())


def test_what_is_denied_is_unread_and_its_readings_unknown_with_the_reason() -> None:
    seen = gather(Reads(raises(Denied("cloudwatch:DescribeAlarms is not allowed"))), APP, RehearsalClock(b.NOON))
    (unread,) = seen.unread
    assert (unread.subject, unread.hanging) == ("canaries", False)
    (reading,) = seen.readings
    assert (reading.level, reading.evidence) == (Level.UNKNOWN, "cloudwatch:DescribeAlarms is not allowed")


def test_what_hangs_is_left_at_the_deadline_and_the_rest_is_kept(never: Read) -> None:
    zone = ZoneRecords(zone=b.ZONE, records=())
    began = time.monotonic()
    seen = gather(Reads(never, gives(Seen(zone=zone))), APP, RealClock(b.NOON), deadline_s=0.2)
    assert time.monotonic() - began < 2
    assert seen.zones == (zone,)
    assert [unread.hanging for unread in seen.unread] == [True]
    assert [reading.flag for reading in seen.readings] == [PENDING]


def test_a_look_ends_as_soon_as_no_missing_answer_could_matter(never: Read) -> None:
    began = time.monotonic()
    seen = gather(Reads(never), APP, RealClock(b.NOON), deadline_s=10, enough=lambda facts: True)
    assert time.monotonic() - began < 5
    assert [unread.subject for unread in seen.unread] == ["hanging canary"]


@pytest.mark.parametrize("error", [UsageError("no credentials"), ZeroDivisionError("a bug")])
def test_what_is_the_operator_s_to_mend_or_a_bug_is_not_taken_for_an_unread_signal(error: Exception) -> None:
    with pytest.raises(type(error)):
        gather(Reads(raises(error)), APP, RehearsalClock(b.NOON))


def test_a_zone_read_whole_wins_over_one_read_in_part() -> None:
    part = ZoneRecords(zone=b.ZONE, records=(), whole=False)
    whole = ZoneRecords(zone=b.ZONE, records=b.records("weighted", b.TWO, {}), whole=True)
    for order in ((part, whole), (whole, part)):
        reads = [gives(Seen(zone=zone)) for zone in order]
        assert gather(Reads(*reads), APP, RehearsalClock(b.NOON)).zones == (whole,)


def test_two_reads_of_parts_of_one_zone_add_up_each_record_once() -> None:
    """Routes may name one zone in two ways, by its name and by its id."""
    api = b.records("weighted", b.TWO, {})
    web = b.records("weighted", b.TWO, {}, name="web.example.com.")
    parts = (
        ZoneRecords(zone=b.ZONE, records=api),
        ZoneRecords(zone=b.ZONE, records=(*api[:1], *web), protected=("web.example.com. A",)),
    )
    for order in (parts, parts[::-1]):
        reads = [gives(Seen(zone=zone)) for zone in order]
        (zone,) = gather(Reads(*reads), APP, RehearsalClock(b.NOON)).zones
        assert sorted(map(repr, zone.records)) == sorted(map(repr, (*api, *web)))
        assert (zone.whole, zone.protected) == (False, ("web.example.com. A",))


def test_a_read_that_brought_a_part_tells_what_it_did_not_bring() -> None:
    part = Unread(topic=Topic.CHECKS, subject="other zones", region=b.EAST, why="more than 50 other hosted zones")
    use = CheckUse(check_id="c", zone_id="Z9", zone="example.org.", name="www.example.org.", type="A")
    seen = gather(Reads(gives(Seen(check_uses=(use,), unread=(part,)))), APP, RehearsalClock(b.NOON))
    assert (seen.check_uses, seen.unread) == ((use,), (part,))
