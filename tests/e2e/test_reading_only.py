"""The commands that only read: not one write in the call log, and a guard in the process for what would write."""

import subprocess
import sys

import pytest

from .scene import EAST, LATENCY, WEIGHTED, Scene

READING = (
    ("status",),
    ("plan", "--to", EAST),
    ("failover", "--to", EAST, "--dry-run"),
    ("failback", "--dry-run"),
)
OFFLINE = (("validate",), ("schema",), ("runs", "list"))
ATTEMPT = """
import sys
from pathlib import Path
from resilience_cli import wiring
from resilience_cli.errors import AwsTrouble
from resilience_cli.model.plan import Intent, Plan

setup = wiring.open_app(Path(sys.argv[1]), wiring.Access.READS)
plan = wiring.decide(setup, Intent(verb="failover", to="us-east-1")).decision
assert isinstance(plan, Plan), plan
try:
    setup.world().perform(plan.effects[0])
except AwsTrouble as refusal:
    print(type(refusal).__name__, refusal.message)
"""


@pytest.mark.parametrize(("config", "commands"), [(WEIGHTED, READING), (WEIGHTED, OFFLINE), (LATENCY, READING)])
def test_commands_that_read_write_nothing(scene: Scene, config: str, commands: tuple[tuple[str, ...], ...]) -> None:
    scene.uses(config)
    for command, done in zip(commands, scene.at_once(*commands), strict=True):
        assert done.code == 0, (command, done.said)
    assert scene.writes() == []
    assert scene.journals() == []


def test_a_dry_run_of_the_way_home_writes_nothing_and_shows_every_step(scene: Scene) -> None:
    scene.resil("failover", "--to", EAST, "--yes")
    wrote, runs = scene.writes(), scene.journals()
    dry = scene.resil("failback", "--dry-run", "--detailed-exitcode")
    assert dry.code == 9, dry.said
    for percent in (10, 50, 100):
        assert f"shift-{percent}" in dry.out
    assert (scene.writes(), scene.journals()) == (wrote, runs)


@pytest.mark.parametrize(
    ("config", "operation"), [(WEIGHTED, "ChangeResourceRecordSets"), (LATENCY, "UpdateRoutingControlStates")]
)
def test_the_guard_in_the_process_refuses_a_write_whatever_code_asks_for_it(
    scene: Scene, config: str, operation: str
) -> None:
    scene.uses(config)
    done = subprocess.run(
        (sys.executable, "-c", ATTEMPT, str(scene.folder / config)),
        env=scene.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("WriteRefused")
    assert operation in done.stdout
    assert scene.writes() == []
