"""Credentials in the commands: whose STS is asked first, and what is said where they may end before a run does."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from resilience_cli.adapters.memory import MemoryWorld

from .offline import EAST, NOW, WEST, Offline, at_a_terminal, facts


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path, MemoryWorld(facts()))


def leaving(offline: Offline, seconds: float) -> None:
    """The caller's credentials end so soon."""
    known = offline.world.facts
    assert known.caller is not None
    caller = known.caller.model_copy(update={"expires_at": NOW + timedelta(seconds=seconds)})
    offline.world.facts = known.model_copy(update={"caller": caller})


@pytest.mark.parametrize(
    ("command", "region"),
    [
        (("failover", "--to", EAST, "--dry-run"), EAST),
        (("plan", "--to", EAST), EAST),
        (("failback", "--dry-run"), WEST),
        (("plan", "--failback"), WEST),
    ],
)
def test_credentials_are_asked_for_first_where_traffic_is_to_go(
    offline: Offline, command: tuple[str, ...], region: str
) -> None:
    assert offline.resil(*command).code == 0
    assert offline.preferred[-1] == (region,)


def test_apply_and_resume_ask_first_in_the_region_their_plan_moves_to(offline: Offline, tmp_path: Path) -> None:
    kept = tmp_path / "plan.json"
    assert offline.resil("plan", "--to", EAST, "--out", str(kept)).code == 0
    assert offline.resil("apply", str(kept), "--yes").code == 0
    assert offline.preferred[-1] == (EAST,)
    assert offline.resil("runs", "resume", "--yes").code == 2  # it is done: there is nothing to resume
    assert offline.preferred[-2:] == [(), (EAST,)]  # once to read the journal, then to go on


def test_who_is_asked_to_agree_is_told_first_that_the_credentials_may_not_last(offline: Offline) -> None:
    leaving(offline, 20)
    result = offline.resil("failover", "--to", EAST, terminal=at_a_terminal("no\n"))
    assert result.code == 2
    asked = " ".join(result.err.split())
    assert "CREDENTIALS these credentials expire in 20 s; the run may need" in asked
    assert "Note: these credentials expire in 20 s; the run may need 90 s: renew them first. This will change" in asked


def test_with_time_enough_nothing_is_said_and_programs_are_told_when(offline: Offline) -> None:
    leaving(offline, 7200)
    result = offline.resil("failover", "--to", EAST, terminal=at_a_terminal("no\n"))
    assert "credentials" not in result.err
    told = json.loads(offline.resil("plan", "--to", EAST, "--output", "json").out)
    assert told["credentials_expire_at"] == "2026-07-30T05:00:00.000Z"


def test_status_tells_of_credentials_that_end_soon(offline: Offline) -> None:
    leaving(offline, 600)
    assert "these credentials expire in 10 min: renew them" in offline.resil("status").out
