"""CloudWatch Synthetics as the sandbox serves it: canaries by Region and the runs recorded for them.

Nothing runs by itself here: the reference world records runs, or a test does. A stopped canary records none, so its
last run grows old, which is what a reader must notice (the sample application's canaries stop after an hour).
"""

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .operations import Answer, Operation, page, paged, perform
from .service import AwsError, Call
from .timestamps import moment

Outcome = Literal["passed", "failed", "execution_failure"]
KEPT_RUNS = 500

# (State, StateReasonCode, TestResult): an execution failure is the canary's own trouble, not the application's.
_STATUS: dict[Outcome, tuple[str, str | None, str]] = {
    "passed": ("PASSED", None, "PASSED"),
    "failed": ("FAILED", "CANARY_FAILURE", "FAILED"),
    "execution_failure": ("FAILED", "EXECUTION_FAILURE", "UNKNOWN"),
}
_REASON: dict[Outcome, str] = {
    "passed": "",
    "failed": "The endpoint did not answer as expected.",
    "execution_failure": "The canary's script could not be run.",
}


@dataclass(frozen=True)
class Run:
    id: str
    outcome: Outcome
    started: float
    completed: float


@dataclass
class Canary:
    """One canary; ``state`` is the API's CanaryState, RUNNING or STOPPED."""

    name: str
    created: float
    state: str = "RUNNING"
    last_started: float | None = None
    last_stopped: float | None = None
    runs: deque[Run] = field(default_factory=lambda: deque(maxlen=KEPT_RUNS))


class Synthetics:
    """The Service."""

    name = "synthetics"

    def __init__(self, now: Callable[[], float], account: str = "123456789012") -> None:
        self._now = now
        self._account = account
        self._canaries: dict[tuple[str, str], Canary] = {}
        self._operations: dict[str, Operation] = {
            "DescribeCanaries": self._describe_canaries,
            "DescribeCanariesLastRun": self._describe_last_runs,
            "GetCanaryRuns": self._get_runs,
            "GetCanary": self._get_canary,
            "StartCanary": self._start,
            "StopCanary": self._stop,
        }

    def handle(self, call: Call) -> Answer:
        return perform(self._operations, call)

    def create(self, region: str, name: str) -> None:
        now = self._now()
        self._canaries[region, name] = Canary(name, now, last_started=now)

    def record_run(self, region: str, name: str, outcome: Outcome, at: float, took: float = 0.4) -> bool:
        """Record a run that completed at ``at``; False and nothing recorded if the canary is not running."""
        canary = self._canaries[region, name]
        if canary.state != "RUNNING":
            return False
        canary.runs.append(Run(str(uuid.uuid4()), outcome, at - took, at))
        return True

    def set_running(self, region: str, name: str, running: bool) -> None:
        """Start or stop a canary, whatever it does now."""
        canary, now = self._canaries[region, name], self._now()
        canary.state = "RUNNING" if running else "STOPPED"
        if running:
            canary.last_started = now
        else:
            canary.last_stopped = now

    def names(self, region: str) -> tuple[str, ...]:
        return tuple(sorted(name for where, name in self._canaries if where == region))

    def _chosen(self, call: Call) -> list[Canary]:
        """The Region's canaries by name, or those of Names (at most five) that exist."""
        names = call.params.get("Names")
        if names is not None and not 1 <= len(names) <= 5:
            raise _invalid("Names must have between 1 and 5 members")
        here = self.names(call.region)
        return [self._canaries[call.region, name] for name in here if names is None or name in names]

    def _describe_canaries(self, call: Call) -> Answer:
        canaries = self._chosen(call)
        limit = _limit(call, 20)
        part, following = page(canaries, limit, call.params.get("NextToken"), _invalid("NextToken is not valid"))
        return paged("Canaries", [self._described(call.region, canary) for canary in part], following)

    def _describe_last_runs(self, call: Call) -> Answer:
        """Canaries that have never run are left out."""
        canaries = [canary for canary in self._chosen(call) if canary.runs]
        limit = _limit(call, 100)
        part, following = page(canaries, limit, call.params.get("NextToken"), _invalid("NextToken is not valid"))
        runs = [
            {"CanaryName": canary.name, "LastRun": _run(canary.name, call.region, canary.runs[-1])} for canary in part
        ]
        return paged("CanariesLastRun", runs, following)

    def _get_runs(self, call: Call) -> Answer:
        """Newest first. The sandbox has no dry runs."""
        canary = self._named(call)
        if call.params.get("DryRunId") and call.params.get("RunType", "CANARY_RUN") == "CANARY_RUN":
            raise _invalid("DryRunId cannot be given with RunType CANARY_RUN")
        runs = [] if call.params.get("RunType") == "DRY_RUN" else list(reversed(canary.runs))
        limit = _limit(call, 100)
        part, following = page(runs, limit, call.params.get("NextToken"), _invalid("NextToken is not valid"))
        return paged("CanaryRuns", [_run(canary.name, call.region, run) for run in part], following)

    def _get_canary(self, call: Call) -> Answer:
        return {"Canary": self._described(call.region, self._named(call))}

    def _start(self, call: Call) -> Answer:
        if self._named(call).state == "RUNNING":
            raise AwsError("ConflictException", "Canary is already running", 409)
        self.set_running(call.region, call.params["Name"], True)
        return {}

    def _stop(self, call: Call) -> Answer:
        if self._named(call).state == "STOPPED":
            raise AwsError("ConflictException", "Canary is already stopped", 409)
        self.set_running(call.region, call.params["Name"], False)
        return {}

    def _named(self, call: Call) -> Canary:
        canary = self._canaries.get((call.region, call.params["Name"]))
        if canary is None:
            raise AwsError("ResourceNotFoundException", f"Canary {call.params['Name']} does not exist", 404)
        return canary

    def _described(self, region: str, canary: Canary) -> Answer:
        timeline = {"Created": canary.created, "LastStarted": canary.last_started, "LastStopped": canary.last_stopped}
        return {
            "Id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{region}/{canary.name}")),
            "Name": canary.name,
            "Code": {"Handler": "canary.handler"},
            "ExecutionRoleArn": f"arn:aws:iam::{self._account}:role/orders-canary",
            "Schedule": {"Expression": "rate(1 minute)", "DurationInSeconds": 0},
            "RunConfig": {"TimeoutInSeconds": 60},
            "RuntimeVersion": "syn-python-selenium-3.0",
            "Status": {"State": canary.state},
            "Timeline": {member: moment(at) for member, at in timeline.items() if at is not None},
            "ArtifactS3Location": f"orders-canary-{region}/{canary.name}",
        }


def _run(name: str, region: str, run: Run) -> Answer:
    state, code, result = _STATUS[run.outcome]
    status = {"State": state, "TestResult": result}
    if code is not None:
        status |= {"StateReasonCode": code, "StateReason": _REASON[run.outcome]}
    return {
        "Id": run.id,
        "Name": name,
        "Status": status,
        "Timeline": {"Started": moment(run.started), "Completed": moment(run.completed)},
        "ArtifactS3Location": f"orders-canary-{region}/{name}/{run.id}",
    }


def _limit(call: Call, most: int) -> int:
    limit = int(call.params.get("MaxResults") or most)
    if not 1 <= limit <= most:
        raise _invalid(f"MaxResults must be between 1 and {most}")
    return limit


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
