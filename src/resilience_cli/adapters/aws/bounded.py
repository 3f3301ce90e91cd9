"""Waiting no longer than was said, whatever the socket does: for one answer, and for the first of several places.

The SDK's own limits are for each connection attempt and each read of a socket: a host with many addresses is tried
at each of them, and an answer that comes a byte at a time never times out. Here the time is counted as a whole. What
is no longer waited for goes on in a daemon thread, and holds up neither the caller nor the end of the process.
"""

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from ...errors import Uncertain

T = TypeVar("T")


def within(seconds: float, what: str, ask: Callable[[], T]) -> T:
    """``ask``'s answer. Uncertain when it has not come whole in time: the request may well have been carried out."""
    answers: SimpleQueue[tuple[str, T | Exception]] = SimpleQueue()
    _begin(what, ask, answers)
    try:
        _, answer = answers.get(timeout=max(seconds, 0.0))
    except Empty:
        raise Uncertain(f"{what}: no whole answer within {seconds:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class Place(NamedTuple, Generic[T]):
    """Somewhere that could answer: its name, and how to ask there."""

    name: str
    ask: Callable[[], T]


class NobodyAnswered(Exception):
    """No place answered. ``told``: what each of them said, and of those that said nothing, so."""

    def __init__(self, told: Sequence[tuple[str, Exception | None]], seconds: float) -> None:
        said = (f"{name} ({error or f'no answer within {seconds:g} s'})" for name, error in told)
        super().__init__("; ".join(said))
        self.errors = tuple(error for _, error in told if error is not None)


class Patience(NamedTuple):
    """``silence_s``: how long one place is waited for alone; ``whole_s``: all of them together."""

    silence_s: float = 1.5
    whole_s: float = 9.0


PATIENCE = Patience()


def first_answer(places: Sequence[Place[T]], patience: Patience, is_final: Callable[[Exception], bool]) -> T:
    """The first answer. The next place is asked when one fails, and as well when one has been silent for a while.

    An error that ``is_final`` would be the same anywhere: no further place is asked. Raises NobodyAnswered.
    """
    answers: SimpleQueue[tuple[str, T | Exception]] = SimpleQueue()
    end = time.monotonic() + patience.whole_s
    waiting, told = list(places), dict[str, Exception | None]()
    while waiting or None in told.values():
        if waiting:
            place = waiting.pop(0)
            told[place.name] = None
            _begin(place.name, place.ask, answers)
        left = end - time.monotonic()
        try:
            name, answer = answers.get(timeout=max(min(left, patience.silence_s) if waiting else left, 0.0))
        except Empty:
            if time.monotonic() >= end:
                break
            continue
        if not isinstance(answer, Exception):
            return answer
        told[name] = answer
        waiting = [] if is_final(answer) else waiting
    raise NobodyAnswered(list(told.items()), patience.whole_s)


def _begin(what: str, ask: Callable[[], T], answers: "SimpleQueue[tuple[str, T | Exception]]") -> None:
    def run() -> None:
        try:
            answers.put((what, ask()))
        except Exception as error:  # handed to whoever waits, in their own thread
            answers.put((what, error))

    threading.Thread(target=run, daemon=True, name=what).start()
