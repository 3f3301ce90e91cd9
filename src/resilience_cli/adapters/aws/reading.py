"""Small things every read is made of: names of what was measured, ages, and turning no answer into unknown."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Generic, TypeVar

from ...errors import AwsTrouble, ResilError, Uncertain
from ...model.facts import Seen, Topic
from ...model.readings import Reading
from ...ports import Read

T = TypeVar("T")
Now = Callable[[], datetime]
EVIDENCE_LENGTH = 240


def signal_read(
    subject: str,
    region: str,
    ask: Callable[[], Iterable[Reading]],
    unanswered: Callable[[str], tuple[Reading, ...]],
) -> Read:
    """A read of a signal. An answer of an unexpected shape is no answer: unknown, not a crash."""
    return Read(
        topic=Topic.SIGNALS,
        subject=subject,
        region=region,
        ask=legible(subject, lambda: Seen(readings=tuple(ask()))),
        unanswered=unanswered,
    )


def legible(what: str, ask: Callable[[], T]) -> Callable[[], T]:
    """``ask``, with an answer that lacks what the service's model promises told as Uncertain."""

    def asked() -> T:
        try:
            return ask()
        except (AwsTrouble, ResilError):
            raise
        except (LookupError, TypeError, ValueError, AttributeError, OSError) as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise Uncertain(f"{what}: an answer that cannot be read ({reason})") from error

    return asked


class Once(Generic[T]):
    """An answer shared by several reads of one look: asked for once, by whichever needs it first. So is its failure."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._said: list[T | Exception] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._said:
                try:
                    self._said.append(self._ask())
                except Exception as error:
                    self._said.append(error)
        said = self._said[0]
        if isinstance(said, Exception):
            raise said
        return said


def canary_source(region: str, name: str) -> str:
    """What a canary measures, and what an alarm on the canary's metric measures too."""
    return f"canary:{region}:{name}"


def metric_source(region: str, namespace: str, metric: str, dimensions: Iterable[tuple[str, str]]) -> str:
    """What a metric measures, and what an alarm on that metric measures too."""
    named = ",".join(f"{name}={value}" for name, value in sorted(dimensions))
    return f"metric:{region}:{namespace}:{metric}:{named}"


def age(now: datetime, then: datetime | None) -> float | None:
    """Seconds since then; never negative, for clocks differ."""
    return None if then is None else max(0.0, round((now - then).total_seconds(), 1))


def stamp(then: datetime) -> str:
    """A moment in UTC, for evidence: the SDK gives local times."""
    return f"{then.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def shortened(text: str) -> str:
    """One line of evidence."""
    line = " ".join(text.split())
    return line if len(line) <= EVIDENCE_LENGTH else line[: EVIDENCE_LENGTH - 1] + "…"


def batches(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in order, at most ``size`` together."""
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch
