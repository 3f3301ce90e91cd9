"""How commands end when things go wrong: the exit code, what is said, and that the next command works."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from resilience_cli import wiring
from resilience_cli.adapters.memory import MemoryWorld
from resilience_cli.cli.terminal import Terminal
from resilience_cli.errors import Denied, Uncertain
from resilience_cli.model.effects import Effect, Receipt
from resilience_cli.model.facts import EndpointOverride

from .offline import Offline, Screen, facts

FAILOVER = ("failover", "--to", "us-east-1", "--yes")


class Troubled(MemoryWorld):
    """A world in which the first write meets trouble, before or after it took effect."""

    def __init__(self, trouble: Callable[[], object], *, after: bool = False) -> None:
        super().__init__(facts())
        self.trouble, self.after, self.left = trouble, after, 1

    def perform(self, effect: Effect) -> Receipt:
        if self.left == 0:
            return super().perform(effect)
        self.left -= 1
        receipt = super().perform(effect) if self.after else Receipt()
        self.trouble()
        return receipt


class Broken(MemoryWorld):
    """A world that meets a bug of ours."""

    def overrides(self) -> Sequence[EndpointOverride]:
        raise TypeError("a bug\x1b[31m")


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def trouble() -> NoReturn:
        raise error

    return trouble


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("trouble", [raising(KeyboardInterrupt()), terminate])
def test_an_interrupted_run_says_how_to_resume_and_resumes(
    tmp_path: Path, trouble: Callable[[], object], after: bool
) -> None:
    offline = Offline(tmp_path, Troubled(trouble, after=after))
    result = offline.resil(*FAILOVER)
    assert result.code == 130
    assert "NEXT  resil runs resume 2026" in result.out
    assert offline.resil("runs", "show").code == 0
    again = offline.resil("runs", "resume", "--yes")
    assert again.code == 0
    assert "resumed by" in again.err
    assert offline.resil("status", "--check").code == 12


def test_a_write_that_was_denied_changed_nothing_and_says_so(tmp_path: Path) -> None:
    result = Offline(tmp_path, Troubled(raising(Denied("not allowed", code="AccessDenied")))).resil(*FAILOVER)
    assert result.code != 0
    assert "not allowed" in result.err


def test_a_write_that_may_have_happened_is_settled_by_reading(tmp_path: Path) -> None:
    offline = Offline(tmp_path, Troubled(raising(Uncertain("timed out")), after=True))
    assert offline.resil(*FAILOVER).code == 0


def test_a_second_run_is_told_who_holds_the_app(tmp_path: Path) -> None:
    offline = Offline(tmp_path, MemoryWorld(facts()))
    with offline.open_app(None, wiring.Access.READS).journal.hold("another"):
        result = offline.resil(*FAILOVER)
    assert result.code == 7
    assert f"another run of this app is going on: another, process {os.getpid()}" in result.err


def test_a_bug_is_short_unless_the_traceback_is_asked_for(tmp_path: Path) -> None:
    offline = Offline(tmp_path, Broken(facts()))
    quiet = offline.resil("status")
    assert quiet.code == 1
    assert quiet.err.startswith("error: a bug in resil: TypeError: a bug [31m\n")
    assert "Traceback" in offline.resil("status", env={"RESIL_DEBUG": "1"}).err


def test_a_result_that_could_not_be_written_is_no_success(tmp_path: Path) -> None:
    offline = Offline(tmp_path, MemoryWorld(facts()))
    with open("/dev/full", "w") as full:
        result = offline.resil("status", terminal=Terminal(Screen(), full, Screen(), {}))
    assert result.code == 1
    assert result.err == "error: the result could not be written: No space left on device\n"


def test_a_terminal_without_unicode_is_told_the_same_in_ascii(tmp_path: Path) -> None:
    offline = Offline(tmp_path, MemoryWorld(facts()))
    offline.config = tmp_path / "zürich.yaml"
    ascii_only = Terminal(Screen(), Screen(encoding="ascii"), Screen(encoding="ANSI_X3.4-1968"), {})
    result = offline.resil("status", terminal=ascii_only)
    assert result.code == 2
    assert "z\\xfcrich.yaml: there is no such file" in result.err


def process(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "resilience_cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )


def test_the_process_exits_with_the_commands_code(tmp_path: Path) -> None:
    assert process("--version").stdout.startswith("resil ")
    assert process("failover", "--to", "us-east-1").returncode == 2
    assert process("status", "--config", str(tmp_path / "no.yaml")).returncode == 2


def test_a_closed_stdout_and_a_reader_that_left_are_quiet() -> None:
    resil = f"{sys.executable} -m resilience_cli schema"
    for command in (f"{resil} >&-", f"{resil} | head -c 1 >/dev/null"):
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], check=False, capture_output=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, b"")


def test_help_imports_nothing_heavy() -> None:
    heavy = ("pydantic", "boto3", "botocore", "rich", "yaml", "tenacity", "dns", "asyncio")
    script = (
        "import sys\nfrom resilience_cli.cli.entry import run_main\n"
        f"code = run_main(['--help'])\nprint([m for m in {heavy!r} if m in sys.modules], code)"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=30)
    assert shown.stdout.splitlines()[-1] == "[] 0"
