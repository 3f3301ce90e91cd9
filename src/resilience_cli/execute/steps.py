"""What a step says when it does not reach its end, and the parts that all steps work with."""

from collections.abc import Callable
from dataclasses import dataclass

from ..model.app import App
from ..model.facts import Facts
from ..model.plan import Plan
from ..ports import Clock, Operator, World


class StepFailed(Exception):
    """The step did not reach its end. ``uncertain``: whether it holds could not be told.

    ``stale``: someone else changed what the plan was made on. ``may_fail``: the runbook lets what failed inside fail.
    """

    def __init__(self, why: str, *, uncertain: bool = False, stale: bool = False, may_fail: bool = False) -> None:
        super().__init__(why)
        self.why, self.uncertain, self.stale, self.may_fail = why, uncertain, stale, may_fail


@dataclass(frozen=True)
class Pace:
    """How often to look while waiting, in seconds. Route 53 asks for no more than 5 requests/s per account."""

    poll_s: float = 2.0
    look_s: float = 10.0


@dataclass(frozen=True)
class Stage:
    """What a step is carried out with. ``seen``: the look that the plan was made on, where it is this command's own."""

    app: App
    plan: Plan
    world: World
    clock: Clock
    operator: Operator
    pace: Pace = Pace()
    seen: Facts | None = None

    def waits(self, seconds: float) -> Callable[[], bool]:
        """A question to ask between attempts: is there time left? Sleeps one poll when there is."""
        end = self.clock.monotonic() + seconds

        def more() -> bool:
            left = end - self.clock.monotonic()
            if left <= 0:
                return False
            self.clock.sleep(min(self.pace.poll_s, left))
            return True

        return more
