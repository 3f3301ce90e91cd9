"""The reference application's Regional endpoints: small real HTTP servers on loopback addresses, one port for all.

``GET /health`` answers 200 with the Region's name; an impaired Region answers 503 for a share of the requests
(1.0 a dead Region, less a grey failure).
"""

import json
import random
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeVar

ATTEMPTS = 20


class Endpoint:
    """One Region's endpoint. ``failing`` is the share of requests answered with 503."""

    def __init__(self, region: str, address: str, port: int, seed: int = 11) -> None:
        self.region, self.address, self.failing = region, address, 0.0
        self._random = random.Random(seed)
        self._server = _Server((address, port), self)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def start(self) -> None:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=f"endpoint-{self.region}")
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and let go of the port; a second stop does nothing."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def fails_now(self) -> bool:
        return self._random.random() < self.failing


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 5.0

    def do_GET(self) -> None:
        endpoint = self.server.endpoint
        if self.path.split("?")[0] != "/health":
            self._answer(404, {"message": "Not Found"})
        elif endpoint.fails_now():
            self._answer(503, {"message": "Service Unavailable"})
        else:
            self._answer(200, {"region": endpoint.region})

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Closable(Protocol):
    """What holds a bound port."""

    @property
    def port(self) -> int: ...
    def stop(self) -> None: ...


Held = TypeVar("Held", bound=Closable)


def bind(addresses: Mapping[str, str], port: int = 0) -> dict[str, Endpoint]:
    """An endpoint for each Region's address, all on one port."""
    return on_one_port(addresses, Endpoint, port)


def on_one_port(addresses: Mapping[str, str], make: Callable[[str, str, int], Held], port: int = 0) -> dict[str, Held]:
    """One of these (Region, address, port) for each Region, all on the given port, or one that is free on all."""
    for attempt in range(1, ATTEMPTS + 1):
        chosen = port
        with ExitStack() as undo:
            made: dict[str, Held] = {}
            try:
                for region, address in addresses.items():
                    made[region] = make(region, address, chosen)
                    undo.callback(made[region].stop)
                    chosen = made[region].port
            except OSError:
                if port or attempt == ATTEMPTS:
                    raise
                continue
            undo.pop_all()
            return made
    raise AssertionError("unreachable: the last attempt returns or raises")
