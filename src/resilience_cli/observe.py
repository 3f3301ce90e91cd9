"""One bounded look at the world: many reads at once, and whatever has not answered by the deadline is unknown.

A read that hangs is abandoned in a daemon thread: it delays neither the look nor the end of the process. A look may
also end sooner, when whoever asked says that no answer still missing could matter (``enough``).
"""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from .errors import AwsTrouble, NotFound
from .model.app import App
from .model.effects import Effect
from .model.facts import Facts, PriorSwitch, Seen, Topic, Unread, ZoneRecords
from .model.readings import PENDING, Reading
from .ports import Clock, Read, World

DEADLINE_S = 13.0  # with start-up, `status` stays within 15 s while a Region hangs
LULL_S = 0.05
EVERYTHING = frozenset(Topic)
Result = Seen | Exception
Enough = Callable[[Facts], bool]


def gather(
    world: World,
    app: App,
    clock: Clock,
    *,
    topics: frozenset[Topic] = EVERYTHING,
    deadline_s: float = DEADLINE_S,
    prior_switches: tuple[PriorSwitch, ...] = (),
    enough: Enough | None = None,
) -> Facts:
    """Facts about the app, within ``deadline_s`` seconds. Raises UsageError for bad credentials and the like.

    ``enough`` is asked, whenever answers have paused for ``LULL_S``, about the facts as they would be if what is
    missing never came; those readings carry the flag PENDING.
    """
    update = {"prior_switches": prior_switches, "overrides": tuple(world.overrides())}

    def complete(facts: Facts) -> Facts:
        return facts.model_copy(update=update)

    return complete(_look(world.reads(app, topics), clock, deadline_s, enough and (lambda f: enough(complete(f)))))


def look_at(world: World, app: App, effect: Effect, clock: Clock, deadline_s: float) -> Facts:
    """Just the facts that tell whether one effect holds."""
    return _look(world.reads_for(app, effect), clock, deadline_s, None)


def _look(reads: Sequence[Read], clock: Clock, deadline_s: float, enough: Enough | None) -> Facts:
    answers = _ask_all(reads)
    results: list[Result | None] = [None] * len(reads)
    start = clock.monotonic()
    left = len(reads)
    while left and (remaining := start + deadline_s - clock.monotonic()) > 0:
        try:
            number, results[number] = answers.get(timeout=min(remaining, LULL_S) if enough else remaining)
        except Empty:
            if enough and enough(_told(reads, results, clock, clock.monotonic() - start)):
                break
        else:
            left -= 1
    return _told(reads, results, clock, clock.monotonic() - start)


def _ask_all(reads: Sequence[Read]) -> SimpleQueue[tuple[int, Result]]:
    """Start every read in a thread of its own; each puts its number and result on the queue when it has one."""
    answers: SimpleQueue[tuple[int, Result]] = SimpleQueue()

    def ask(number: int, read: Read) -> None:
        try:
            answers.put((number, read.ask()))
        except Exception as error:  # handed to the caller's thread, which raises what it does not know
            answers.put((number, error))

    for number, read in enumerate(reads):
        threading.Thread(target=ask, args=(number, read), daemon=True, name=f"read {read.subject}").start()
    return answers


def _told(reads: Sequence[Read], results: Sequence[Result | None], clock: Clock, waited_s: float) -> Facts:
    """The sum of what was answered; what was not is unread, and its readings are unknown."""
    seen: list[Seen] = []
    unread: list[Unread] = []
    unanswered: list[Reading] = []
    for read, result in zip(reads, results, strict=True):
        if isinstance(result, Seen):
            seen.append(result)
            continue
        if isinstance(result, Exception) and not isinstance(result, AwsTrouble):
            raise result
        why = f"no answer within {waited_s:.1f} s" if result is None else str(result)
        hanging, missing = result is None, isinstance(result, NotFound)
        unread.append(
            Unread(
                topic=read.topic, subject=read.subject, region=read.region, why=why, hanging=hanging, missing=missing
            )
        )
        readings = read.unanswered(why)
        unanswered += [r.model_copy(update={"flag": PENDING}) for r in readings] if hanging else readings
    return _merge(seen, unread, unanswered, clock)


def _merge(seen: Sequence[Seen], unread: list[Unread], unanswered: list[Reading], clock: Clock) -> Facts:
    zones: dict[str, ZoneRecords] = {}
    for found in (one.zone for one in seen if one.zone is not None):
        known = zones.get(found.zone.id)
        zones[found.zone.id] = found if known is None else _united(known, found)
    checks = {check.id: check for one in seen for check in one.checks}
    controls = {control.arn: control for one in seen for control in one.controls}
    return Facts(
        observed_at=clock.now(),
        caller=next((one.caller for one in seen if one.caller is not None), None),
        zones=tuple(zones.values()),
        checks=tuple(checks.values()),
        checks_whole=any(one.checks_whole for one in seen),
        check_uses=tuple(use for one in seen for use in one.check_uses),
        controls=tuple(controls.values()),
        readings=tuple(reading for one in seen for reading in one.readings) + tuple(unanswered),
        answers=tuple(answer for one in seen for answer in one.answers),
        unread=(*unread, *(part for one in seen for part in one.unread)),
    )


def _united(one: ZoneRecords, other: ZoneRecords) -> ZoneRecords:
    """Two reads of one zone, which routes may name in two ways: a whole one wins, of two parts a record counts once."""
    protected = other.protected if one.protected is None else one.protected
    if one.whole or other.whole:
        return (one if one.whole else other).model_copy(update={"protected": protected})
    records = {(r.name, r.type, r.set_identifier): r for r in (*other.records, *one.records)}
    return one.model_copy(update={"records": tuple(records.values()), "protected": protected})
