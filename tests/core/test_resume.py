"""Going on with a run: in a world that moved meanwhile, with a journal that was edited or can't be written."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pytest

from resilience_cli import execute, journal
from resilience_cli.adapters.journal_file import FileJournal
from resilience_cli.adapters.memory import MemoryJournal, MemoryWorld
from resilience_cli.errors import Incomplete, Uncertain, UsageError
from resilience_cli.model.app import App
from resilience_cli.model.effects import Effect, Receipt
from resilience_cli.model.facts import Facts
from resilience_cli.model.run import EXIT_CODES, Entry, Outcome, Performing, Planned, Run
from resilience_cli.planner.resuming import objections
from resilience_cli.ports import JournalStore, Read

from . import builders as b
from .test_verifying import Names
from .worlds import (
    AUTHOR,
    Act,
    Scene,
    Scripted,
    checks_scene,
    controls_scene,
    loses_the_answer,
    ramp_scene,
    refuses,
    weights_scene,
)

SCENES = [weights_scene, checks_scene, controls_scene, ramp_scene]
FOREIGN = {b.WEST: 50, b.EAST: 50}


def exit_of(run: Run) -> int:
    return EXIT_CODES[run.outcome]


def broken_off(of: Scene, world: Scripted, kind: str, step: str) -> None:
    """The process dies right after this entry."""
    entries = of.start(world)
    for entry in entries:
        if (entry.kind, getattr(entry, "step", "")) == (kind, step):
            entries.close()  # type: ignore[attr-defined]
            return
    raise AssertionError(f"no {kind} of {step}")


class TestInAWorldThatMoved:
    @pytest.mark.parametrize("weights", [FOREIGN, {b.WEST: 100}], ids=["half and half", "as it was before"])
    def test_traffic_that_someone_moved_while_nobody_watched_is_not_done_and_left_alone(
        self, weights: dict[str, int]
    ) -> None:
        of = weights_scene()
        world = Scripted(of.facts)
        broken_off(of, world, "started", "bake")
        world.inner.facts = theirs = b.facts(of.app, weights=weights)
        run = of.resumed(world)
        assert (run.outcome, exit_of(run), run.final) == (Outcome.INCOMPLETE, 5, True)
        assert world.inner.facts == theirs
        assert world.asked == 1

    def test_every_verify_is_done_again_for_what_was_seen_then_may_be_long_ago(self) -> None:
        of = weights_scene()
        world = Scripted(of.facts)
        broken_off(of, world, "finished", "bake")
        run = of.resumed(Names(world.inner.facts, ("A", b.WEST)))
        assert (run.outcome, exit_of(run)) == (Outcome.INCOMPLETE, 5)
        assert "answers us-west-2" in run.why

    def test_a_shift_still_to_be_done_is_checked_again_first(self) -> None:
        of = weights_scene()
        world = Scripted(of.facts)
        broken_off(of, world, "finished", "fit")
        world.inner.facts = b.facts(of.app, well={b.EAST: "failing"})
        run = of.resumed(world)
        assert (run.outcome, exit_of(run)) == (Outcome.REFUSED, 3)
        assert world.asked == 0


class TestWhatIsLeftOfAPlan:
    def test_may_be_done_in_the_world_it_was_made_for(self) -> None:
        for make in SCENES:
            of = make()
            assert objections(of.app, of.facts, of.plan.effects, of.plan.effects) == []

    @pytest.mark.parametrize("done", [False, True], ids=["still to be done", "done already"])
    def test_must_be_of_names_that_resil_yaml_routes(self, done: bool) -> None:
        """What is done already would be verified by the names that are routed now, and they were never moved."""
        of = weights_scene()
        (route,) = of.app.routing
        renamed = route.model_copy(update={"record": route.record.model_copy(update={"name": "www.example.com."})})
        app = of.app.model_copy(update={"routing": (renamed,)})
        left = () if done else of.plan.effects
        assert objections(app, of.facts, of.plan.effects, left) == [f"resil.yaml no longer routes {b.NAME}"]

    def test_must_be_of_routing_controls_that_resil_yaml_names(self) -> None:
        of = controls_scene()
        assert b.control_arn(b.EAST) in objections(b.weighted_app(), of.facts, of.plan.effects, of.plan.effects)[0]

    def test_must_not_leave_only_impaired_regions(self) -> None:
        of = weights_scene()
        facts = b.facts(of.app, well={b.EAST: "failing"})
        (why,) = objections(of.app, facts, of.plan.effects, of.plan.effects)
        assert "answered only with us-east-1, impaired" in why

    def test_must_not_leave_every_region_forced_unhealthy(self) -> None:
        """The first effect put west's check back; since then someone forced it again."""
        of = checks_scene()
        facts = b.facts(of.app, checks={b.WEST: "forced", b.EAST: "forced"})
        assert len(objections(of.app, facts, of.plan.effects, of.plan.effects[1:])) == 1

    def test_must_not_leave_all_weights_at_zero(self) -> None:
        of = weights_scene()
        (effect,) = of.plan.effects
        nowhere = tuple(record.model_copy(update={"weight": 0}) for record in effect.after)  # type: ignore[union-attr]
        (why,) = objections(of.app, of.facts, of.plan.effects, [effect.model_copy(update={"after": nowhere})])
        assert "every weight would be 0" in why


