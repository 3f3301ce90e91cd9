"""HTTP/1.1 with keep-alive over asyncio streams, both sides; what the bytes mean is h11's business.

Order services and their clients speak it: hundreds of small exchanges a second in one thread each.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import h11

_CHUNK = 65_536
Headers = Mapping[str, str]


class Gone(Exception):
    """The other side closed the connection, or spoke no HTTP, before the answer was whole."""


@dataclass(frozen=True)
class Message:
    """A request that came in: ``target`` is the path with its query."""

    method: str
    target: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Connection:
    """A client's connection: one exchange at a time, for as long as both sides keep it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader, self._writer, self._host = reader, writer, host
        self._state = h11.Connection(h11.CLIENT)

    @classmethod
    async def open(cls, address: str, port: int, host: str = "") -> Self:
        """Raises OSError. ``host`` is the name asked for, where it is not the address."""
        reader, writer = await asyncio.open_connection(address, port)
        _without_delay(writer)
        return cls(reader, writer, host or f"{address}:{port}")

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent: the last exchange is over, and the server has not hung up."""
        return self._state.our_state is h11.IDLE and not self._reader.at_eof() and not self._writer.is_closing()

    async def ask(self, method: str, target: str, body: bytes = b"", headers: Headers | None = None) -> Answer:
        """One exchange. Raises Gone or OSError. Cancelled or failed, the connection is good for nothing more."""
        fields = [("Host", self._host), ("Content-Length", str(len(body))), *(headers or {}).items()]
        request = h11.Request(method=method, target=target, headers=fields)
        try:
            parts = [self._state.send(request), self._state.send(h11.Data(body)), self._state.send(h11.EndOfMessage())]
            self._writer.write(b"".join(part or b"" for part in parts))
            await self._writer.drain()
            return await self._answer()
        except h11.ProtocolError as problem:
            raise Gone(str(problem)) from problem

    async def _answer(self) -> Answer:
        head: h11.Response | None = None
        body = b""
        while True:
            match event := await self._next():
                case h11.Response():
                    head = event
                case h11.Data():
                    body += bytes(event.data)
                case h11.EndOfMessage() if head is not None:
                    if self._state.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                        self._state.start_next_cycle()
                    names = {name.decode().lower(): value.decode("latin-1") for name, value in head.headers}
                    return Answer(head.status_code, body, names)
                case h11.ConnectionClosed():
                    raise Gone("the server closed the connection")
                case _:
                    continue  # an interim answer, such as 100

    async def _next(self) -> h11.Event:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            self._state.receive_data(await self._reader.read(_CHUNK))
        if isinstance(event, type):
            raise Gone("the server sent more than it was asked for")
        return event

    def close(self) -> None:
        """At once, whatever is under way."""
        self._writer.transport.abort()


Handler = Callable[[Message], Awaitable[Answer | None]]
"""Answers a request; None never does."""


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    """A server's side of one connection, until the client leaves, errs, or asks for it to be closed."""
    _without_delay(writer)
    state = h11.Connection(h11.SERVER)
    try:
        while (message := await _request(state, reader)) is not None:
            answer = await handler(message)
            if answer is None:
                return await _stay_silent(reader)
            writer.write(_written(state, answer))
            await writer.drain()
            if state.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                return
            state.start_next_cycle()
    except (OSError, h11.ProtocolError):
        return  # the client went away, or spoke no HTTP
    finally:
        writer.close()


async def _stay_silent(reader: asyncio.StreamReader) -> None:
    """Reads on without a word until the client gives up: a connection that is held for ever would cost a descriptor."""
    while await reader.read(_CHUNK):
        continue


async def _request(state: h11.Connection, reader: asyncio.StreamReader) -> Message | None:
    """The next request, whole; None when the client has left between two."""
    head: h11.Request | None = None
    body = b""
    while True:
        match event := state.next_event():
            case h11.NEED_DATA:
                state.receive_data(await reader.read(_CHUNK))
            case h11.Request():
                head = event
            case h11.Data():
                body += bytes(event.data)
            case h11.EndOfMessage() if head is not None:
                return Message(head.method.decode(), head.target.decode("latin-1"), body)
            case _:
                return None


def _written(state: h11.Connection, answer: Answer) -> bytes:
    fields = [("Content-Length", str(len(answer.body))), *answer.headers.items()]
    head = h11.Response(status_code=answer.status, headers=fields)
    parts = [state.send(head), state.send(h11.Data(answer.body)), state.send(h11.EndOfMessage())]
    return b"".join(part or b"" for part in parts)


def _without_delay(writer: asyncio.StreamWriter) -> None:
    """Without Nagle's algorithm, or a small answer waits for the other side's delayed acknowledgement."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
