"""What was observed: readings of signals, and the verdict per Region drawn from them."""

from enum import StrEnum

from .base import Region, Value


class SignalKind(StrEnum):
    """The Guidance's five kinds of signal, and replication."""

    HEALTH_EVENTS = "health-events"
    ALARM = "alarm"
    CANARY = "canary"
    METRIC = "metric"
    ENDPOINT = "endpoint"
    REPLICATION = "replication"


class Level(StrEnum):
    """UNKNOWN covers denied, throttled, timed out, stale and empty: never read as ok, never as bad."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


PENDING = "no answer yet"  # the flag of a reading whose read has not answered


class Reading(Value):
    """One signal, seen once.

    ``region`` is the Region it is about, ``seen_from`` the Region it was read in (or "here"). ``source`` names what
    was measured: readings that share one count once. ``counts`` is False for what is shown but must not decide
    (no support plan, not applicable). ``age_s`` is the evidence's age when read; ``flag`` a warning, such as "muted".
    """

    kind: SignalKind
    subject: str
    region: Region
    seen_from: str
    level: Level
    evidence: str
    age_s: float | None = None
    source: str = ""
    counts: bool = True
    flag: str = ""
    lag_s: float | None = None


class Judged(StrEnum):
    HEALTHY = "healthy"
    IMPAIRED = "impaired"
    UNKNOWN = "unknown"


class Verdict(Value):
    """What the readings about one Region add up to, with the arithmetic in ``why``."""

    region: Region
    verdict: Judged
    why: str
    bad_kinds: tuple[SignalKind, ...] = ()
    ok: int = 0
    bad: int = 0
    unknown: int = 0
