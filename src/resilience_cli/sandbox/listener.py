"""The sandbox's ears: a small threaded HTTP/1.1 server with keep-alive, bytes in and bytes out.

Werkzeug's own server closes every connection after one answer, which costs an SDK client a new one for each
call; this one keeps them, sends an answer in a single write, and on stop leaves no port, connection or thread.
"""

import io
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import responses as REASONS
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal, assert_never

from .delivery import Delivery, deliver, is_to_be_reset

_JOIN_S = 2.0  # how long stop() waits for one connection's thread; a handler hung on purpose must not hold it up
_MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One HTTP request. ``path`` is as it arrived, percent-encoded: an encoded slash in an ARN separates nothing."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes

    def header(self, name: str) -> str:
        """The header's value, "" where there is none. Names are case-insensitive."""
        return str(self.headers.get(name, ""))


@dataclass(frozen=True)
class Response:
    """An answer, sent whole and at once where ``delivery`` does not say otherwise."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery | None = None


App = Callable[[Request], Response | None]
"""Answers a request; None closes the connection without an answer."""

State = Literal["open", "closed", "full"]
"""A port that is ``closed`` refuses connections; on one that is ``full`` (of a backlog not worked off) they hang."""

_BACKLOG = 128
_FILLERS = 4  # Linux queues one connection more than the backlog says; the rest are for other systems


class _Connection(BaseHTTPRequestHandler):
    """One client's connection, for as long as it is kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or small answers wait for the client's delayed acknowledgement
    server: Any

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        response = self.server.app(Request(self.command, path, query, self.headers, self._body()))
        if response is None:
            self.close_connection = True
            return
        head, body = self._head(response), b"" if self.command == "HEAD" else response.body
        if response.delivery is None:
            self.wfile.write(head + body)
            return
        self.close_connection = True
        deliver(self.connection, head, body, response.delivery)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve

    def _head(self, response: Response) -> bytes:
        """Status line and headers. Content-Length is ours, except on HEAD where it speaks of the body not sent."""
        headers = {name: value for name, value in response.headers.items() if name.lower() != "transfer-encoding"}
        if self.command != "HEAD" or not any(name.lower() == "content-length" for name in headers):
            headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
            headers["Content-Length"] = str(len(response.body))
        lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _body(self) -> bytes:
        if "chunked" in str(self.headers.get("Transfer-Encoding", "")).lower():
            return self._chunks()
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MAX_BODY))

    def _chunks(self) -> bytes:
        body = io.BytesIO()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body.write(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers end at the first empty line
            pass
        return body.getvalue()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what was asked is in the call log."""


class Listener:
    """One listening port and its threads. Bound when made, so that its URL is known before it answers."""

    def __init__(self, app: App, host: str = "127.0.0.1", port: int = 0) -> None:
        self.app = app
        self._socket = socket.create_server((host, port), backlog=_BACKLOG)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self.state: State = "open"
        self._stopping = self._started = False
        self._accepting: threading.Thread | None = None
        self._pausing = threading.Event()
        self._fillers: list[socket.socket] = []
        self._open: dict[threading.Thread, socket.socket] = {}
        self._guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        self._started = True
        if self._accepting is None and self.state == "open":
            self._pausing.clear()
            self._accepting = threading.Thread(
                target=self._accept, args=(self._socket,), name=f"listener-{self.port}", daemon=True
            )
            self._accepting.start()

    def become(self, state: State) -> None:
        """Closes, fills or opens the port; its number stays. What was connected is hung up when it closes or fills."""
        if state == self.state or self._stopping:
            return
        self._pause()
        match state:
            case "closed":
                self._close_port()
            case "full":
                self._socket.listen(0)
                self._fillers = [_knocking(self.host, self.port) for _ in range(_FILLERS)]
            case "open":
                self._socket.listen(_BACKLOG)
            case _:
                assert_never(state)
        self.state = state
        if self._started:
            self.start()

    def stop(self) -> None:
        """Closes the port and every connection, and waits for their threads. A second call does nothing."""
        if self._stopping:
            return
        self._stopping = True
        still_open = self._pause()
        self._socket.close()
        for thread in still_open:
            thread.join(_JOIN_S)

    def _pause(self) -> list[threading.Thread]:
        """Accepts no more and hangs up on everybody; the threads that have still to notice."""
        if self._accepting is not None:
            self._pausing.set()
            self._wake()
            self._accepting.join(_JOIN_S)
            self._accepting = None
        for filler in self._fillers:
            filler.close()
        self._fillers = []
        with self._guard:
            still_open = list(self._open.items())
        for _, connection in still_open:
            _hang_up(connection)
        return [thread for thread, _ in still_open]

    def _close_port(self) -> None:
        """Bound, but not listening: connections are refused, and nobody else is given the port in the meantime."""
        self._socket.close()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((self.host, self.port))

    def _wake(self) -> None:
        """Ends a blocked accept() by connecting once: closing the socket does not wake it on every platform."""
        try:
            socket.create_connection((self.host, self.port), timeout=_JOIN_S).close()
        except OSError:
            return

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, address = listening.accept()
            except OSError:
                return
            if self._pausing.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._converse, args=(connection, address), daemon=True)
            with self._guard:
                self._open[thread] = connection
            thread.start()

    def _converse(self, connection: socket.socket, address: Any) -> None:
        try:
            _Connection(connection, address, self)  # type: ignore[arg-type]  # reads .app only; no socketserver needed
        except (OSError, ValueError):
            pass  # the client went away, or did not speak HTTP
        finally:
            with self._guard:
                self._open.pop(threading.current_thread(), None)
            if not is_to_be_reset(connection):
                _hang_up(connection)
            connection.close()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _knocking(host: str, port: int) -> socket.socket:
    """A connection that takes a place in the backlog, or waits for one."""
    filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    filler.setblocking(False)
    filler.connect_ex((host, port))
    return filler
