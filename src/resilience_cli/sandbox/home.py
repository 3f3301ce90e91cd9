"""Where a sandbox lives: its state directory, and the lock that says whether it is alive.

The sandbox holds the lock for as long as it lives. Whether one runs is thereby a question to the kernel, not to a
process id that may have been given to somebody else since.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import Busy

_PATIENCE_S = 1.0  # looking at the lock takes it for a moment: a sandbox that starts just then tries again


@dataclass(frozen=True)
class State:
    """A sandbox that answers."""

    pid: int
    started: str
    exports: dict[str, str]
    log: str


class Home:
    """The state directory and what lies in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = directory / "lock"
        self.state = directory / "state.json"
        self.log = directory / "sandbox.log"

    def new_world(self) -> Path:
        """A directory for one world, so that journals of earlier ones stay readable and out of its way."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        world = self.directory / "worlds" / f"{stamp}-{os.getpid()}"
        world.mkdir(parents=True)
        return world

    def write(self, state: State) -> None:
        """The whole file or none of it; it holds an access key, if only a made-up one."""
        draft = self.state.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(state), file)
        draft.replace(self.state)

    def read(self) -> State | None:
        try:
            return State(**json.loads(self.state.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def holder(self) -> int | None:
        """The process id of the sandbox that lives here, answering or not; None where none does."""
        try:
            with self.lock.open("r+") as file:
                return None if _locked(file.fileno()) else int(file.read() or 0)
        except FileNotFoundError:
            return None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock, this process's id in it. Raises Busy if another does."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.lock.open("a+") as file:
            deadline = time.monotonic() + _PATIENCE_S
            while not _locked(file.fileno()):
                if time.monotonic() > deadline:
                    raise Busy("another sandbox runs in this state directory", hint="resil sandbox down")
                time.sleep(0.02)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                self.state.unlink(missing_ok=True)


def home(environ: Mapping[str, str]) -> Home:
    """$RESIL_SANDBOX_DIR, else resil/sandbox under the XDG state directory (XDG Base Directory Specification)."""
    if own := environ.get("RESIL_SANDBOX_DIR"):
        return Home(Path(own).absolute())
    base = environ.get("XDG_STATE_HOME")
    state = Path(base) if base else Path(environ.get("HOME", "~")).expanduser() / ".local" / "state"
    return Home((state / "resil" / "sandbox").absolute())


def _locked(descriptor: int) -> bool:
    """Takes the lock if nobody has it; it goes when the file is closed or the process ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
