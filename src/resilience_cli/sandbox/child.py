"""A process of the sandbox and the one that started it: a word a line, both ways, over the child's stdin and stdout.

The child ends when its stdin does, which the kernel sees to however its parent ends; so no process is left behind.
"""

import asyncio
import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ..errors import ResilError

READY, REFUSED = "ready", "refused: "
START_S = 20.0
ANSWER_S = 5.0
STOP_S = 5.0


class Child:
    """One process of ours, by its module's name. Its stderr goes to ``log``."""

    def __init__(self, module: str, log: Path) -> None:
        self._module, self._log = module, log
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()
        self._unread = b""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self, arguments: Sequence[str], sockets: Sequence[int] = ()) -> None:
        """Starts it with these descriptors open; ``await_ready`` says when it is."""
        argv = [sys.executable, "-m", f"resilience_cli.sandbox.{self._module}", *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RESIL_"))}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                pass_fds=sockets,
                env=environment,
                start_new_session=True,  # the terminal's Ctrl-C is for the parent, which ends it in order
            )

    def await_ready(self) -> None:
        """Raises ResilError, with the process's last words, if it does not say so in time."""
        self._read(START_S)

    def say(self, line: str) -> str:
        """One line, and the line it is answered with. Raises ResilError for a refusal, or if there is no answer."""
        with self._guard:
            process = self._running()
            assert process.stdin is not None
            try:
                process.stdin.write(f"{line}\n".encode())
            except OSError as problem:
                raise ResilError(f"{self._module} has ended: {self._last_words()}") from problem
            answer = self._read(ANSWER_S)
        if answer.startswith(REFUSED):
            raise ResilError(f"{self._module} {answer}")
        return answer

    def wait(self, seconds: float) -> int | None:
        """Its exit status once it has ended by itself; None if it has not in time."""
        try:
            return self._running().wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, patience: float = STOP_S) -> None:
        """Ends it, in order if it can in that time, and lets go of it. A second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ResilError(f"{self._module} is not running")
        return self._process

    def _read(self, seconds: float) -> str:
        stdout = self._running().stdout
        assert stdout is not None
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ResilError(f"{self._module} did not answer within {seconds:g} s", hint=str(self._log))
                piece = os.read(stdout.fileno(), 65_536)
                if not piece:
                    raise ResilError(f"{self._module} ended: {self._last_words()}", hint=str(self._log))
                self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
        return lines[-1] if lines else "without a word"


async def obey(steer: Callable[[str], Awaitable[str]]) -> None:
    """The child's side: says that it is ready, then does what each line says, until stdin ends or SIGTERM comes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    loop.add_signal_handler(signal.SIGTERM, reader.feed_eof)
    _tell(READY)
    try:
        while line := (await reader.readline()).decode().strip():
            try:
                _tell(await steer(line))
            except ValueError as problem:
                _tell(REFUSED + " ".join(str(problem).split()))
    finally:
        pipe.close()


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
