"""Writing a journal: entries numbered, stamped, durable before they are handed on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..model.run import Entry, EntryBase
from ..ports import Clock, JournalStore


@dataclass
class Pen:
    """Appends entries to one run's journal. ``write`` returns only when the entry is durable."""

    store: JournalStore
    clock: Clock
    run: str
    seq: int = 0
    written: Callable[[Entry], None] = field(default=lambda entry: None)

    def write(self, kind: Callable[..., Any], **fields: Any) -> Entry:
        self.seq += 1
        entry: Entry = kind(seq=self.seq, at=self.now(), **fields)
        assert isinstance(entry, EntryBase), "only entries are written"
        self.store.append(self.run, entry)
        self.written(entry)
        return entry

    def now(self) -> datetime:
        return self.clock.now()
