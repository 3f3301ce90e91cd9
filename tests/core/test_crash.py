"""Crash anywhere: the process may die before or after any journal entry and any effect, and the run is still finished.

A fuse burns at every such point. Whichever one kills the process, and then again while resuming: the end state is
that of the undisturbed run, and each effect took place exactly once.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_cli import execute
from resilience_cli.model.run import Entry, Outcome
from resilience_cli.ports import World

from .worlds import (
    AUTHOR,
    Act,
    Crash,
    Fuse,
    FusedJournal,
    FusedWorld,
    Scene,
    Scripted,
    checks_scene,
    controls_scene,
    loses_the_answer,
    ramp_scene,
    weights_scene,
)

SCENES = [weights_scene, checks_scene, controls_scene, ramp_scene]


def one_life(scene: Scene, world: Scripted, blows_at: int | None) -> Fuse:
    """Start the run, or resume it if a life before this one left a journal. Ends by a Crash or at the run's end."""
    fuse = Fuse(blows_at)
    store = FusedJournal(scene.store, fuse)
    fused: World = FusedWorld(world, fuse)
    stage = scene.stage(fused)
    entries: Iterator[Entry]
    if scene.store.runs():
        entries = execute.resume(stage, store, "run", AUTHOR)
    else:
        entries = execute.start(stage, store, "run", AUTHOR, scene.facts)
    with suppress(Crash):
        list(entries)
    return fuse


def points_in(make: Callable[[], Scene]) -> int:
    scene = make()
    return one_life(scene, Scripted(scene.facts), None).points


def expect_the_undisturbed_end(scene: Scene, world: Scripted) -> None:
    undisturbed = Scripted(scene.facts)
    assert Scene(scene.app, scene.facts, scene.plan).run(undisturbed).outcome is Outcome.DONE
    assert scene.told.outcome is Outcome.DONE
    assert world.inner.facts == undisturbed.inner.facts
    assert world.done == list(scene.plan.effects)


def survive(make: Callable[[], Scene], *deaths: int, acts: tuple[Act, ...] = ()) -> None:
    scene = make()
    world = Scripted(scene.facts, *acts)
    for death in deaths:
        one_life(scene, world, death)
        if scene.store.runs() and scene.told.outcome is Outcome.DONE:
            return expect_the_undisturbed_end(scene, world)
    one_life(scene, world, None)
    return expect_the_undisturbed_end(scene, world)


@pytest.mark.parametrize("make", SCENES)
def test_a_run_survives_a_crash_at_every_point(make: Callable[[], Scene]) -> None:
    points = points_in(make)
    assert points > 20
    for death in range(1, points + 1):
        survive(make, death)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SCENES), st.lists(st.integers(1, 60), min_size=2, max_size=4), st.booleans())
def test_a_run_survives_crash_after_crash_with_answers_lost_between(
    make: Callable[[], Scene], deaths: list[int], lost: bool
) -> None:
    survive(make, *deaths, acts=(loses_the_answer,) if lost else ())


def test_a_crash_between_plan_and_approval_is_approved_by_whoever_resumes() -> None:
    scene = weights_scene()
    world = Scripted(scene.facts)
    one_life(scene, world, 2)
    assert scene.kinds == ["planned"]
    one_life(scene, world, None)
    assert scene.kinds[:3] == ["planned", "resumed", "approved"]
