"""Real HTTP over loopback: how often a call is sent, and what each way of failing means."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.errors import Denied, Throttled, Uncertain, Unreachable, UsageError


class Server(ThreadingHTTPServer):
    """Answers every request with ``status`` and ``body``; None as status: closes without an answer."""

    daemon_threads = True
    status: int | None = 503
    body = b""
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.status is None:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST

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


def test_a_read_is_sent_twice_at_most_and_a_write_once(sessions: Sessions, server: Server) -> None:
    with pytest.raises(Uncertain):
        sessions.reader("sts", "us-east-1", endpoint=server.url).ask("GetCallerIdentity")
    assert server.asked == 2
    server.asked = 0
    with pytest.raises(Uncertain):
        sessions.writer("route53", "us-east-1", endpoint=server.url).ask("UpdateHealthCheck", HealthCheckId="c1")
    assert server.asked == 1


def test_a_reset_after_sending_is_uncertain(sessions: Sessions, server: Server) -> None:
    server.status = None
    with pytest.raises(Uncertain):
        sessions.writer("route53", "us-east-1", endpoint=server.url).ask("UpdateHealthCheck", HealthCheckId="c1")


def test_a_connection_refused_was_surely_not_sent(sessions: Sessions, server: Server) -> None:
    url = server.url
    server.server_close()
    with pytest.raises(Unreachable):
        sessions.writer("route53", "us-east-1", endpoint=url).ask("UpdateHealthCheck", HealthCheckId="c1")


def test_an_answer_that_cannot_be_read_is_uncertain(sessions: Sessions, server: Server) -> None:
    server.status, server.body = 200, b"<html>not what was asked"
    with pytest.raises(Uncertain):
        sessions.reader("route53", "us-east-1", endpoint=server.url).ask("GetChange", Id="C1")


def test_a_proxys_refusal_is_a_refusal(sessions: Sessions, server: Server) -> None:
    server.status, server.body = 403, b"<html>proxy says no</html>"
    with pytest.raises(Denied):
        sessions.writer("route53", "us-east-1", endpoint=server.url).ask("UpdateHealthCheck", HealthCheckId="c1")


def test_a_throttled_read_waits_a_little_and_gives_up_in_time(sessions: Sessions, server: Server) -> None:
    server.status = 400
    server.body = (
        b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
    )
    began = time.monotonic()
    with pytest.raises(Throttled):
        sessions.reader("route53", "us-east-1", endpoint=server.url).patiently("GetChange", Id="C1")
    assert 3 <= server.asked <= 6
    assert time.monotonic() - began < 10


def test_where_there_is_another_endpoint_a_throttled_read_does_not_wait(sessions: Sessions, server: Server) -> None:
    server.status, server.body = 429, b"<ErrorResponse/>"
    with pytest.raises(Throttled):
        sessions.reader("route53", "us-east-1", endpoint=server.url, elsewhere=True).patiently("GetChange", Id="C1")
    assert server.asked == 1


def test_clients_are_made_once_whoever_asks(sessions: Sessions) -> None:
    with ThreadPoolExecutor(8) as pool:
        clients = set(pool.map(lambda _: id(sessions.reader("sts", "us-west-2").client), range(16)))
    assert len(clients) == 1
    assert sessions.reader("sts", "us-west-2") != sessions.writer("sts", "us-west-2")


def test_every_client_is_bounded_and_says_who_asks(sessions: Sessions) -> None:
    for api, limit_s in ((sessions.reader("sts", "us-west-2"), 6), (sessions.writer("route53", "us-east-1"), 10)):
        config = api.client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (3, limit_s)
        assert "resil/" in config.user_agent
    assert sessions.reader("sts", "us-west-2").url == "https://sts.us-west-2.amazonaws.com"


def test_no_credentials_is_a_usage_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    sessions = Sessions()
    for ask in (sessions.credentials, lambda: sessions.reader("sts", "us-west-2").ask("GetCallerIdentity")):
        with pytest.raises(UsageError) as told:
            ask()
        assert "\n" not in told.value.message
        assert "AWS_PROFILE" in told.value.hint


def test_an_unknown_profile_is_a_usage_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match="nobody"):
        Sessions().reader("sts", "us-west-2")
