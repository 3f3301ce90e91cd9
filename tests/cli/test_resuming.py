"""What the commands say and return when the world, the journal or the config moved while a run was going on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from resilience_cli import wiring
from resilience_cli.adapters.journal_file import FileJournal
from resilience_cli.adapters.memory import MemoryWorld
from resilience_cli.errors import Uncertain, UsageError
from resilience_cli.model.app import App
from resilience_cli.model.effects import Effect, Receipt
from resilience_cli.model.facts import Facts, Topic
from resilience_cli.model.readings import Level
from resilience_cli.model.run import Entry
from resilience_cli.ports import Read

from .offline import CONFIG, Offline, facts

FAILOVER = ("failover", "--to", "us-east-1", "--yes")
RESUME = ("runs", "resume", "--yes")
BOOK = """\
version: 1
name: failover
steps:
  - {id: fit, step: check}
  - {id: shift, step: shift-traffic}
  - {id: verify, step: verify, timeout: 5s}
"""


class Meddled(MemoryWorld):
    """After the first write someone else sets the weights, before anything is asked of a name server."""

    def __init__(self, before: Facts, theirs: Facts) -> None:
        super().__init__(before)
        self.theirs, self.was_set = theirs, False

    def perform(self, effect: Effect) -> Receipt:
        self.was_set = True
        return super().perform(effect)

    def reads(self, app: App, topics: frozenset[Topic]) -> Sequence[Read]:
        if self.was_set and Topic.ANSWERS in topics:
            self.facts = self.theirs
        return super().reads(app, topics)


class Interrupted(MemoryWorld):
    """The operator stops the run at its first write, which is not sent."""

    left = 1
    asked = 0

    def perform(self, effect: Effect) -> Receipt:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise KeyboardInterrupt
        return super().perform(effect)


class Refusing(MemoryWorld):
    """What each write meets, one after another, the last for ever."""

    def __init__(self, *troubles: Exception) -> None:
        super().__init__(facts())
        self.troubles = list(troubles)

    def perform(self, effect: Effect) -> Receipt:
        raise self.troubles.pop(0) if len(self.troubles) > 1 else self.troubles[0]


class Full(FileJournal):
    """A disk that is full from the n-th entry on."""

    left = 0

    def append(self, run: str, entry: Entry) -> None:
        self.left -= 1
        if self.left < 0:
            raise UsageError("the journal cannot be written: No space left on device")
        super().append(run, entry)


class OnFullDisk(Offline):
    def __init__(self, folder: Path, world: MemoryWorld, entries: int) -> None:
        super().__init__(folder, world)
        self.entries = entries

    def open_app(self, config: Path | None, access: wiring.Access, prefer: Sequence[str] = ()) -> wiring.Setup:
        setup = super().open_app(config, access, prefer)
        journal = Full(self.folder / "state" / setup.app.account, setup.app.app)
        journal.left = self.entries
        return replace(setup, journal=journal)


def interrupted(folder: Path) -> Offline:
    offline = Offline(folder, Interrupted(facts()))
    assert offline.resil(*FAILOVER).code == 130
    return offline


def asked(offline: Offline) -> int:
    assert isinstance(offline.world, Interrupted)
    return offline.world.asked


def journals(offline: Offline) -> list[Path]:
    return sorted(offline.folder.glob("state/*/orders/runs/*.jsonl"))


@pytest.mark.parametrize(
    ("verb", "before", "theirs"),
    [
        (FAILOVER, (100, 0), (50, 50)),
        (FAILOVER, (100, 0), (100, 0)),
        (("failback", "--yes"), (0, 100), (50, 50)),
        (("failback", "--yes"), (0, 100), (0, 100)),
    ],
)
def test_what_someone_else_set_meanwhile_is_theirs_and_status_is_what_comes_next(
    tmp_path: Path, verb: Sequence[str], before: tuple[int, int], theirs: tuple[int, int]
) -> None:
    offline = Offline(tmp_path, Meddled(facts(weights=before), facts(weights=theirs)))
    result = offline.resil(*verb)
    assert result.code == 5
    assert "NEXT  resil status\n" in result.out
    assert offline.world.facts == facts(weights=theirs)
    again = offline.resil(*RESUME)
    assert again.code == 2
    assert "there is nothing to resume" in again.err


def test_a_plan_that_was_edited_in_its_journal_is_not_resumed(tmp_path: Path) -> None:
    offline = interrupted(tmp_path)
    (journal,) = journals(offline)
    first, rest = journal.read_text().split("\n", 1)
    entry = json.loads(first)
    entry["plan"]["steps"][0]["why"] = "because"
    journal.write_text(json.dumps(entry) + "\n" + rest)
    result = offline.resil(*RESUME)
    assert result.code == 2
    assert "not the one that was approved: it was edited" in result.err
    assert asked(offline) == 1


def renames(offline: Offline) -> None:
    offline.config.write_text(CONFIG.replace("api.example.com", "www.example.com"))


def target_fails(offline: Offline) -> None:
    offline.world.facts = facts(east=Level.BAD)


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (renames, "resil.yaml no longer routes api.example.com."),
        (target_fails, "is answered only with us-east-1, impaired"),
    ],
)
def test_what_is_left_of_a_plan_is_refused_where_it_does_not_fit_any_more(
    tmp_path: Path, meanwhile: Callable[[Offline], None], words: str
) -> None:
    offline = interrupted(tmp_path)
    meanwhile(offline)
    before = journals(offline)[0].read_text()
    result = offline.resil(*RESUME)
    assert result.code == 3
    assert words in result.err
    assert asked(offline) == 1
    assert journals(offline)[0].read_text() == before


def test_a_run_that_a_later_one_overtook_is_not_resumed(tmp_path: Path) -> None:
    offline = interrupted(tmp_path)
    (first,) = journals(offline)
    older = first.with_name("20260730T025900Z-failover-0000.jsonl")
    older.write_text(first.read_text().replace(first.stem, older.stem))
    first.unlink()
    assert offline.resil(*FAILOVER).code == 0
    assert offline.resil("failback", "--yes").code == 0  # the world looks as it did when the first was planned
    done = asked(offline)
    result = offline.resil("runs", "resume", older.stem, "--yes")
    assert result.code == 2
    assert "was overtaken" in result.err
    assert asked(offline) == done


def test_a_step_with_the_name_of_a_ramp_s_stage_is_a_usage_error(tmp_path: Path) -> None:
    offline = Offline(tmp_path, MemoryWorld(facts(weights=(0, 100))))
    book = tmp_path / "failback.yaml"
    shift = "{id: shift, step: shift-traffic, ramp: {shares: [50, 100], bake: 1s}}"
    book.write_text(BOOK.replace("{id: shift, step: shift-traffic}", shift).replace("id: fit", "id: shift-50"))
    result = offline.resil("failback", "--yes", "--runbook", str(book))
    assert result.code == 2
    assert "shift-50 has the name of a stage of the ramp" in result.err
    assert journals(offline) == []


def test_a_runbook_that_verifies_by_nothing_is_not_valid(tmp_path: Path) -> None:
    offline = Offline(tmp_path, MemoryWorld(facts()))
    book = tmp_path / "failover.yaml"
    book.write_text(BOOK.replace("timeout: 5s", "answers: false, endpoints: false"))
    for command in (("validate", "--runbook", str(book)), (*FAILOVER, "--runbook", str(book))):
        result = offline.resil(*command)
        assert result.code == 2
        assert "not verified is not done" in result.err


ASKED = 5  # planned, approved, the check's two, the shift's start; then performing


@pytest.mark.parametrize("entries", range(ASKED + 5))
def test_a_full_disk_ends_a_run_by_whether_a_change_was_asked_for(tmp_path: Path, entries: int) -> None:
    book = tmp_path / "failover.yaml"
    book.write_text(BOOK)
    offline = OnFullDisk(tmp_path, MemoryWorld(facts()), entries)
    result = offline.resil(*FAILOVER, "--runbook", str(book))
    if entries <= ASKED:
        assert result.code == 2
        assert offline.world.facts == facts()
    else:
        assert result.code == 5
        assert "stopped after asking for a change: its journal can't be written" in result.err
        assert "make room, then: resil runs resume 2026" in result.err
    assert "No space left on device" in result.err
    mended = Offline(tmp_path, offline.world)
    assert entries <= ASKED or mended.resil(*RESUME).code == 0


def test_credentials_that_ran_out_before_anything_was_asked_for_refuse_the_run(tmp_path: Path) -> None:
    offline = Offline(tmp_path, Refusing(UsageError("the credentials have expired")))
    result = offline.resil(*FAILOVER)
    assert result.code == 2
    assert "the credentials have expired" in result.err
    assert "REFUSED" in offline.resil("runs", "list").out
    assert offline.resil(*RESUME).code == 2


def test_credentials_that_ran_out_after_an_attempt_whose_answer_was_lost_leave_it_unknown(tmp_path: Path) -> None:
    offline = Offline(tmp_path, Refusing(Uncertain("reset"), UsageError("the credentials have expired")))
    result = offline.resil(*FAILOVER)
    assert result.code == 6
    assert "NEXT  resil runs resume 2026" in result.out