def edited(of: Scene, **plan: Any) -> Scene:
    """The same journal, the plan in it edited by hand."""
    store = MemoryJournal()
    first, *rest = of.store.entries("run")
    assert isinstance(first, Planned)
    for entry in (first.model_copy(update={"plan": first.plan.model_copy(update=plan)}), *rest):
        store.append("run", entry)
    return Scene(of.app, of.facts, of.plan, store, of.clock)


def test_a_plan_that_was_edited_in_the_journal_is_not_gone_on_with() -> None:
    of = weights_scene()
    world = Scripted(of.facts)
    broken_off(of, world, "finished", "fit")
    forged = edited(of, target=(b.WEST,))
    with pytest.raises(UsageError, match="not the one that was approved: it was edited"):
        forged.resumed(world)
    assert world.asked == 0
    assert forged.store.entries("run")[-1].kind == "finished"


def no_credentials(world: MemoryWorld, effect: Effect) -> Receipt:
    raise UsageError("the credentials have expired")


class Blinded(Scripted):
    """A world whose effects can be looked at so many times, and then the credentials have expired."""

    def __init__(self, facts: Facts, *acts: Act, always: Act | None = None, looks: int | None = None) -> None:
        super().__init__(facts, *acts, always=always)
        self.looks = looks

    def reads_for(self, app: App, effect: Effect) -> Sequence[Read]:
        if self.looks == 0:
            raise UsageError("the credentials have expired")
        self.looks = self.looks and self.looks - 1
        return super().reads_for(app, effect)


class TestCredentialsThatRunOut:
    def test_before_anything_was_asked_for_refuse_the_run(self) -> None:
        of = weights_scene()
        world = Scripted(of.facts, always=no_credentials)
        with pytest.raises(UsageError, match="expired"):
            of.run(world)
        assert (of.told.outcome, of.told.why) == (Outcome.REFUSED, "the credentials have expired")
        assert world.done == []

    @pytest.mark.parametrize("landed", [False, True])
    def test_after_an_attempt_whose_answer_was_lost_leave_it_unknown(self, landed: bool) -> None:
        of = weights_scene()
        act = loses_the_answer if landed else refuses(Uncertain("reset"))
        run = of.run(Blinded(of.facts, act, always=no_credentials, looks=1 if landed else None))
        assert (run.outcome, exit_of(run), run.resumable) == (Outcome.UNKNOWN, 6, True)

    def test_after_a_change_leave_the_run_unknown(self) -> None:
        of = checks_scene()
        run = of.run(Scripted(of.facts, MemoryWorld.perform, always=no_credentials))
        assert (run.outcome, run.changed, run.resumable) == (Outcome.UNKNOWN, True, True)

    def test_when_all_is_verified_do_not_take_that_back(self) -> None:
        of = weights_scene()
        world = Blinded(of.facts)
        for entry in of.start(world):
            world.looks = 0 if entry.kind == "finished" and entry.step == "bake" else None
        assert of.told.outcome is Outcome.DONE


