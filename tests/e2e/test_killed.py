"""A run that was killed or stopped goes on from its journal: the same end, and the effect made exactly once."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .scene import ALL_EAST, EAST, ENOUGH_S, LATENCY, WEIGHTED, Ended, Scene, ended, held, soon

WRITES = {WEIGHTED: "ChangeResourceRecordSets", LATENCY: "UpdateRoutingControlStates"}
Process = subprocess.Popen[str]


@contextmanager
def a_run_whose_answer_is_out(scene: Scene) -> Iterator[Process]:
    """A failover that has made its change, and waits for AWS's answer to it."""
    with held(scene.world, WRITES[scene.config], after=True) as hold:
        process = scene.begins("failover", "--to", EAST, "--yes")
        assert hold.reached.wait(ENOUGH_S)
        yield process


@contextmanager
def a_run_that_waits_for_propagation(scene: Scene) -> Iterator[Process]:
    """A failover whose change was accepted, and is on its way to the name servers."""
    scene.world.route53.propagation = 1.5
    process = scene.begins("failover", "--to", EAST, "--yes")
    soon(lambda: scene.journal_tells("performed"))
    yield process


def ends_well(scene: Scene, resumed: Ended) -> None:
    """The end a run has that nobody disturbed."""
    assert resumed.code == 0, resumed.said
    assert "done and verified" in resumed.said
    assert scene.answers() == ALL_EAST
    assert scene.writes() == [WRITES[scene.config]]
    kinds = [entry["kind"] for entry in scene.journal()]
    assert kinds.count("planned") == 1
    assert "resumed" in kinds
    assert kinds[-1] == "closed"


@pytest.mark.parametrize("config", [WEIGHTED, LATENCY])
def test_killed_before_the_answer_it_finds_the_effect_and_does_not_repeat_it(scene: Scene, config: str) -> None:
    scene.uses(config)
    with a_run_whose_answer_is_out(scene) as process:
        process.kill()
        assert ended(process).code == -signal.SIGKILL
    kinds = [entry["kind"] for entry in scene.journal()]
    assert kinds[-1] == "performing"  # what was to be done is durable, that it was done is not known

    told = scene.resil("runs", "show")
    assert "runs resume" in told.said
    ends_well(scene, scene.resil("runs", "resume", "--yes"))
    assert [entry["how"] for entry in scene.journal() if entry["kind"] == "performed"] == ["adopted"]


def test_killed_while_the_change_propagates_it_waits_for_the_same_change(scene: Scene) -> None:
    with a_run_that_waits_for_propagation(scene) as process:
        process.kill()
        ended(process)
    assert scene.journal()[-1]["kind"] == "performed"
    status = scene.resil("status")
    assert "runs resume" in status.said
    ends_well(scene, scene.resil("runs", "resume", "--yes"))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_the_change_propagates_it_is_resumable(scene: Scene, stop: signal.Signals) -> None:
    with a_run_that_waits_for_propagation(scene) as process:
        process.send_signal(stop)
        stopped = ended(process)
    assert stopped.code == 130, stopped.said
    assert "Traceback" not in stopped.err
    assert f"resil runs resume {scene.journals()[0].stem}" in stopped.said
    assert scene.journal()[-1]["outcome"] == "interrupted"
    ends_well(scene, scene.resil("runs", "resume", "--yes"))


def test_stopped_before_the_answer_it_is_resumable(scene: Scene) -> None:
    with a_run_whose_answer_is_out(scene) as process:
        process.send_signal(signal.SIGINT)
        stopped = ended(process)
    assert stopped.code == 130, stopped.said
    assert "runs resume" in stopped.said
    ends_well(scene, scene.resil("runs", "resume", "--yes"))


def test_killed_right_after_its_plan_was_written_it_begins_with_that_plan(scene: Scene) -> None:
    with held(scene.world, lambda _: scene.journal_tells("planned")) as hold:
        process = scene.begins("failover", "--to", EAST, "--yes")
        assert hold.reached.wait(ENOUGH_S)
        process.kill()
        ended(process)
    (journal,) = scene.journals()
    planned, approved, *_ = journal.read_bytes().split(b"\n")
    journal.write_bytes(planned + b"\n" + approved[:20])  # what is left had it been killed one entry before
    assert scene.writes() == []
    ends_well(scene, scene.resil("runs", "resume", "--yes"))


def test_a_finished_run_is_not_resumed(scene: Scene) -> None:
    scene.resil("failover", "--to", EAST, "--yes")
    again = scene.resil("runs", "resume", "--yes")
    assert again.code == 2
    assert "there is nothing to resume" in again.said
    assert scene.writes() == ["ChangeResourceRecordSets"]


def test_two_runs_of_one_app_at_once_are_one_run(scene: Scene) -> None:
    with held(scene.world, "ChangeResourceRecordSets") as hold:
        first = scene.begins("failover", "--to", EAST, "--yes")
        assert hold.reached.wait(ENOUGH_S)
        second = scene.resil("failover", "--to", EAST, "--yes")
        resumer = scene.resil("runs", "resume", "--yes")
        hold.let_go()
        assert ended(first).code == 0
    for late in (second, resumer):
        assert late.code == 7, late.said
        assert "another run of this app is going on" in late.said
    assert scene.writes() == ["ChangeResourceRecordSets"]
    assert len(scene.journals()) == 1
