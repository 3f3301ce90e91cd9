"""A user's own files through the real command: rehearsed, or refused with what to mend."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .twin_apps import BANK, MAPS, SHOP, app


def resil(*argv: str, cwd: Path) -> tuple[int, str]:
    argv = (sys.executable, "-m", "resilience_cli", *argv)
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_scenario_out_of_reach_and_files_that_are_wrong_are_the_users_to_mend(tmp_path: Path) -> None:
    code, said = resil("drill", "--config", str(BANK), "arc-two-down", cwd=tmp_path)
    assert (code, "arc-two-down cannot be rehearsed with bank" in said) == (2, True), said
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nname: x\nsteps: [{id: a, step: shfit-traffic}]\n")
    code, said = resil("drill", "--config", str(BANK), "--runbook", str(wrong), "planned", cwd=tmp_path)
    assert (code, "wrong.yaml:3" in said) == (2, True), said
    code, said = resil("drill", "--config", "nowhere.yaml", "planned", cwd=tmp_path)
    assert (code, "nowhere.yaml" in said) == (2, True), said


def test_the_list_is_of_what_the_app_can_play(tmp_path: Path) -> None:
    code, said = resil("drill", "--config", str(SHOP), "--list", cwd=tmp_path)
    assert (code, "planned" in said, "arc-two-down" in said) == (0, True, False)


@pytest.mark.parametrize("config", [SHOP, BANK, MAPS], ids=lambda path: path.stem)
def test_a_users_files_are_rehearsed_by_the_real_command(config: Path, tmp_path: Path) -> None:
    """Three Regions with weights, failover records with health checks, latency records behind ARC: over and back, no
    request failed, no order lost, and the app's own names in what was done."""
    shutil.copytree(config.parent, tmp_path, dirs_exist_ok=True)
    runbook = ("--runbook", "maps-failover.yaml") if config == MAPS else ()
    done = subprocess.run(
        (sys.executable, "-m", "resilience_cli", "drill", "--config", config.name, *runbook, "planned", "-o", "json"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    result = json.loads(done.stdout)
    assert (result["passed"], result["orders"]["lost"], result["orders"]["duplicated"]) == (True, 0, 0)
    assert result["orders"]["acknowledged"] > 100
    assert f"the twin of {app(config).app}, failover by" in done.stderr
    assert f"resil failover --to {app(config).regions.standby[0]}" in done.stderr
    assert not (tmp_path / "state").exists()
