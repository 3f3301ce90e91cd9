"""``resil runs report``: the page beside the journal, and the report in every other form."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from resilience_cli import wiring
from resilience_cli.adapters.memory import MemoryWorld
from resilience_cli.adapters.yaml_files import load_app
from resilience_cli.model.drill import DrillResult

from .offline import Offline, facts


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path, MemoryWorld(facts()))


@pytest.fixture
def moved(offline: Offline) -> Offline:
    """After one failover."""
    assert offline.resil("failover", "--to", "us-east-1", "--yes").code == 0
    return offline


def journals(offline: Offline, ending: str = "jsonl") -> list[Path]:
    return sorted((offline.folder / "state" / "123456789012" / "orders" / "runs").glob(f"*.{ending}"))


class TestThePageBesideTheJournal:
    def test_each_run_leaves_its_page_and_says_where(self, offline: Offline) -> None:
        result = offline.resil("failover", "--to", "us-east-1", "--yes")
        (page,) = journals(offline, "html")
        assert page.stem == journals(offline)[0].stem
        assert f"report: {page}" in result.err
        assert "us-west-2" in page.read_text(encoding="utf-8")
        assert page.stat().st_mode & 0o777 == 0o600, "as private as the journal"

    def test_a_page_that_cannot_be_written_does_not_change_how_the_run_ended(self, moved: Offline) -> None:
        (journal,), (page,) = journals(moved), journals(moved, "html")
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
        page.unlink()
        page.mkdir()
        result = moved.resil("runs", "resume", "--yes")
        assert result.code == 0
        assert f"note: there is no report: the page {page} cannot be written: Is a directory" in result.err
        assert list(page.parent.glob("*.html.*")) == [], "no draft is left behind"

    def test_a_dry_run_leaves_no_page(self, offline: Offline) -> None:
        assert offline.resil("failover", "--to", "us-east-1", "--dry-run").code == 0
        assert journals(offline, "html") == []


class TestRunsReport:
    def test_without_a_form_the_page_is_made_anew_and_its_path_is_the_payload(self, moved: Offline) -> None:
        (page,) = journals(moved, "html")
        page.unlink()
        result = moved.resil("runs", "report")
        assert (result.code, result.out) == (0, f"{page}\n")
        assert page.exists()

    def test_the_page_goes_where_it_is_told_to(self, moved: Offline, tmp_path: Path) -> None:
        file = tmp_path / "run.html"
        assert moved.resil("runs", "report", "--html", str(file)).code == 0
        assert moved.resil("runs", "report", "--html", "-").out == file.read_text(encoding="utf-8")

    def test_markdown_and_json_tell_the_same_run(self, moved: Offline) -> None:
        told = json.loads(moved.resil("runs", "report", "--json").out)
        assert (told["run"], told["exit_code"]) == (journals(moved)[0].stem, 0)
        assert told["run"] in moved.resil("runs", "report", told["run"], "--markdown").out

    def test_two_forms_at_once_are_refused(self, moved: Offline) -> None:
        result = moved.resil("runs", "report", "--json", "--markdown")
        assert (result.code, result.out) == (2, "")
        assert "choose one" in result.err

    def test_without_runs_or_for_an_unknown_one_there_is_nothing_to_report(self, offline: Offline) -> None:
        for arguments in ((), ("20260730T030000Z-failover-0000",), ("../../etc/passwd",)):
            result = offline.resil("runs", "report", *arguments)
            assert (result.code, result.out) == (2, ""), arguments

    def test_a_torn_or_damaged_journal_is_reported_with_what_is_missing(self, moved: Offline) -> None:
        (journal,) = journals(moved)
        whole = journal.read_bytes()
        journal.write_bytes(whole[: len(whole) * 9 // 10])
        assert "is torn" in json.loads(moved.resil("runs", "report", "--json").out)["missing"][0]
        journal.write_bytes(b"".join([*whole.splitlines(keepends=True)[:3], b"{}\n"]))
        assert "line 4" in json.loads(moved.resil("runs", "report", "--json").out)["missing"][0]
        journal.write_bytes(b"")
        assert moved.resil("runs", "report", "--markdown").code == 0

    def test_a_file_that_cannot_be_written_is_the_operators_to_mend(self, moved: Offline, tmp_path: Path) -> None:
        result = moved.resil("runs", "report", "--html", str(tmp_path / "none" / "run.html"))
        assert result.code == 2
        assert "cannot be written: No such file or directory" in result.err


class Drilled(Offline):
    """A drill that is over at once, with the journals there are."""

    def drill(self, name: str, seed: int, files: object) -> Iterator[DrillResult]:  # type: ignore[override]
        journal = self.open_app(None, wiring.Access.READS).journal
        entries = [tuple(journal.entries(run)) for run in journal.runs()]
        yield DrillResult(
            scenario=name,
            passed=True,
            rto_s=7.5,
            floor_s=7.0,
            ratio=1.07,
            app=load_app(self.config),
            journal=next(iter(entries), ()),
        )


class TestADrillsPage:
    @pytest.mark.parametrize("with_a_run", [True, False])
    def test_it_tells_what_clients_felt_and_the_run_that_came_of_it(self, tmp_path: Path, with_a_run: bool) -> None:
        offline = Drilled(tmp_path, MemoryWorld(facts()))
        if with_a_run:
            offline.resil("failover", "--to", "us-east-1", "--yes")
        file = tmp_path / "drill.html"
        result = offline.resil("drill", "planned", "--html", str(file), "--output", "json")
        assert (result.code, f"report: {file}" in result.err) == (0, True)
        page = file.read_text(encoding="utf-8")
        assert "7.5 s" in page
        assert ("What was done" in page) is with_a_run
        assert "journal" not in json.loads(result.out)

    def test_one_page_is_for_one_drill(self, offline: Offline) -> None:
        for arguments in (("planned", "planned-latency"), ("planned", "--repeat", "2")):
            result = offline.resil("drill", *arguments, "--html", "x.html")
            assert (result.code, "the page of one drill" in result.err) == (2, True)
