"""The canaries of the moving world: each asks a Region's order service ``GET /canary`` every second, for real.

What comes of it is recorded as a run and as CloudWatchSynthetics' SuccessPercent and Duration in the Region the canary
runs in; alarms see it from there. A canary in a Region that is cut off goes on, but nothing of it gets out.
"""

import http.client
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .cloudwatch_metrics import MetricStore, metric_key, sample
from .synthetics import Outcome, Synthetics

EVERY_S, TIMEOUT_S = 1.0, 1.0


class Canary(NamedTuple):
    """Where it runs, and which serving Region it watches at which address."""

    name: str
    region: str
    of: str
    address: str
    port: int


class Probe(NamedTuple):
    ok: bool
    seconds: float


@dataclass(frozen=True)
class Books:
    """Where runs and metrics are written, under the sandbox's lock."""

    synthetics: Synthetics
    metrics: MetricStore
    lock: threading.RLock
    now: Callable[[], float]

    def write(self, canary: Canary, outcome: Outcome, seconds: float) -> None:
        """A stopped canary has no run, and an execution failure measures nothing of the application.

        SuccessPercent of one run is 100 or 0 (Synthetics user guide, "CloudWatch metrics published by canaries").
        """
        with self.lock:
            now = self.now()
            if not self.synthetics.record_run(canary.region, canary.name, outcome, now, seconds):
                return
            if outcome != "execution_failure":
                self._publish(canary, "SuccessPercent", now, 100.0 if outcome == "passed" else 0.0, "Percent")
                self._publish(canary, "Duration", now, 1000.0 * seconds, "Milliseconds")

    def _publish(self, canary: Canary, metric: str, now: float, value: float, unit: str) -> None:
        key = metric_key(canary.region, "CloudWatchSynthetics", metric, {"CanaryName": canary.name})
        self.metrics.publish(key, now, sample(value), unit)


class CanaryProbes:
    """A thread a canary: one that hangs on a dead Region delays no other.

    ``cut_off`` says whether nothing gets out of a Region now. ``broken``: every canary fails in itself.
    """

    def __init__(self, canaries: Sequence[Canary], books: Books, cut_off: Callable[[str], bool]) -> None:
        self._books, self._cut_off = books, cut_off
        self.broken = False
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(canary,), name=f"canary-{canary.region}-{canary.of}", daemon=True)
            for canary in canaries
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when no probe is under way: at most one timeout. A second call does nothing."""
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _run(self, canary: Canary) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            due = max(due + EVERY_S, time.monotonic())
            probe = ask(canary.address, canary.port)
            if not self._cut_off(canary.region):
                self._books.write(canary, self._outcome(probe), probe.seconds)

    def _outcome(self, probe: Probe) -> Outcome:
        if self.broken:
            return "execution_failure"
        return "passed" if probe.ok else "failed"


def ask(address: str, port: int, timeout: float = TIMEOUT_S) -> Probe:
    """One look at the service on a connection of its own. Silence is a failure: that is what a canary is for."""
    started = time.monotonic()
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", "/canary", headers={"Connection": "close"})
        with connection.getresponse() as response:
            response.read()
            ok = response.status == 200
    except (OSError, http.client.HTTPException):
        ok = False
    finally:
        connection.close()
    return Probe(ok, time.monotonic() - started)
