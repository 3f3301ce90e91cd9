"""The SDK's own Stubber as AWS: it checks questions and answers against the service models, and opens no socket."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import StubResponseError
from botocore.stub import Stubber

from resilience_cli.adapters.aws.session import Sessions
from resilience_cli.model.app import App

NOW = datetime(2026, 10, 6, 3, 0, 30, tzinfo=UTC)
WEST, EAST, OBSERVER = "us-west-2", "us-east-1", "us-east-2"
PANEL = "arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef0123456789abcdef"
WEST_CONTROL, EAST_CONTROL = f"{PANEL}/routingcontrol/1111111111111111", f"{PANEL}/routingcontrol/2222222222222222"

Stub = Callable[..., Stubber]
Answering = Callable[..., str]


class _Watched(Stubber):
    """Keeps what it was surprised by: the adapters tell it as trouble, which a test may be expecting of AWS."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.surprises: list[str] = []

    def _assert_expected_call_order(self, model: Any, params: Any) -> None:
        self._watch(super()._assert_expected_call_order, model, params)  # type: ignore[misc]

    def _assert_expected_params(self, model: Any, params: Any, context: Any, **kwargs: Any) -> None:
        self._watch(super()._assert_expected_params, model, params, context, **kwargs)  # type: ignore[misc]

    def _watch(self, check: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        try:
            check(*args, **kwargs)
        except StubResponseError as surprise:
            self.surprises.append(str(surprise))
            raise


@pytest.fixture(autouse=True)
def _no_ambient_aws(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The SDK sees fixed keys and nothing of the machine's own configuration."""
    import os

    for name in [name for name in os.environ if name.startswith(("AWS_", "RESIL_"))]:
        monkeypatch.delenv(name)
    empty = str(tmp_path_factory.getbasetemp() / "no-such-file")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_CONFIG_FILE": empty,
        "AWS_SHARED_CREDENTIALS_FILE": empty,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sessions(_no_ambient_aws: None) -> Sessions:
    return Sessions()


@pytest.fixture
def stub(sessions: Sessions) -> Iterator[Stub]:
    """``stub(service, region, ...)``: a Stubber on that very client; at the end all of its answers must be used."""
    stubbers: list[_Watched] = []

    def make(service: str, region: str, *, writes: bool = False, **how: Any) -> Stubber:
        api = sessions.writer(service, region, **how) if writes else sessions.reader(service, region, **how)
        stubbers.append(_Watched(api.client))
        stubbers[-1].activate()
        return stubbers[-1]

    yield make
    for stubber in stubbers:
        stubber.assert_no_pending_responses()
        assert stubber.surprises == []


class _Page(BaseHTTPRequestHandler):
    """Status 200 for every request, and a body by how its path ends: what stands before AWS may answer so."""

    bodies: Mapping[str, bytes] = {}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        path = self.path.partition("?")[0].rstrip("/")
        body = next(body for end, body in self.bodies.items() if path.endswith(end))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[Answering]:
    """``answering(body, {path's end: body})``: the URL of a server on loopback that says so, whatever it is asked."""
    with ExitStack() as open_servers:

        def make(body: bytes, by_path: Mapping[str, bytes] | None = None) -> str:
            handler = type("Page", (_Page,), {"bodies": {**(by_path or {}), "": body}})
            server = open_servers.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            open_servers.callback(thread.join)
            open_servers.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield make


def now() -> datetime:
    return NOW


def make_app(*signals: dict[str, Any], route: dict[str, Any] | None = None, **more: Any) -> App:
    """The reference app: weighted records in two Regions, watched from a third."""
    routing = {
        "zone": "example.com",
        "record": {"name": "api.example.com"},
        "policy": "weighted",
        "endpoints": {WEST: {"set_identifier": "west"}, EAST: {"set_identifier": "east"}},
        "levers": ["weights"],
        "home": {WEST: 100, EAST: 0},
    } | (route or {})
    regions = {"primary": WEST, "standby": [EAST], "observer": OBSERVER}
    whole = {"version": 1, "app": "orders", "account": "123456789012", "regions": regions, "routing": [routing]}
    return App.model_validate(whole | {"signals": signals} | more)
