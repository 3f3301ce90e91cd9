"""The sandbox's call log: one request a line."""

from collections.abc import Sequence
from dataclasses import asdict

from ..sandbox.calls import Entry
from .json_out import dumps
from .plain import clean


def calls_text(calls: Sequence[Entry]) -> str:
    """Columns: time, service, operation, Region, caller, outcome; a value that is not there is a dash."""
    rows = [
        [clean(value or "-") for value in (c.time, c.service, c.operation, c.region, c.caller, c.outcome)]
        for c in calls
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(v.ljust(w) for v, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)


def calls_json(calls: Sequence[Entry]) -> str:
    return dumps({"schema": 1, "calls": [asdict(call) for call in calls]})
