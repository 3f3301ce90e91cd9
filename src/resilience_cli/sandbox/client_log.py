"""The clients' log: one event a line, as JSON, in one file. Written by ``clients``, read back as a ``TrafficLog``."""

import time
from pathlib import Path
from typing import TextIO

from pydantic import TypeAdapter

from ..model.traffic import TrafficEvent, TrafficLog

_EVENT: TypeAdapter[TrafficEvent] = TypeAdapter(TrafficEvent)
_FLUSH_EVERY_S = 0.25


class LogWriter:
    """Appends events. What was written a quarter of a second ago is in the file; ``close`` writes the rest."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._flushed = 0.0
        self._ahead = time.time() - time.monotonic()

    def add(self, event: TrafficEvent) -> None:
        self._file.write(event.model_dump_json() + "\n")
        now = time.monotonic()
        if now - self._flushed >= _FLUSH_EVERY_S:
            self._file.flush()
            self._flushed = now

    def wall(self, mono: float) -> float:
        """The wall's time of a monotonic one, by the wall as it was when the log began."""
        return self._ahead + mono


def read_log(path: Path) -> TrafficLog:
    """The log so far. A last line cut short (its writer still writes, or was killed) is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return TrafficLog.of(_EVENT.validate_json(line) for line in whole)
