"""The thread that lets replication happen in time.

It takes the sandbox's lock for a moment at a time, and never waits while it has it.
"""

import logging
import threading
from contextlib import AbstractContextManager
from typing import Any

from .replication import Replication
from .replication_ledger import Clock

TICK_S = 0.02
BEAT_S = 5.0


class Courier:
    """Made, started, stopped: when ``stop`` returns its thread has ended."""

    def __init__(self, replication: Replication, lock: AbstractContextManager[Any], clock: Clock | None = None) -> None:
        self._replication, self._lock = replication, lock
        self._clock = clock or Clock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replication", daemon=True)

    def start(self) -> None:
        with self._lock:
            self._replication.beat()  # every table is watched before the first client can write
        self._thread.start()

    def stop(self) -> None:
        """What is still under way stays so. A second call does nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        beat_at = self._clock.mono() + BEAT_S
        while not self._stopping.wait(TICK_S):
            try:
                if self._clock.mono() >= beat_at:
                    beat_at += BEAT_S
                    with self._lock:
                        self._replication.beat()
                self._deliver()
            except Exception:  # one write that cannot be applied must not end all replication
                logging.getLogger(__name__).exception("a round of replication failed")

    def _deliver(self) -> None:
        """Batch by batch, so that a long backlog lets clients in between."""
        while self._replication.next_due <= self._clock.mono() and not self._stopping.is_set():
            with self._lock:
                self._replication.deliver()
