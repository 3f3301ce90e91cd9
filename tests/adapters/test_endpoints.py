"""Probes of real servers on loopback."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.adapters.aws.signals import endpoints
from resilience_cli.adapters.aws.signals.endpoints import _silence
from resilience_cli.errors import UsageError
from resilience_cli.model.app import Endpoints
from resilience_cli.model.readings import Level, Reading

from .conftest import WEST, make_app, now


class Server(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    body = b'{"region": "us-west-2"}'
    seen: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/health?deep=1"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen = {"path": self.path, **{name.lower(): value for name, value in self.headers.items()}}
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def look(sessions: Sessions, url: str, **spec: Any) -> Reading:
    whole = Endpoints.model_validate({"kind": "endpoint", "urls": {WEST: url}, "timeout": 0.3} | spec)
    (read,) = endpoints.reads(whole, make_app(), sessions, now)
    (reading,) = read.ask().readings
    return reading


def test_the_expected_answer_is_ok_and_seen_from_here(sessions: Sessions, server: Server) -> None:
    reading = look(sessions, server.url, expect={"status": 200, "body": '"us-west-2"'})
    assert (reading.level, reading.region, reading.seen_from) == (Level.OK, WEST, "here")
    assert server.seen["path"] == "/health?deep=1"


@pytest.mark.parametrize(
    ("status", "spec", "level"),
    [
        (503, {}, Level.BAD),
        (302, {}, Level.BAD),
        (302, {"expect": {"status": 302}}, Level.OK),
        (403, {}, Level.BAD),
        (403, {"auth": "sigv4"}, Level.UNKNOWN),
        (429, {}, Level.UNKNOWN),
        (200, {"expect": {"body": "us-east-1"}}, Level.BAD),
        (200, {"expect": {"within": "0.0001ms"}}, Level.BAD),
    ],
)
def test_an_unexpected_answer_is_bad_unless_it_is_about_the_probe_itself(
    sessions: Sessions, server: Server, status: int, spec: dict[str, Any], level: Level
) -> None:
    server.status = status
    assert look(sessions, server.url, **spec).level is level


def test_the_public_name_is_sent_as_host(sessions: Sessions, server: Server) -> None:
    look(sessions, server.url, host="api.example.com")
    assert server.seen["host"] == "api.example.com"


def test_a_signed_probe_signs_the_public_name_for_its_region(sessions: Sessions, server: Server) -> None:
    look(sessions, server.url, host="api.example.com", auth="sigv4")
    signed = server.seen["authorization"]
    assert f"/{WEST}/execute-api/aws4_request" in signed
    assert "SignedHeaders=" in signed
    assert "host" in signed.partition("SignedHeaders=")[2].partition(",")[0]
    assert server.seen["host"] == "api.example.com"


def test_without_credentials_a_signed_probe_cannot_be_made(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UsageError):
        look(Sessions(), server.url, auth="sigv4")


def test_a_refused_connection_is_bad(sessions: Sessions, server: Server) -> None:
    url = server.url
    server.server_close()
    assert look(sessions, url).level is Level.BAD


def test_a_server_that_hangs_is_bad_within_the_timeout(sessions: Sessions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reading = look(sessions, f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout=0.1)
    assert reading.level is Level.BAD
    assert "timed out" in reading.evidence


def test_a_failed_tls_handshake_is_bad(sessions: Sessions, server: Server) -> None:
    reading = look(sessions, server.url.replace("http:", "https:"), host="api.example.com")
    assert reading.level is Level.BAD


@pytest.mark.parametrize(
    ("cause", "level"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Level.BAD),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), Level.UNKNOWN),
        (OSError(101, "Network is unreachable"), Level.UNKNOWN),
        (OSError(113, "No route to host"), Level.BAD),
    ],
)
def test_what_is_wrong_on_this_side_says_nothing_of_the_endpoint(cause: OSError, level: Level) -> None:
    from urllib3.connection import HTTPConnection
    from urllib3.exceptions import NewConnectionError

    error = NewConnectionError(HTTPConnection("example.com"), f"failed: {cause}")
    error.__cause__ = cause
    assert _silence(error)[0] is level
