"""The sandbox as a process of its own: brought up, found again, asked for its log and taken down.

One sandbox a state directory (``home``): its lock, the state file written once it answers, its log, and the directory
of each world started.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Protocol

from ..errors import ResilError, UsageError
from .calls import Entry
from .home import Home, State, home

EXPORTS = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "RESIL_CONFIG",
    "RESIL_DNS",
)

START_S = 30.0  # a cold start imports moto and builds a world: a few seconds; this is for a busy machine
STOP_S = 15.0
_ANSWER_S = 10.0
_POLL_S = 0.05


class World(Protocol):
    """What the sandbox serves. Built = its ports are bound."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def exports(self) -> dict[str, str]: ...


class Build(Protocol):
    def __call__(self, directory: Path, port: int = 0, dns_port: int = 0, propagation: float = 1.0) -> World: ...


@dataclass(frozen=True)
class Options:
    """How to start one. Port 0: any free one. ``propagation``: seconds until a Route 53 change is INSYNC."""

    port: int = 0
    dns_port: int = 0
    propagation: float = 1.0


@dataclass(frozen=True)
class Up:
    """What ``up`` found or made. ``notes`` are for the operator, the most important first."""

    state: State
    already: bool
    notes: tuple[str, ...] = ()


def running(environ: Mapping[str, str]) -> State | None:
    """The sandbox that is up and has answered; None where none is."""
    place = home(environ)
    return place.read() if place.holder() is not None else None


def exports(state: State) -> list[tuple[str, str]]:
    """What a shell needs to talk to the sandbox, in a fixed order."""
    return [(name, state.exports[name]) for name in EXPORTS if name in state.exports]


def up(options: Options, environ: Mapping[str, str]) -> Up:
    """A sandbox in a process of its own, ready when this returns; the one that runs already, if one does.

    Raises ResilError, saying which part failed, with nothing left running.
    """
    if (state := running(environ)) is not None:
        return Up(state, already=True, notes=(f"a sandbox runs already (process {state.pid})",))
    place = home(environ)
    place.directory.mkdir(parents=True, exist_ok=True)
    chosen, notes = _free_ports(options)
    pid = _spawn(place, chosen, environ)
    state = _await_ready(place, pid)
    return Up(state, already=False, notes=(*(_with_choice(note, state) for note in notes),))


def serve(
    options: Options, environ: Mapping[str, str], build: Build, announce: Callable[[Up], None], until: threading.Event
) -> None:
    """A sandbox in this process until the event is set. Raises ResilError naming the part that failed to start."""
    place = home(environ)
    with place.held():
        chosen, notes = _free_ports(options)
        world = _started(place, chosen, build)
        try:
            state = State(os.getpid(), _now(), world.exports(), str(place.log))
            place.write(state)
            announce(Up(state, already=False, notes=tuple(_with_choice(note, state) for note in notes)))
            until.wait()
        finally:
            world.stop()


def until_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set: the orderly end of ``serve``. For the main thread only."""
    event = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: event.set())
    return event


def down(environ: Mapping[str, str]) -> bool:
    """Stops the sandbox and waits until it is gone. False where none was running."""
    place = home(environ)
    pid = place.holder()
    if not pid:
        return False
    with contextlib.suppress(ProcessLookupError):  # it may go away by itself in the meantime
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while place.holder() is not None:
        if time.monotonic() > deadline:
            raise ResilError(f"the sandbox (process {pid}) did not stop within {STOP_S:.0f} s", hint=f"kill -9 {pid}")
        time.sleep(_POLL_S)
    _reap(pid)
    return True


def calls(environ: Mapping[str, str], *, writes_only: bool = False) -> list[Entry]:
    """What was asked of the running sandbox, oldest first. Raises UsageError where none runs."""
    answer = ask(environ, "GET", f"/_resil/calls?writes={int(writes_only)}")
    return [Entry(**entry) for entry in answer["calls"]]


def control(environ: Mapping[str, str], wish: dict[str, Any]) -> dict[str, Any]:
    """Turns one of the running world's switches, such as ``{"impair": "us-west-2"}``."""
    return ask(environ, "POST", "/_resil/world", wish)


def ask(environ: Mapping[str, str], method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request to the running sandbox's own pages. Raises UsageError where none runs, ResilError for a refusal."""
    state = running(environ)
    if state is None:
        raise UsageError("no sandbox is running", hint='eval "$(resil sandbox up --detach)"')
    address = state.exports["AWS_ENDPOINT_URL"].removeprefix("http://").rstrip("/")
    connection = HTTPConnection(address, timeout=_ANSWER_S)  # not urllib: it would ask a proxy
    try:
        connection.request(method, path, json.dumps(body).encode() if body is not None else None)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except (OSError, HTTPException, ValueError) as problem:
        raise ResilError(f"the sandbox (process {state.pid}) does not answer: {problem}", hint=state.log) from problem
    finally:
        connection.close()
    if response.status >= 400:
        raise ResilError(f"the sandbox refused: {answer.get('error', response.status)}")
    return answer


def _started(place: Home, options: Options, build: Build) -> World:
    part = "its directory"
    try:
        directory = place.new_world()
        part = "building the world"
        world = build(directory, port=options.port, dns_port=options.dns_port, propagation=options.propagation)
        part = "starting the world"
        try:
            world.start()
        except BaseException:
            world.stop()
            raise
    except Exception as problem:
        message = f"the sandbox did not start: {part} failed: {type(problem).__name__}: {problem}"
        raise ResilError(message) from problem
    return world


def _spawn(place: Home, options: Options, environ: Mapping[str, str]) -> int:
    """The child's process id. It leads a session of its own and writes to the log only."""
    arguments = [sys.executable, "-m", "resilience_cli.sandbox"]
    arguments += [f"--port={options.port}", f"--dns-port={options.dns_port}", f"--propagation={options.propagation}"]
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(place.log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    child_environ = {**environ, "RESIL_SANDBOX_DIR": str(place.directory)}
    return os.posix_spawn(sys.executable, arguments, child_environ, file_actions=streams)


def _await_ready(place: Home, pid: int) -> State:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        state = place.read()
        if state is not None and state.pid == pid:
            return state
        if _reap(pid):
            raise ResilError(_last_words(place), hint=f"its log is {place.log}")
        time.sleep(_POLL_S)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    message = f"the sandbox was not ready within {START_S:.0f} s and was stopped"
    raise ResilError(message, hint=f"its log is {place.log}")


def _reap(pid: int) -> bool:
    """Whether a child of ours has ended; takes its exit status, or it would stay as a zombie."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def _last_words(place: Home) -> str:
    lines = place.log.read_text(errors="replace").strip().splitlines() if place.log.exists() else []
    return lines[-1] if lines else "the sandbox ended before it was ready, without a word"


def _free_ports(options: Options) -> tuple[Options, list[tuple[str, int]]]:
    """The options with taken ports given up, and which those were."""
    taken = []
    if options.port and not _is_free(options.port, socket.SOCK_STREAM):
        taken.append(("AWS_ENDPOINT_URL", options.port))
        options = replace(options, port=0)
    if options.dns_port and not all(
        _is_free(options.dns_port, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    ):
        taken.append(("RESIL_DNS", options.dns_port))
        options = replace(options, dns_port=0)
    return options, taken


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself binds
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _with_choice(taken: tuple[str, int], state: State) -> str:
    name, port = taken
    return f"port {port} is in use; {name} is {state.exports[name]}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
