"""A plan's digest: the same plan has the same one everywhere, another plan has another."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from resilience_cli.model.effects import WeightsEffect
from resilience_cli.model.plan import Finding, GuardName, Plan, Says

from . import builders as b
from .worlds import Scene, checks_scene, controls_scene, ramp_scene, weights_scene

PRINTS = """
from core import worlds
for make in (worlds.weights_scene, worlds.checks_scene, worlds.controls_scene, worlds.ramp_scene):
    print(make().plan.digest)
"""


def digests_under(seed: str) -> list[str]:
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(tests)}
    done = subprocess.run([sys.executable, "-c", PRINTS], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_digest_does_not_hang_on_the_hash_seed() -> None:
    """Sets are iterated in another order in each process; nothing of that may reach a plan."""
    here = [make().plan.digest for make in (weights_scene, checks_scene, controls_scene, ramp_scene)]
    assert digests_under("1") == digests_under("4242") == here


@pytest.mark.parametrize("make", [weights_scene, checks_scene, controls_scene, ramp_scene])
def test_the_digest_survives_json(make: Callable[[], Scene]) -> None:
    plan = make().plan
    again = Plan.model_validate_json(plan.model_dump_json())
    assert again == plan
    assert again.digest == plan.digest


def test_what_is_checked_again_at_apply_is_not_in_the_digest() -> None:
    plan = weights_scene().plan
    other = plan.model_copy(
        update={
            "guards": (Finding(name=GuardName.TTL, says=Says.YES, why="in other words"),),
            "verdicts": (),
            "data_at_risk": "0.3 s",
            "observed_at": plan.observed_at.replace(year=2027),
        }
    )
    assert other.digest == plan.digest


def test_what_will_be_done_is_in_the_digest() -> None:
    plan = weights_scene().plan
    effect = plan.effects[0]
    assert isinstance(effect, WeightsEffect)
    elsewhere = effect.model_copy(update={"zone_id": "ZOTHER"})
    steps = tuple(s.model_copy(update={"effects": (elsewhere,)}) if s.effects else s for s in plan.steps)
    changed = [
        plan.model_copy(update={"steps": steps}),
        plan.model_copy(update={"target": (b.NORTH,)}),
        plan.model_copy(update={"steps": plan.steps[:-1]}),
        plan.model_copy(update={"intent": b.failover(override=["ttl"])}),
    ]
    assert len({each.digest for each in [plan, *changed]}) == 5
