"""The clients as whoever drives a world has them: a process with a plan, and its log."""

from pathlib import Path

from ..model.traffic import ClientPlan, TrafficLog
from .child import Child
from .client_log import read_log

_GRACE_S = 5.0


class Clients:
    """One run of clients. ``start`` returns when they are about to place their first orders."""

    def __init__(self, plan: ClientPlan, directory: Path, name: str = "clients") -> None:
        self._plan = plan
        self.log = directory / f"{name}.jsonl"
        self._child = Child("clients", directory / f"{name}.log")

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def start(self) -> None:
        self._child.start([f"--plan={self._plan.model_dump_json()}", f"--log={self.log}"])
        self._child.await_ready()

    def wait(self) -> bool:
        """Waits until they have placed all their orders and have all their answers. False: they have not in time."""
        return self._child.wait(self._plan.seconds + self._plan.timeout + _GRACE_S) == 0

    def stop(self) -> None:
        """Ends them now; what they have under way is still waited for and logged. A second call does nothing."""
        self._child.stop(self._plan.timeout + _GRACE_S)

    def read(self) -> TrafficLog:
        """What they saw so far."""
        return read_log(self.log)
