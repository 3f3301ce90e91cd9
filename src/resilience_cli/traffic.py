"""What clients felt, computed from their own log: outages, RTO, shares of traffic, and the floor beneath an RTO.

Pure. A request counts at its start: one that was sent during an outage and timed out after it belongs to the outage.
A second is steady if every place sent something in it and nothing sent in it failed: a second without requests, or
one that the log does not reach the end of, shows nothing.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from .model.traffic import Closed, Connected, Floor, Outage, Requested, Resolved, TrafficLog, TrafficSecond

STEADY_S = 1.0


def outages(log: TrafficLog) -> tuple[Outage, ...]:
    """For each place with a failed request: from the start of the first one to that place's first steady second."""
    found = []
    for place in log.places:
        requests = [request for request in log.requests if request.place == place]
        failed = [request.mono for request in requests if not request.is_ok]
        if failed:
            steady = _first_steady(requests, (place,), failed[0])
            found.append(Outage(place=place, began=failed[0], steady=steady, failed=len(failed)))
    return tuple(found)


def rto(log: TrafficLog, typed_at: float) -> float | None:
    """Seconds from ``typed_at`` to the start of the first request after which no place sees a failure for a second.

    None: there was no such request in the log. ``typed_at`` is monotonic.
    """
    steady = _first_steady(log.requests, log.places, typed_at)
    return None if steady is None else steady - typed_at


def failures(log: TrafficLog) -> int:
    return sum(not request.is_ok for request in log.requests)


def acknowledged(log: TrafficLog) -> dict[str, float]:
    """The orders that were acknowledged, each with the monotonic time its client was told."""
    return {request.order: request.mono + request.took for request in log.requests if request.is_ok}


def shares(log: TrafficLog, regions: Mapping[str, str]) -> tuple[TrafficSecond, ...]:
    """Where each second's requests went, from the first request on. ``regions``: an address's Region.

    A request without an answer went where its address is. One that found no address counts in ``requests`` only.
    """
    if not log.requests:
        return ()
    zero = log.requests[0].mono
    by_second: dict[int, list[Requested]] = {}
    for request in log.requests:
        by_second.setdefault(int(request.mono - zero), []).append(request)
    return tuple(_second(second, by_second.get(second, []), regions) for second in range(max(by_second) + 1))


def floor(log: TrafficLog, changed_at: float, propagation_s: float) -> Floor:
    """The least that an RTO could have been: the propagation, then the slowest of caches and kept connections.

    ``changed_at``: when (monotonic) the authoritative answer changed. Only what the caches and connections themselves
    logged is used, never a failure: a place whose answer stayed the same had nothing to wait for, and a connection
    counts only if it was kept until its time was up.
    """
    held = {place: answer for place in log.places if (answer := _outdated(log, place, changed_at)) is not None}
    left = [answer.expires - changed_at for answer in held.values()]
    drained = [end - changed_at for place, answer in held.items() for end in _drained(log, place, answer)]
    return Floor(propagation_s=propagation_s, ttl_left_s=max((0.0, *left)), drain_s=max((0.0, *drained)))


def _outdated(log: TrafficLog, place: str, changed_at: float) -> Resolved | None:
    """The last answer this place got before the authoritative one changed, unless the next it got was the same."""
    held = next((answer for answer in reversed(_answers(log, place)) if answer.mono <= changed_at), None)
    later = _next_answer(log, place, changed_at)
    unmoved = held is not None and later is not None and set(later.addresses) == set(held.addresses)
    return None if unmoved else held


def _drained(log: TrafficLog, place: str, answer: Resolved) -> Iterator[float]:
    """When the connections ended that were made to this answer's addresses before the place got another answer."""
    later = _next_answer(log, place, answer.mono)
    here = [event for event in log.connections if event.place == place and event.address in answer.addresses]
    stale = {
        event.connection
        for event in here
        if isinstance(event, Connected) and (later is None or event.mono <= later.mono)
    }
    for event in here:
        if isinstance(event, Closed) and event.why != "failed" and event.connection in stale:
            yield event.mono


def _answers(log: TrafficLog, place: str) -> list[Resolved]:
    return [event for event in log.resolutions if isinstance(event, Resolved) and event.place == place]


def _next_answer(log: TrafficLog, place: str, after: float) -> Resolved | None:
    return next((answer for answer in _answers(log, place) if answer.mono > after), None)


def _first_steady(requests: Sequence[Requested], places: Sequence[str], since: float) -> float | None:
    """The start of the first request, at ``since`` or later, that begins a steady second for all these places."""
    failed = [request.mono for request in requests if not request.is_ok]
    starts = {place: [request.mono for request in requests if request.place == place] for place in places}
    last = requests[-1].mono if requests else since
    for request in requests[bisect_left(requests, since, key=lambda one: one.mono) :]:
        start, end = request.mono, request.mono + STEADY_S
        if last < end:
            return None
        if not _any_within(failed, start, end) and all(_any_within(sent, start, end) for sent in starts.values()):
            return start
    return None


def _any_within(times: Sequence[float], start: float, end: float) -> bool:
    """Whether one of these times, in order, is at or after ``start`` and before ``end``."""
    index = bisect_left(times, start)
    return index < len(times) and times[index] < end


def _second(second: int, requests: Sequence[Requested], regions: Mapping[str, str]) -> TrafficSecond:
    went = Counter(where for one in requests if (where := one.region or regions.get(one.address, "")))
    return TrafficSecond(
        second=second,
        requests=len(requests),
        failed=sum(not one.is_ok for one in requests),
        shares={region: went[region] / len(requests) for region in sorted(went)},
    )
