"""Writing a journal: entries numbered, stamped, durable before they are handed on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import Incomplete, UsageError
from ..model.run import Entry, EntryBase, Performing
from ..ports import Clock, JournalStore


@dataclass
class Pen:
    """Appends entries to one run's journal. ``write`` returns only when the entry is durable.

    ``asked``: an effect was asked for, so that a journal that fails from here on leaves something changed.
    """

    store: JournalStore
    clock: Clock
    run: str
    seq: int = 0
    asked: bool = False

    def write(self, kind: Callable[..., Any], **fields: Any) -> Entry:
        """Raises UsageError where the journal can't be written and nothing was asked for yet, else Incomplete."""
        entry: Entry = kind(seq=self.seq + 1, at=self.clock.now(), **fields)
        assert isinstance(entry, EntryBase), "only entries are written"
        try:
            self.store.append(self.run, entry)
        except UsageError as lost:
            if not self.asked:
                raise
            raise Incomplete(
                f"run {self.run} stopped after asking for a change: its journal can't be written ({lost.message})",
                hint=f"make room, then: resil runs resume {self.run}",
            ) from lost
        self.seq += 1
        self.asked = self.asked or isinstance(entry, Performing)
        return entry

    def catch_up(self) -> None:
        """Read off the journal how far it is: an interruption may have come between writing and counting."""
        told = self.store.entries(self.run)
        self.seq = told[-1].seq if told else 0
        self.asked = any(isinstance(entry, Performing) for entry in told)
