"""Moments on the wire and in the stores: stores count epoch seconds, answers carry aware UTC datetimes."""

from datetime import UTC, datetime
from typing import Any


def moment(at: float) -> datetime:
    """The datetime an answer carries, to the millisecond as AWS gives it."""
    return datetime.fromtimestamp(round(at, 3), UTC)


def epoch(value: Any) -> float:
    """Epoch seconds of a timestamp member, in any form a protocol's parser may leave it in (naive means UTC)."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    try:
        return float(value)
    except ValueError:
        return epoch(datetime.fromisoformat(value))
