"""Journals on disk: durable, append-only, tolerant of a torn tail and of nothing else; one run at a time."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resilience_cli.adapters.journal_file import FileJournal
from resilience_cli.errors import Busy, UsageError
from resilience_cli.model.run import Entry, Noted

RUN = "20260730T030000Z-failover-00ff"
AT = datetime(2026, 7, 30, 3, 0, tzinfo=UTC)


def noted(seq: int, text: str = "x") -> Entry:
    return Noted(seq=seq, at=AT, step="shift", text=text)


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "state", "orders")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "orders" / "runs" / f"{RUN}.jsonl"


def test_what_was_appended_is_read_back_in_order(journal: FileJournal) -> None:
    written = [noted(1, "one"), noted(2, "two\nlines \u2028 and more"), noted(3)]
    for entry in written:
        journal.append(RUN, entry)
    assert list(journal.entries(RUN)) == written
    assert list(journal.runs()) == [RUN]


def test_an_app_without_runs_has_none(journal: FileJournal) -> None:
    assert list(journal.runs()) == []


def test_each_entry_is_one_line_and_nothing_written_before_changes(journal: FileJournal, file: Path) -> None:
    journal.append(RUN, noted(1))
    first = file.read_bytes()
    journal.append(RUN, noted(2))
    assert file.read_bytes().startswith(first)
    assert file.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_torn_tail_is_no_entry_and_goes_before_the_next_one_is_written(
    journal: FileJournal, file: Path, cut: int
) -> None:
    journal.append(RUN, noted(1))
    journal.append(RUN, noted(2))
    os.truncate(file, file.stat().st_size - cut)
    assert list(journal.entries(RUN)) == [noted(1)]
    journal.append(RUN, noted(2, "again"))
    assert list(journal.entries(RUN)) == [noted(1), noted(2, "again")]


def test_a_long_torn_tail_is_found_to_its_beginning(journal: FileJournal, file: Path) -> None:
    journal.append(RUN, noted(1))
    with file.open("ab") as out:
        out.write(b"\0" * 20_000)
    journal.append(RUN, noted(2))
    assert list(journal.entries(RUN)) == [noted(1), noted(2)]


@pytest.mark.parametrize("damage", [b"not json\n", b'{"kind":"from-the-future","seq":2}\n', b"\n"])
def test_a_damaged_line_that_is_not_the_tail_is_told_with_its_number(
    journal: FileJournal, file: Path, damage: bytes
) -> None:
    journal.append(RUN, noted(1))
    with file.open("ab") as out:
        out.write(damage)
    with pytest.raises(UsageError, match=r"line 2 of .* is not an entry") as caught:
        journal.entries(RUN)
    assert "do not resume this run" in caught.value.hint


def test_a_missing_entry_is_told(journal: FileJournal, file: Path) -> None:
    for seq in (1, 2, 3):
        journal.append(RUN, noted(seq))
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[2])
    with pytest.raises(UsageError, match=r"line 2 of .* has the number 3: entries are missing"):
        journal.entries(RUN)


def test_secrets_do_not_reach_the_disk(journal: FileJournal, file: Path) -> None:
    journal.append(RUN, noted(1, "refused for AKIA" + "IOSFODNN7EXAMPLE, password=hunter2"))
    text = file.read_text()
    assert "IOSFODNN7EXAMPLE" not in text
    assert "hunter2" not in text


@pytest.mark.parametrize("run", ["../../etc/passwd", "a/b", "", ".hidden"])
def test_a_run_id_cannot_leave_the_folder(journal: FileJournal, run: str) -> None:
    with pytest.raises(UsageError, match="is not a run's id"):
        journal.entries(run)


def test_an_unknown_run_is_told(journal: FileJournal) -> None:
    with pytest.raises(UsageError, match=f"there is no run {RUN}"):
        journal.entries(RUN)


def test_the_files_are_the_users_own(journal: FileJournal, file: Path) -> None:
    journal.append(RUN, noted(1))
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_state_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    journal = FileJournal(blocked, "orders")
    with pytest.raises(UsageError, match=str(blocked)):
        journal.append(RUN, noted(1))
    with pytest.raises(UsageError, match=f"the state folder {blocked} cannot be used"), journal.hold(RUN):
        pass


def test_a_second_run_is_told_who_holds_the_app(journal: FileJournal) -> None:
    with journal.hold(RUN), pytest.raises(Busy) as caught, journal.hold("another"):
        pass
    assert caught.value.exit_code == 7
    assert f"going on: {RUN}, process {os.getpid()} on " in caught.value.message
    assert "since 20" in caught.value.message


def test_the_app_is_free_again_after_a_run_however_it_ended(journal: FileJournal) -> None:
    with journal.hold(RUN):
        pass
    with pytest.raises(RuntimeError), journal.hold(RUN):
        raise RuntimeError
    with journal.hold("another"):
        pass


def test_apps_do_not_wait_for_one_another(tmp_path: Path) -> None:
    with FileJournal(tmp_path, "orders").hold(RUN), FileJournal(tmp_path, "payments").hold(RUN):
        pass


HOLDER = """
import sys, time
from pathlib import Path
from resilience_cli.adapters.journal_file import FileJournal
with FileJournal(Path(sys.argv[1]), "orders").hold("killed"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_a_killed_process_is_gone_with_it(tmp_path: Path, journal: FileJournal) -> None:
    state = str(tmp_path / "state")
    with subprocess.Popen([sys.executable, "-c", HOLDER, state], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy, match="going on: killed"), journal.hold(RUN):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
    with journal.hold(RUN):
        pass


def test_an_entry_keeps_the_words_of_the_contract(journal: FileJournal, file: Path) -> None:
    journal.append(RUN, noted(1))
    assert json.loads(file.read_text()) == {
        "seq": 1,
        "at": "2026-07-30T03:00:00Z",
        "kind": "noted",
        "step": "shift",
        "text": "x",
    }
