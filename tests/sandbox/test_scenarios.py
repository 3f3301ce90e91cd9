"""Every drill in a shortened form: each in a world of its own, with clients, as ``resil drill`` runs it."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from resilience_cli import wiring
from resilience_cli.errors import ResilError, UsageError
from resilience_cli.model.drill import CommandRun, DrillResult
from resilience_cli.model.scenario import Scenario
from resilience_cli.sandbox.rehearsal import rehearse
from resilience_cli.sandbox.timeline import told

SCENARIOS = {scenario.name: scenario for scenario in wiring.scenarios()}
DEFAULT = [name for name, scenario in SCENARIOS.items() if scenario.is_default]
BOOKS = {verb: wiring.shipped_runbooks() / f"{verb}.yaml" for verb in ("failover", "failback")}
FOURTEEN = {
    "planned": "planned failover and back, no loss",
    "grey-failure": "grey failure of the primary",
    "region-lost": "Region black-holed",
    "replication-stalled": "replication stalled",
    "control-plane-down": "Route 53 control plane down, with a data-plane lever",
    "control-plane-down-weights-only": "the same with weights only",
    "arc-two-down": "ARC with two of five endpoints down",
    "target-impaired": "target also impaired",
    "no-support-plan": "AWS Health without a support plan",
    "canaries-stale": "canaries stale",
    "route53-throttled": "throttled Route 53",
    "effect-then-timeout": "effect, then timeout, on the shift",
    "edited-midway": "someone else edits the record mid-run",
    "failback-fails-again": "failback into a primary that fails again",
    "observer-lost": "observer Region lost",
}


@cache
def played(name: str) -> DrillResult:
    *_, result = rehearse(SCENARIOS[name].shortened(), BOOKS)
    assert isinstance(result, DrillResult)
    return result


def commands(result: DrillResult) -> list[CommandRun]:
    return [event for event in result.events if isinstance(event, CommandRun)]


@pytest.mark.parametrize("name", DEFAULT)
def test_what_a_scenario_says_holds(name: str) -> None:
    result = played(name)
    assert result.failures == ()
    assert (result.orders.acknowledged or 0) > 0
    assert (result.orders.lost, result.orders.duplicated) in {(0, 0), (None, None)}


def test_every_case_that_was_asked_for_is_there() -> None:
    assert set(FOURTEEN) <= set(SCENARIOS)
    assert len(DEFAULT) >= 11
    assert [name for name, scenario in SCENARIOS.items() if scenario.needs] == ["failback-fails-again"]


@pytest.mark.parametrize("name", ["planned", "planned-latency"])
def test_a_planned_move_fails_no_more_requests_than_the_world_where_nothing_moves(name: str) -> None:
    moved, control = played(name), played("control")
    assert (moved.orders.failed or 0) <= (control.orders.failed or 0)
    assert moved.seen.takeover_s is not None


def test_a_lost_region_is_measured_from_the_typing_to_the_last_failure() -> None:
    result = played("region-lost")
    assert result.rto_s is not None
    assert result.floor_s is not None
    assert result.rto_s >= result.floor_s > 0.5
    assert {outage.place for outage in result.seen.outages} == {"us-west-2", "us-east-1"}
    assert all(outage.seconds for outage in result.seen.outages)
    assert (result.orders.held or 0) == (result.orders.missing_at_takeover or 0)
    assert result.seen.traffic[0].shares == {"us-west-2": 1.0}
    assert result.seen.traffic[-2].shares == {"us-east-1": 1.0}
    timings = result.seen.timings
    assert None not in (timings.detect_s, timings.decide_s, timings.act_s, timings.propagate_s, timings.settle_s)


def test_with_nothing_but_weights_it_is_tried_until_the_deadline_and_said_what_to_configure() -> None:
    (failover,) = commands(played("control-plane-down-weights-only"))
    assert failover.seconds >= SCENARIOS["control-plane-down-weights-only"].world.deadline  # type: ignore[operator]
    assert "looking again" in failover.stderr
    assert "levers: [routing-control]" in " ".join(failover.stdout.split())


def test_guards_that_spoke_are_in_the_result() -> None:
    assert any(guard.startswith("replication overridden") for guard in played("replication-stalled").seen.guards)


def test_the_timeline_is_the_scenario_s_own_whatever_the_machine_does() -> None:
    for each in SCENARIOS.values():
        assert told(each) == told(each.shortened())
        assert [fault.from_s for fault in told(each)] == sorted(fault.from_s for fault in told(each))


def scenario(**more: object) -> Scenario:
    return Scenario.model_validate(
        {"version": 1, "name": "own", "title": "own", "commands": [{"run": ["status"]}], **more}
    )


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "throttle", "service": "rute53"}, "did you mean route53"),
        ({"kind": "throttle", "service": "route53", "operation": "ListHostedZone"}, "did you mean ListHostedZones"),
        ({"kind": "throttle", "region": "us-west-9"}, "no Region 'us-west-9'"),
    ],
)
def test_a_fault_that_could_never_strike_is_refused_before_anything_starts(fault: dict[str, str], says: str) -> None:
    before = threading.active_count()
    with pytest.raises(UsageError, match=says):
        next(rehearse(scenario(faults=[fault]), BOOKS))
    assert threading.active_count() == before


def test_a_switch_that_does_not_exist_fails_the_drill_and_is_named() -> None:
    *_, result = rehearse(scenario(switches=[{"wish": {"stal": True}}], settle=0), BOOKS)
    assert isinstance(result, DrillResult)
    assert not result.passed
    assert any("no switch 'stal'" in failure for failure in result.failures)


def test_a_world_that_does_not_start_names_the_part_and_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The interpreter of every process that is started refuses to start with this variable."""
    monkeypatch.setenv("PYTHONINTMAXSTRDIGITS", "none")
    before, processes = set(threading.enumerate()), set(children())
    with pytest.raises(ResilError, match=r"order_service ended: .*"):
        next(rehearse(scenario(), BOOKS))
    assert set(threading.enumerate()) <= before
    assert set(children()) <= processes


def test_clients_that_die_make_the_drill_fail() -> None:
    story = rehearse(scenario(settle=0), BOOKS)
    events = [next(story), next(story), next(story)]  # the name, the pace, and what is answered while orders flow
    (clients,) = (pid for pid, line in children() if "resilience_cli.sandbox.clients" in line)
    os.kill(clients, signal.SIGKILL)
    result = [*events, *story][-1]
    assert isinstance(result, DrillResult)
    assert any("clients' log is not whole" in failure for failure in result.failures)


def children() -> Iterator[tuple[int, str]]:
    """This process's children, each with its command line."""
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid():
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
