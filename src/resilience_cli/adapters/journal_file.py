"""Runs kept as files: ``<state>/<app>/runs/<run>.jsonl``, one entry a line, and one lock an app.

An entry is durable when ``append`` returns: the line is written and synced, and the folder too when the file is new.
A crash can leave half a line at the end; it is no entry, and goes before the next one is written.
"""

import fcntl
import json
import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..errors import Busy, UsageError
from ..model.run import Entry
from .masking import mask

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry, config=ConfigDict(defer_build=True))
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_CORRUPT = (
    "leave the file as it is and do not resume this run: see where traffic goes with `resil status`,"
    " then start anew; a new plan is made from what is there"
)


class FileJournal:
    """A ports.JournalStore on one machine's disk."""

    def __init__(self, directory: Path, app: str) -> None:
        self._home = directory / app
        self._runs = self._home / "runs"
        self._lock = directory / f"{app}.lock"

    def append(self, run: str, entry: Entry) -> None:
        """Write one entry and sync it. Raises UsageError where the disk refuses: then it was not recorded."""
        plain = mask(entry.model_dump(mode="json", by_alias=True))
        line = json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode(errors="replace") + b"\n"
        path = self._path(run)
        try:
            self._runs.mkdir(parents=True, exist_ok=True, mode=0o700)
            is_new = not path.exists()
            _append_line(path, line)
            if is_new:
                _sync_folder(self._runs)
        except OSError as error:
            raise UsageError(f"the journal {path} cannot be written: {error.strerror}", hint=_STATE_HINT) from error

    def entries(self, run: str) -> Sequence[Entry]:
        path = self._path(run)
        whole = self._read(run).split(b"\n")[:-1]  # what follows the last newline is a torn tail
        return [_read_line(path, number, line) for number, line in enumerate(whole, 1)]

    def salvage(self, run: str) -> tuple[Sequence[Entry], str]:
        """The entries up to the first that cannot be read, and what is wrong with the rest ("" where nothing is).

        For telling what happened, never for resuming.
        """
        *whole, torn = self._read(run).split(b"\n")
        entries: list[Entry] = []
        for number, line in enumerate(whole, 1):
            try:
                entries.append(_read_line(self._path(run), number, line))
            except UsageError as error:
                return entries, error.message
        return entries, f"line {len(whole) + 1} is torn: it was being written when the run stopped" if torn else ""

    def keep_page(self, run: str, html: str) -> Path:
        """Put the run's page beside its journal, whole or not at all. Raises UsageError where the disk refuses."""
        page = self._path(run).with_suffix(".html")
        draft = page.with_suffix(f".html.{os.getpid()}")
        try:
            draft.touch(mode=0o600)
            draft.write_text(html, encoding="utf-8")
            draft.replace(page)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise UsageError(f"the page {page} cannot be written: {error.strerror}", hint=_PAGE_HINT) from error
        return page

    def _read(self, run: str) -> bytes:
        path = self._path(run)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise UsageError(f"there is no run {run}", hint="`resil runs list` shows them") from error
        except OSError as error:
            raise UsageError(f"the journal {path} cannot be read: {error.strerror}") from error

    def runs(self) -> Sequence[str]:
        try:
            return sorted(path.stem for path in self._runs.glob("*.jsonl"))
        except OSError as error:
            raise UsageError(f"the state folder {self._runs} cannot be read: {error.strerror}") from error

    @contextmanager
    def hold(self, run: str) -> Iterator[None]:
        """Be the app's one run while inside. The kernel lets go when the process ends, however it ends."""
        descriptor = self._open_lock()
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _busy(self._lock, _holder(descriptor)) from error
            except OSError as error:
                raise UsageError(f"{self._lock} cannot be locked: {error.strerror}", hint=_STATE_HINT) from error
            self._name_holder(descriptor, _holding(run))
            yield
            with suppress(OSError):
                _overwrite(descriptor, b"")
        finally:
            os.close(descriptor)

    def _name_holder(self, descriptor: int, who: bytes) -> None:
        """The lock is held whatever is written in it; but a disk that refuses this would refuse the journal too."""
        try:
            _overwrite(descriptor, who)
        except OSError as error:
            raise UsageError(f"{self._lock} cannot be written: {error.strerror}", hint=_STATE_HINT) from error

    def _open_lock(self) -> int:
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            where = f"the state folder {self._lock.parent} cannot be used"
            raise UsageError(f"{where}: {error.strerror}", hint=_STATE_HINT) from error

    def _path(self, run: str) -> Path:
        if not _RUN_ID.fullmatch(run):
            raise UsageError(f"{run!r} is not a run's id", hint="`resil runs list` shows them")
        return self._runs / f"{run}.jsonl"


_PAGE_HINT = "`resil runs report RUN --html FILE` writes it elsewhere"
_STATE_HINT = "name a local, writable folder in resil.yaml: state: {path: FOLDER}"


def _append_line(path: Path, line: bytes) -> None:
    """Cut a torn tail off, then write and sync. Where writing fails half-way, what was written is cut off again."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = _end_of_last_whole_line(descriptor)
        os.ftruncate(descriptor, end)
        try:
            _write_all(descriptor, line, end)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def _end_of_last_whole_line(descriptor: int) -> int:
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - 4096)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def _sync_folder(folder: Path) -> None:
    """A new name is durable only when its folder is synced (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_line(path: Path, number: int, line: bytes) -> Entry:
    try:
        entry = _ENTRY.validate_json(line)
    except ValidationError as error:
        what = f"line {number} of {path} is not an entry this resil can read (damaged, or written by a newer one)"
        raise UsageError(what, hint=_CORRUPT) from error
    if entry.seq != number:
        raise UsageError(f"line {number} of {path} has the number {entry.seq}: entries are missing", hint=_CORRUPT)
    return entry


def _holding(run: str) -> bytes:
    who = {"run": run, "pid": os.getpid(), "host": socket.gethostname(), "since": f"{datetime.now(UTC):%FT%TZ}"}
    return json.dumps(who).encode()


def _holder(descriptor: int) -> dict[str, object]:
    """Who wrote the lock; empty where it cannot be read (the other side may be writing just now)."""
    try:
        who = json.loads(os.pread(descriptor, 4096, 0))
    except (OSError, ValueError):
        return {}
    return who if isinstance(who, dict) else {}


def _overwrite(descriptor: int, data: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, data, 0)


def _busy(lock: Path, who: dict[str, object]) -> Busy:
    known = {name: str(who.get(name, "unknown")) for name in ("run", "pid", "host", "since")}
    message = "another run of this app is going on: {run}, process {pid} on {host}, since {since}".format(**known)
    return Busy(message, hint=f"wait for it, or follow it with `resil runs show {known['run']}` (lock: {lock})")
