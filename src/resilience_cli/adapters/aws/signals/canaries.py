"""CloudWatch Synthetics canaries: what their last finished run said, and whether that is still news.

Source: CloudWatch Synthetics API reference. ``DescribeCanaries`` and ``DescribeCanariesLastRun`` take at most five
``Names``; ``CanaryRunStatus.StateReasonCode`` EXECUTION_FAILURE is the canary's own trouble (it could not store its
artifacts), not the app's; ``CanaryStatus.State`` STOPPED and ERROR mean that no further run is to come.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ....errors import Denied, Malformed, NotFound
from ....model.app import App, Canaries, CanaryName
from ....model.readings import Level, Reading, SignalKind
from ....ports import Read
from ..reading import Now, age, batches, canary_source, shortened, signal_read
from ..session import Answer, Api, Sessions

NAMES_A_CALL = 5
IDLE = ("STOPPED", "ERROR")
RECENT_RUNS = 5
REFUSALS = (Denied, Malformed, NotFound)  # one call is refused; a Region that does not answer is not asked further


@dataclass(frozen=True)
class _Look:
    """One look at the canaries that run in one Region."""

    spec: Canaries
    api: Api
    canaries: tuple[CanaryName, ...]
    now: Now

    def readings(self) -> Iterator[Reading]:
        for batch in batches(self.canaries, NAMES_A_CALL):
            names = [canary.name for canary in batch]
            states = self._states(names)
            runs = self._last_runs(names)
            for canary in batch:
                yield self._reading(canary, states, runs)

    def _states(self, names: list[str]) -> dict[str, Answer] | None:
        """Each canary's own state; None where that is not allowed, and the runs alone must tell."""
        try:
            pages = list(self.api.pages("DescribeCanaries", Names=names))
        except REFUSALS:
            return None
        return {canary["Name"]: canary.get("Status", {}) for page in pages for canary in page["Canaries"]}

    def _last_runs(self, names: list[str]) -> dict[str, list[Answer]]:
        """The newest runs by canary. A permission that stops at one name refuses the whole batch: then one by one."""
        try:
            pages = list(self.api.pages("DescribeCanariesLastRun", Names=names))
        except REFUSALS:
            return {name: self._recent(name) for name in names}
        runs: dict[str, list[Answer]] = {name: [] for name in names}
        for page in pages:
            for last in page["CanariesLastRun"]:
                runs.setdefault(last["CanaryName"], []).append(last.get("LastRun", {}))
        return runs

    def _recent(self, name: str) -> list[Answer]:
        try:
            runs: list[Answer] = self.api.patiently("GetCanaryRuns", Name=name, MaxResults=RECENT_RUNS)["CanaryRuns"]
        except NotFound:
            return []
        return runs

    def _reading(self, canary: CanaryName, states: dict[str, Answer] | None, runs: dict[str, list[Answer]]) -> Reading:
        state = None if states is None else states.get(canary.name)
        if states is not None and state is None:
            return _unknown(canary, f"no canary of this name in {canary.region}")
        if state is not None and state.get("State") in IDLE:
            return _unknown(canary, f"the canary is {state['State']}: {state.get('StateReason') or 'no further runs'}")
        finished = _newest(runs[canary.name])
        if finished is None and runs[canary.name]:
            # The last run is still going on: what did the one before it say?
            finished = _newest(self._recent(canary.name))
        return self._judged(canary, finished)

    def _judged(self, canary: CanaryName, run: Answer | None) -> Reading:
        if run is None:
            return _unknown(canary, "no finished run")
        old = age(self.now(), run["Timeline"]["Completed"])
        level, said = _verdict(run["Status"])
        if old is not None and old > self.spec.max_age:
            level, said = Level.UNKNOWN, f"stale: {said} {old:.0f} s ago, older than {self.spec.max_age:.0f} s"
        return _unknown(canary, said).model_copy(update={"level": level, "age_s": old})


def reads(spec: Canaries, app: App, sessions: Sessions, now: Now) -> list[Read]:
    """One read for each Region that canaries run in."""
    del app
    regions = dict.fromkeys(canary.region for canary in spec.canaries)
    return [
        _read(spec, sessions, now, region, tuple(c for c in spec.canaries if c.region == region)) for region in regions
    ]


def _read(spec: Canaries, sessions: Sessions, now: Now, region: str, canaries: tuple[CanaryName, ...]) -> Read:
    def ask() -> Iterable[Reading]:
        return _Look(spec, sessions.reader("synthetics", region), canaries, now).readings()

    def unanswered(why: str) -> tuple[Reading, ...]:
        return tuple(_unknown(canary, why) for canary in canaries)

    return signal_read(f"canaries {', '.join(c.name for c in canaries)}", region, ask, unanswered)


def _newest(runs: list[Answer]) -> Answer | None:
    """The run that finished last, of those that did."""
    finished = [
        run
        for run in runs
        if run.get("Status", {}).get("State") != "RUNNING" and run.get("Timeline", {}).get("Completed")
    ]
    return max(finished, key=lambda run: run["Timeline"]["Completed"], default=None)


def _verdict(status: Answer) -> tuple[Level, str]:
    """What a finished run says of the app. A failed run counts only as far as the canary's script itself failed."""
    reason = status.get("StateReason")
    told = f"{status.get('State')}" + (f": {reason}" if reason else "")
    match status.get("State"), status.get("StateReasonCode"), status.get("TestResult"):
        case "PASSED", _, _:
            return Level.OK, told
        case "FAILED", "EXECUTION_FAILURE", _:
            return Level.UNKNOWN, f"the canary itself failed (EXECUTION_FAILURE), {told}"
        case "FAILED", _, "UNKNOWN":
            return Level.UNKNOWN, f"Synthetics could not determine the result, {told}"
        case "FAILED", _, _:
            return Level.BAD, told
        case _:
            return Level.UNKNOWN, told


def _unknown(canary: CanaryName, why: str) -> Reading:
    return Reading(
        kind=SignalKind.CANARY,
        subject=canary.name,
        region=canary.of or canary.region,
        seen_from=canary.region,
        level=Level.UNKNOWN,
        evidence=shortened(why),
        source=canary_source(canary.region, canary.name),
    )
