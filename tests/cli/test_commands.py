"""Every command: its exit code, what is on stdout and what on stderr."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from resilience_cli.adapters.memory import MemoryWorld
from resilience_cli.cli.terminal import Terminal
from resilience_cli.model.facts import Caller, EndpointOverride
from resilience_cli.model.readings import Level
from resilience_cli.wiring import Access

from .offline import Offline, Screen, at_a_terminal, facts

ELSEWHERE = Caller(account="999999999999", arn="arn:aws:sts::999999999999:assumed-role/ops/kim")


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path, MemoryWorld(facts()))


def weights(offline: Offline) -> list[int | None]:
    """West's and east's."""
    by_name = {record.set_identifier: record.weight for record in offline.world.facts.zones[0].records}
    return [by_name["west"], by_name["east"]]


class TestStatus:
    def test_the_screen_is_the_payload(self, offline: Offline) -> None:
        result = offline.resil("status")
        assert (result.code, result.err) == (0, "")
        assert "TRAFFIC api.example.com A, weighted: at home" in result.out
        assert offline.opened == [Access.READS]

    def test_programs_get_json_and_nothing_else(self, offline: Offline) -> None:
        result = offline.resil("status", "--output", "json")
        assert json.loads(result.out)["regions"][0]["share"] == 1.0
        assert result.err == ""

    @pytest.mark.parametrize(
        ("world", "code"),
        [
            (facts(), 0),
            (facts(west=Level.BAD), 10),
            (facts(west=Level.BAD, weights=(0, 100)), 10),
            (facts(east=Level.UNKNOWN), 11),
            (facts(weights=(0, 100)), 12),
            (facts().model_copy(update={"zones": ()}), 11),
            (facts().model_copy(update={"caller": None}), 11),
            (facts(west=Level.BAD).model_copy(update={"caller": None}), 10),
            (facts(west=Level.BAD).model_copy(update={"caller": ELSEWHERE}), 11),
        ],
    )
    def test_check_tells_monitoring_by_the_exit_code(self, offline: Offline, world: object, code: int) -> None:
        offline.world.facts = world  # type: ignore[assignment]
        assert offline.resil("status", "--check").code == code
        assert offline.resil("status").code == 0

    def test_a_wrong_account_is_the_first_thing_said(self, offline: Offline) -> None:
        offline.world.facts = facts().model_copy(update={"caller": ELSEWHERE})
        out = offline.resil("status").out
        problem = "WRONG ACCOUNT: the caller is in account 999999999999; resil.yaml pins 123456789012"
        assert " ".join(out.split()).startswith(problem)
        assert "nothing to do" not in out
        assert json.loads(offline.resil("status", "--output", "json").out)["account_problem"]
        assert offline.resil("failback", "--yes").code == 3

    def test_an_overridden_endpoint_stands_first_on_every_screen(self, offline: Offline) -> None:
        override = EndpointOverride(service="route53", url="http://127.0.0.1:4566")
        offline.world.facts = facts().model_copy(update={"overrides": (override,)})
        for command in (("status",), ("plan", "--to", "us-east-1"), ("failover", "--to", "us-east-1", "--yes")):
            assert offline.resil(*command).out.startswith("NOT AWS: an endpoint is overridden\n  route53 -> http://127")

    @pytest.mark.parametrize("columns", ["40", "20", "132"])
    def test_columns_is_honoured(self, offline: Offline, columns: str) -> None:
        out = offline.resil("status", env={"COLUMNS": columns}).out
        assert max(map(len, out.splitlines())) <= int(columns)

    @pytest.mark.parametrize(("env", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
    def test_colour_is_for_terminals_that_want_it(self, offline: Offline, env: dict[str, str], colored: bool) -> None:
        screens = Terminal(Screen(terminal=True), Screen(terminal=True), Screen(terminal=True), env)
        assert ("\x1b[" in offline.resil("status", terminal=screens).out) is colored
        assert "\x1b" not in offline.resil("status", env=env).out

    def test_a_reader_that_went_away_is_no_error(self, offline: Offline) -> None:
        gone = Terminal(Screen(), Screen(broken=True), Screen(), {})
        result = offline.resil("status", terminal=gone)
        assert (result.code, result.err) == (0, "")


class TestDryRunAndPlan:
    def test_a_dry_run_shows_the_plan_and_its_rehearsal_and_changes_nothing(self, offline: Offline) -> None:
        result = offline.resil("failover", "--to", "us-east-1", "--dry-run")
        assert result.code == 0
        assert "PLAN failover of orders: us-west-2 -> us-east-1, planned" in result.out
        assert "REHEARSAL, nothing was changed\nDONE failover of orders" in result.out
        assert weights(offline) == [100, 0]
        assert offline.opened == [Access.READS]
        assert offline.resil("runs", "list").out == "no runs yet\n"

    def test_pending_changes_have_an_exit_code_when_asked_for(self, offline: Offline) -> None:
        for command in (("failover", "--to", "us-east-1", "--dry-run"), ("plan", "--to", "us-east-1")):
            assert offline.resil(*command).code == 0
            assert offline.resil(*command, "--detailed-exitcode").code == 9
        assert offline.resil("plan", "--failback", "--detailed-exitcode").code == 0

    @pytest.mark.parametrize("form", ["json", "junit", "markdown", "github"])
    def test_ci_gets_its_own_forms(self, offline: Offline, form: str) -> None:
        result = offline.resil("failover", "--to", "us-east-1", "--dry-run", "--output", form)
        start = {"json": "{", "junit": "<?xml", "markdown": "## Plan", "github": "::notice"}[form]
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith(start)

    def test_the_rehearsal_is_in_the_json(self, offline: Offline) -> None:
        told = json.loads(offline.resil("failover", "--to", "us-east-1", "--dry-run", "-o", "json").out)
        assert told["rehearsal"]["outcome"] == "done"
        assert told["steps"]

    def test_a_refusal_exits_three_and_tells_every_guard_that_says_no(self, offline: Offline) -> None:
        offline.world.facts = facts(east=Level.BAD)
        result = offline.resil("failover", "--to", "us-east-1", "--yes")
        assert result.code == 3
        assert "REFUSED failover of orders to us-east-1, planned: nothing was changed" in result.out
        assert "target-health says no" in result.out
        assert weights(offline) == [100, 0]


class TestFailover:
    def test_a_run_moves_the_traffic_and_tells_programs_on_stdout_and_people_on_stderr(self, offline: Offline) -> None:
        result = offline.resil("failover", "--to", "us-east-1", "--yes", "--output", "json")
        told = json.loads(result.out)
        assert (result.code, told["outcome"], told["exit_code"]) == (0, "done", 0)
        assert re.fullmatch(r"20260730T030000Z-failover-[0-9a-f]{4}", told["run"])
        assert "approved, by --yes" in result.err
        assert "asking for api.example.com A" in result.err
        assert weights(offline) == [0, 100]
        assert offline.opened == [Access.WRITES]

    def test_there_and_back_again(self, offline: Offline) -> None:
        assert offline.resil("failover", "--to", "us-east-1", "--yes").code == 0
        assert offline.resil("failback", "--yes").code == 0
        assert weights(offline) == [100, 0]
        again = offline.resil("failback", "--yes")
        assert (again.code, again.out[:13]) == (0, "NOTHING TO DO")

    def test_a_person_agrees_by_typing_the_apps_name(self, offline: Offline) -> None:
        result = offline.resil("failover", "--to", "us-east-1", terminal=at_a_terminal("orders\n"))
        assert result.code == 0
        assert "Type orders to go on" in result.err
        assert "approved, typed on the terminal" in result.err
        assert weights(offline) == [0, 100]

    @pytest.mark.parametrize("typed", ["yes\n", "\n", ""])
    def test_anything_else_stops(self, offline: Offline, typed: str) -> None:
        result = offline.resil("failover", "--to", "us-east-1", terminal=at_a_terminal(typed))
        assert result.code == 2
        assert result.err.endswith("error: not agreed: nothing was changed\n")
        assert weights(offline) == [100, 0]

    def test_without_a_terminal_nothing_is_read_before_somebody_agrees(self, offline: Offline) -> None:
        result = offline.resil("failover", "--to", "us-east-1")
        assert result.code == 2
        assert "--yes, or --approve DIGEST" in result.err
        assert offline.opened == []

    def test_a_digest_agrees_to_exactly_one_plan(self, offline: Offline) -> None:
        digest = json.loads(offline.resil("plan", "--to", "us-east-1", "-o", "json").out)["digest"]
        stale = offline.resil("failover", "--to", "us-east-1", "--approve", "0" * 64)
        assert stale.code == 8
        assert weights(offline) == [100, 0]
        assert offline.resil("failover", "--to", "us-east-1", "--approve", digest).code == 0
        assert weights(offline) == [0, 100]

    def test_an_emergency_is_proposed_to_people_and_must_be_named_by_scripts(self, offline: Offline) -> None:
        offline.world.facts = facts(west=Level.BAD)
        refused = offline.resil("failover", "--to", "us-east-1", "--yes")
        assert refused.code == 2
        assert "--mode emergency" in refused.err
        assert weights(offline) == [100, 0]
        assert offline.resil("failover", "--to", "us-east-1", "--yes", "--mode", "emergency").code == 0
        assert weights(offline) == [0, 100]

    def test_a_person_may_agree_to_the_proposed_emergency(self, offline: Offline) -> None:
        offline.world.facts = facts(west=Level.BAD)
        result = offline.resil("failover", "--to", "us-east-1", terminal=at_a_terminal("orders\n"))
        assert result.code == 0
        assert "an emergency is proposed" in result.err

    def test_a_run_goes_on_when_nobody_listens_any_more(self, offline: Offline) -> None:
        deaf = Terminal(Screen(), Screen(broken=True), Screen(broken=True), {})
        assert offline.resil("failover", "--to", "us-east-1", "--yes", terminal=deaf).code == 0
        assert weights(offline) == [0, 100]


class TestApply:
    def test_what_was_reviewed_is_what_runs(self, offline: Offline, tmp_path: Path) -> None:
        file = tmp_path / "plan.json"
        kept = offline.resil("plan", "--to", "us-east-1", "--out", str(file))
        assert f"to carry it out: resil apply {file}" in kept.err
        assert offline.resil("apply", str(file), "--dry-run").code == 0
        assert weights(offline) == [100, 0]
        assert offline.resil("apply", str(file), "--yes").code == 0
        assert weights(offline) == [0, 100]

    def test_a_plan_is_refused_as_stale_when_the_world_moved(self, offline: Offline, tmp_path: Path) -> None:
        file = tmp_path / "plan.json"
        offline.resil("plan", "--to", "us-east-1", "--out", str(file))
        offline.world.facts = facts(weights=(90, 10))
        result = offline.resil("apply", str(file), "--yes")
        assert result.code == 8
        assert weights(offline) == [90, 10]

    def test_a_plan_that_was_edited_is_refused(self, offline: Offline, tmp_path: Path) -> None:
        file = tmp_path / "plan.json"
        offline.resil("plan", "--to", "us-east-1", "--out", str(file))
        file.write_text(file.read_text().replace('"weight": 100', '"weight": 99'))
        assert offline.resil("apply", str(file), "--yes").code == 8

    @pytest.mark.parametrize("text", ["", "{}", "[" * 10_000, '{"plan": 1, "digest": ""}'])
    def test_what_is_no_plan_is_told_so(self, offline: Offline, tmp_path: Path, text: str) -> None:
        file = tmp_path / "plan.json"
        file.write_text(text)
        result = offline.resil("apply", str(file), "--yes")
        assert result.code == 2
        assert "is not a plan of resil" in result.err

    def test_no_file_is_written_where_there_is_no_plan(self, offline: Offline, tmp_path: Path) -> None:
        file = tmp_path / "plan.json"
        assert offline.resil("plan", "--failback", "--out", str(file)).code == 0
        assert not file.exists()


class TestRuns:
    def test_runs_are_listed_and_shown(self, offline: Offline) -> None:
        offline.resil("failover", "--to", "us-east-1", "--yes", "--exercise")
        listed = json.loads(offline.resil("runs", "list", "-o", "json").out)["runs"]
        assert [run["outcome"] for run in listed] == ["done"]
        assert "failover of orders (exercise) to" in offline.resil("runs", "list").out
        shown = offline.resil("runs", "show", listed[0]["run"])
        assert shown.out == offline.resil("runs", "show").out
        assert "DONE failover of orders (exercise)" in shown.out

    def test_a_run_that_is_done_cannot_be_resumed(self, offline: Offline) -> None:
        offline.resil("failover", "--to", "us-east-1", "--yes")
        result = offline.resil("runs", "resume", "--yes")
        assert result.code == 2
        assert "there is nothing to resume" in result.err

    def test_without_runs_there_is_nothing_to_show_or_resume(self, offline: Offline) -> None:
        for command in (("runs", "show"), ("runs", "resume", "--yes"), ("runs", "show", "unknown")):
            assert offline.resil(*command).code == 2


class TestAdvice:
    def test_a_refused_failback_waits_and_chooses_no_other_region(self, offline: Offline) -> None:
        offline.world.facts = facts(west=Level.BAD, weights=(0, 100))
        result = offline.resil("failback", "--yes")
        assert result.code == 3
        assert "to change its mind: wait for it to recover\n" in result.out
        assert "another Region" not in result.out

    def test_a_refused_failover_may_choose_another_region(self, offline: Offline) -> None:
        offline.world.facts = facts(east=Level.BAD)
        assert "or choose another Region" in offline.resil("failover", "--to", "us-east-1", "--yes").out


class Ready(Offline):
    """A sandbox that is up at once."""

    @staticmethod
    def sandbox_up(
        *, detach: bool, ready: Callable[[list[tuple[str, str]], tuple[str, ...]], None], **more: object
    ) -> None:
        ready([("RESIL_DNS", "127.0.0.1:5353")], ())


class TestSandbox:
    @pytest.mark.parametrize(("detach", "said"), [(("--detach",), "sandbox is up; try: resil status\n"), ((), "")])
    def test_one_that_is_left_running_says_so_beside_what_the_shell_reads(
        self, tmp_path: Path, detach: tuple[str, ...], said: str
    ) -> None:
        result = Ready(tmp_path, MemoryWorld(facts())).resil("sandbox", "up", *detach)
        assert (result.code, result.out, result.err) == (0, "export RESIL_DNS=127.0.0.1:5353\n", said)


class TestSchema:
    def test_the_schemas_are_printed(self, offline: Offline) -> None:
        config = json.loads(offline.resil("schema").out)
        assert config["properties"].keys() >= {"version", "app", "regions", "routing", "signals"}
        assert "$defs" in config
        runbook = json.loads(offline.resil("schema", "runbook").out)
        assert runbook["properties"].keys() == {"version", "name", "steps"}
        assert {"type": "number"} in config["$defs"]["Objectives"]["properties"]["ttl"]["anyOf"]
