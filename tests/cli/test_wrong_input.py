"""Words that do not serve: exit 2, nothing is read or changed, and the nearest right word is named."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from resilience_cli.adapters.memory import MemoryWorld

from .offline import Offline, facts


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path, MemoryWorld(facts()))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("failover --to us-est-1 --yes", "--to us-est-1: not a serving Region of this app\n  did you mean us-east-1? "),
        ("failover --to us-east-2 --yes", "--to us-east-2: not a serving Region of this app"),
        ("failover --to us-east-1 --from us-east-1 --yes", "--to and --from both name us-east-1"),
        ("failover --yes", "failover needs --to REGION\n  the serving Regions are us-west-2, us-east-1"),
        ("failover --to us-east-1 --yes --approve abcdefabcdef", "--yes and --approve exclude each other"),
        ("failover --to us-east-1 --approve abc", "abc is no digest"),
        ("failover --to us-east-1 --approve", "'--approve' requires an argument"),
        ("failover --to us-east-1 --yes --override drift", "--override needs --reason TEXT"),
        ("failover --to us-east-1 --yes --override drift --reason ' '", "--override needs --reason TEXT"),
        ("failover --to us-east-1 --yes --reason why", "--reason goes with --override GUARD"),
        ("failover --to us-east-1 --yes --override drfit --reason x", "drfit is not a guard\n  did you mean drift? "),
        ("failover --to us-east-1 --yes --mode emergncy", "'emergncy' is not one of"),
        ("failover --to us-east-1 --yess", "No such option: --yess"),
        ("failover --to us-east-1 --force", "No such option: --force"),
        ("plan", "which plan?\n  --to REGION for a failover, --failback for the way home"),
        ("plan --to us-east-1 --failback", "--to and --failback exclude each other"),
        ("apply no-such-file --yes", "no-such-file: cannot be read"),
        ("apply", "Missing argument 'FILE'"),
        ("status --config no-such-file.yaml", "no-such-file.yaml: there is no such file (name another with --config"),
        ("status --watch --every 0", "greater than or equal to 1"),
        ("statsu", "No such command 'statsu'. Did you mean 'status'?"),
        ("runs show ../../etc/passwd", "is not a run's id"),
        ("drill no-such-drill", "there is no drill no-such-drill"),
        ("schema runbok", "'runbok' is not one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(offline: Offline, typed: str, told: str) -> None:
    result = offline.resil(*shlex.split(typed))
    assert result.code == 2
    assert told in result.err
    assert result.out == ""
    assert [record.weight for record in offline.world.facts.zones[0].records] == [100, 0]


def test_every_problem_of_the_config_is_listed_with_its_line(offline: Offline) -> None:
    offline.config.write_text(offline.config.read_text().replace("weighted", "weigted").replace("app:", "ap:"))
    result = offline.resil("validate", "--config", str(offline.config))
    assert result.code == 2
    assert result.err.splitlines() == [
        f"{offline.config}:2: ap is not a key here (did you mean app?)",
        f"{offline.config}:8: routing[0].policy: weigted is not known here"
        " (did you mean weighted? one of weighted, latency, failover)",
        "error: 2 problems found",
    ]
    annotated = offline.resil("validate", "--config", str(offline.config), "--output", "github")
    assert annotated.out.startswith(f"::error file={offline.config},line=2::ap is not a key here")


def test_a_config_without_problems_is_said_to_be_fine(offline: Offline) -> None:
    result = offline.resil("validate", "--config", str(offline.config))
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"ok: {offline.config}: app orders")


def test_the_config_is_taken_from_the_environment(
    offline: Offline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESIL_CONFIG", str(tmp_path / "elsewhere.yaml"))
    assert "elsewhere.yaml: there is no such file" in offline.resil("status").err


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("AWS_ENDPOINT_URL", "http://[bad"),
        ("AWS_ENDPOINT_URL", "garbage"),
        ("AWS_ENDPOINT_URL_ROUTE53", "http://[::1"),
    ],
)
def test_an_endpoint_in_the_environment_that_is_no_url_is_named(offline: Offline, variable: str, url: str) -> None:
    """In a process of its own: the real World is opened, and its write guard stays for as long as a process lives."""
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", "resilience_cli", "status", "--config", str(offline.config)]
    env = {"PATH": os.environ["PATH"], "HOME": str(offline.folder), variable: url} | keys
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"error: {variable}={url}: not the URL of an endpoint\n")
