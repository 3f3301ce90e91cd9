"""One bounded look at the world: many reads at once, and whatever has not answered by the deadline is unknown.

A read that hangs is abandoned in a daemon thread: it delays neither the look nor the end of the process.
"""

import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue

from .errors import AwsTrouble, ResilError
from .model.app import App
from .model.effects import Effect
from .model.facts import Facts, PriorSwitch, Seen, Topic, Unread, ZoneRecords
from .model.readings import Reading
from .ports import Clock, Read, World

DEADLINE_S = 15.0
EVERYTHING = frozenset(Topic)
Result = Seen | AwsTrouble | ResilError | Exception


def gather(
    world: World,
    app: App,
    clock: Clock,
    *,
    topics: frozenset[Topic] = EVERYTHING,
    deadline_s: float = DEADLINE_S,
    prior_switches: tuple[PriorSwitch, ...] = (),
) -> Facts:
    """Facts about the app, within ``deadline_s`` seconds. Raises UsageError for bad credentials and the like."""
    facts = _sum(world.reads(app, topics), clock, deadline_s)
    update = {"prior_switches": prior_switches, "overrides": tuple(world.overrides())}
    return facts.model_copy(update=update)


def look_at(world: World, app: App, effect: Effect, clock: Clock, deadline_s: float) -> Facts:
    """Just the facts that tell whether one effect holds."""
    return _sum(world.reads_for(app, effect), clock, deadline_s)


def _sum(reads: Sequence[Read], clock: Clock, deadline_s: float) -> Facts:
    results = _race(reads, clock, deadline_s)
    seen: list[Seen] = []
    unread: list[Unread] = []
    unanswered: list[Reading] = []
    for read, result in zip(reads, results, strict=True):
        if isinstance(result, Seen):
            seen.append(result)
            continue
        if isinstance(result, Exception) and not isinstance(result, AwsTrouble):
            raise result
        why = f"no answer within {deadline_s:g} s" if result is None else str(result)
        unread.append(
            Unread(topic=read.topic, subject=read.subject, region=read.region, why=why, hanging=result is None)
        )
        unanswered += read.unanswered(why)
    return _merge(seen, unread, unanswered, clock)


def _race(reads: Sequence[Read], clock: Clock, deadline_s: float) -> list[Result | None]:
    """Each read's result in order; None for those that did not answer in time."""
    answers: SimpleQueue[tuple[int, Result]] = SimpleQueue()

    def ask(number: int, read: Read) -> None:
        try:
            answers.put((number, read.ask()))
        except Exception as error:  # handed to the caller's thread, which raises what it does not know
            answers.put((number, error))

    for number, read in enumerate(reads):
        threading.Thread(target=ask, args=(number, read), daemon=True, name=f"read {read.subject}").start()
    results: list[Result | None] = [None] * len(reads)
    end = clock.monotonic() + deadline_s
    for _ in reads:
        try:
            number, result = answers.get(timeout=max(0.0, end - clock.monotonic()))
        except Empty:
            break
        results[number] = result
    return results


def _merge(seen: Sequence[Seen], unread: list[Unread], unanswered: list[Reading], clock: Clock) -> Facts:
    zones: dict[str, ZoneRecords] = {}
    for one in seen:
        if one.zone is not None and (one.zone.zone.id not in zones or one.zone.whole):
            zones[one.zone.zone.id] = one.zone
    checks = {check.id: check for one in seen for check in one.checks}
    controls = {control.arn: control for one in seen for control in one.controls}
    return Facts(
        observed_at=clock.now(),
        caller=next((one.caller for one in seen if one.caller is not None), None),
        zones=tuple(zones.values()),
        checks=tuple(checks.values()),
        checks_whole=any(one.checks_whole for one in seen),
        controls=tuple(controls.values()),
        readings=tuple(reading for one in seen for reading in one.readings) + tuple(unanswered),
        answers=tuple(answer for one in seen for answer in one.answers),
        unread=tuple(unread),
    )
