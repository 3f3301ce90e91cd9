"""The sandbox as a process: up, found again, asked, and down without a trace; or not up at all, and said why."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from resilience_cli.errors import Busy, ResilError, UsageError
from resilience_cli.sandbox import daemon
from resilience_cli.sandbox.daemon import Options, Up
from resilience_cli.sandbox.home import Home, State, home
from resilience_cli.sandbox.server import Sandbox


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user whose sandbox, if the test leaves one running, is stopped."""
    own = {**os.environ, "RESIL_SANDBOX_DIR": str(tmp_path / "sandbox")}
    yield own
    daemon.down(own)


class SmallWorld:
    """A world without services, to hold in this process."""

    def __init__(self, directory: Path, port: int = 0, dns_port: int = 0, propagation: float = 1.0) -> None:
        self.sandbox = Sandbox([], port=port, control=lambda wish: {"propagation": propagation, **wish})

    def start(self) -> None:
        self.sandbox.start()

    def stop(self) -> None:
        self.sandbox.stop()

    def exports(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.sandbox.url, "AWS_DEFAULT_REGION": "us-west-2"}


def taken_port() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_a_detached_sandbox_comes_up_is_found_again_and_goes_down(environ: dict[str, str]) -> None:
    made = daemon.up(Options(), environ)
    assert not made.already
    assert [name for name, _ in daemon.exports(made.state)] == list(daemon.EXPORTS)
    again = daemon.up(Options(), environ)
    assert (again.already, again.state) == (True, made.state)
    assert "runs already" in again.notes[0]
    port = int(dict(daemon.exports(made.state))["AWS_ENDPOINT_URL"].rpartition(":")[2])
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/some-bucket/some-key")
    connection.getresponse().read()
    connection.close()
    assert [entry.operation for entry in daemon.calls(environ)] == ["GetObject"]
    assert daemon.calls(environ, writes_only=True) == []
    assert daemon.down(environ)
    assert not daemon.down(environ)
    assert daemon.running(environ) is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_child_that_cannot_start_says_which_part_failed_and_leaves_nothing(environ: dict[str, str]) -> None:
    place = home(environ)
    place.directory.mkdir(parents=True)
    (place.directory / "worlds").write_text("in the way")
    with pytest.raises(ResilError, match="did not start: its directory failed"):
        daemon.up(Options(), environ)
    assert place.holder() is None
    assert place.read() is None


class Held:
    """A sandbox served by a thread of this process."""

    def __init__(self, environ: dict[str, str], options: Options) -> None:
        self.until = threading.Event()
        self.announced: list[Up] = []
        arguments = (options, environ, SmallWorld, self.announced.append, self.until)
        self.thread = threading.Thread(target=daemon.serve, args=arguments)

    def __enter__(self) -> Up:
        self.thread.start()
        deadline = time.monotonic() + 10
        while not self.announced and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.announced[0]

    def __exit__(self, *_: object) -> None:
        self.until.set()
        self.thread.join(10)


def test_in_the_foreground_it_announces_itself_and_ends_when_told(environ: dict[str, str]) -> None:
    with Held(environ, Options(propagation=0.25)) as made:
        assert made.state.pid == os.getpid()
        assert daemon.running(environ) == made.state
        assert daemon.exports(made.state)[0][0] == "AWS_ENDPOINT_URL"
        assert daemon.control(environ, {"impair": "us-west-2"}) == {"propagation": 0.25, "impair": "us-west-2"}
        with pytest.raises(Busy):
            daemon.serve(Options(), environ, SmallWorld, lambda _: None, threading.Event())
    assert daemon.running(environ) is None


def test_a_port_in_use_is_given_up_for_another_and_both_are_told(environ: dict[str, str]) -> None:
    with taken_port() as taken:
        port = taken.getsockname()[1]
        with Held(environ, Options(port=port)) as made:
            assert f"port {port} is in use" in made.notes[0]
            assert made.state.exports["AWS_ENDPOINT_URL"] in made.notes[0]


@pytest.mark.parametrize("part", ["building the world", "starting the world"])
def test_a_world_that_fails_is_named_by_its_part_and_stopped(environ: dict[str, str], part: str) -> None:
    made: list[SmallWorld] = []

    class Broken(SmallWorld):
        def __init__(self, directory: Path, port: int = 0, dns_port: int = 0, propagation: float = 1.0) -> None:
            if part == "building the world":
                raise OSError("no loopback address")
            super().__init__(directory, port, dns_port, propagation)
            made.append(self)

        def start(self) -> None:
            raise OSError("no thread")

    with pytest.raises(ResilError, match=f"{part} failed: OSError: no "):
        daemon.serve(Options(), environ, Broken, lambda _: None, threading.Event())
    assert home(environ).holder() is None
    for world in made:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", world.sandbox.port), timeout=1)


def test_without_a_sandbox_its_log_cannot_be_asked_for(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="no sandbox is running"):
        daemon.calls(environ)


def test_a_state_file_whose_process_died_counts_as_nothing_running(environ: dict[str, str]) -> None:
    place = home(environ)
    place.directory.mkdir(parents=True)
    place.lock.write_text("1")
    place.write(State(1, "2026-05-01T00:00:00Z", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, ""))
    assert daemon.running(environ) is None
    assert not daemon.down(environ)


@pytest.mark.parametrize(
    ("environ_", "directory"),
    [
        ({"RESIL_SANDBOX_DIR": "/a/b", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/a/b"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/resil/sandbox"),
        ({"HOME": "/h"}, "/h/.local/state/resil/sandbox"),
    ],
    ids=["own", "xdg", "home"],
)
def test_the_state_directory_follows_the_environment(environ_: dict[str, str], directory: str) -> None:
    found: Home = home(environ_)
    assert found.directory == Path(directory)