class Journal:
    """A journal on disk that fails at its n-th entry: before it is written, or right after."""

    def __init__(self, folder: Path, at: int, error: BaseException, *, written: bool = False, stays: bool = False):
        self.inner, self.left, self.error, self.written, self.stays = (
            FileJournal(folder, "orders"),
            at,
            error,
            written,
            stays,
        )

    def append(self, run: str, entry: Entry) -> None:
        self.left -= 1
        fails = self.left == 0 or (self.stays and self.left < 0)
        if self.written or not fails:
            self.inner.append(run, entry)
        if fails:
            raise self.error

    def entries(self, run: str) -> Sequence[Entry]:
        return self.inner.entries(run)

    def runs(self) -> Sequence[str]:
        return self.inner.runs()

    def hold(self, run: str) -> AbstractContextManager[None]:
        return self.inner.hold(run)


def entries_of(make: Callable[[], Scene]) -> int:
    of = make()
    of.run(Scripted(of.facts))
    return len(of.kinds)


def asked_for_something(store: Journal) -> bool:
    return bool(store.runs()) and any(isinstance(entry, Performing) for entry in store.entries("run"))


def finish(of: Scene, world: Scripted, store: JournalStore) -> None:
    """Resume where there is something to resume: each effect took place once, whatever broke off before."""
    if not store.runs() or not journal.fold(store.entries("run")).resumable:
        return
    list(execute.resume(of.stage(world), store, "run", AUTHOR))
    assert journal.fold(store.entries("run")).outcome is Outcome.DONE
    assert world.done == list(of.plan.effects)


FULL = UsageError("the journal cannot be written: No space left on device")


@pytest.mark.parametrize("stays", [False, True], ids=["for a moment", "for good"])
@pytest.mark.parametrize("make", SCENES)
def test_a_full_disk_is_a_usage_error_before_anything_was_asked_for_and_incomplete_after(
    tmp_path: Path, make: Callable[[], Scene], stays: bool
) -> None:
    for at in range(1, entries_of(make) + 1):
        of = make()
        world, store = Scripted(of.facts), Journal(tmp_path / f"{at}", at, FULL, stays=stays)
        said: Exception | None = None
        try:
            list(execute.start(of.stage(world), store, "run", AUTHOR, of.facts))
        except (Incomplete, UsageError) as told:
            said = told
        if not asked_for_something(store):
            assert isinstance(said, UsageError), at
            assert world.asked == 0
        elif stays:
            assert isinstance(said, Incomplete), at
            assert "stopped after asking for a change" in said.message
            assert said.hint == "make room, then: resil runs resume run"
        finish(of, world, Journal(tmp_path / f"{at}", 0, FULL))


@pytest.mark.parametrize("written", [False, True], ids=["before writing", "between writing and counting"])
@pytest.mark.parametrize("make", SCENES)
def test_an_interruption_at_any_entry_leaves_a_journal_that_is_whole_and_can_be_gone_on_with(
    tmp_path: Path, make: Callable[[], Scene], written: bool
) -> None:
    for at in range(1, entries_of(make) + 1):
        of = make()
        world, store = Scripted(of.facts), Journal(tmp_path / f"{at}", at, KeyboardInterrupt(), written=written)
        with suppress(KeyboardInterrupt):
            list(execute.start(of.stage(world), store, "run", AUTHOR, of.facts))
        told = store.entries("run") if store.runs() else ()
        assert [entry.seq for entry in told] == list(range(1, len(told) + 1))
        finish(of, world, Journal(tmp_path / f"{at}", 0, FULL))
        assert at == 1 or journal.fold(store.entries("run")).outcome is Outcome.DONE
