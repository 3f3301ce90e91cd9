"""A server's listening port that can be closed, jammed and opened again, and the connections that came in by it.

Closed: connecting is refused. Full: the backlog is full, so that connecting hangs, as the kernel drops the SYN and
the client sends it again after 1, 3, 7 ... seconds (listen(2), tcp(7) ``tcp_abort_on_overflow``).
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Literal

Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BACKLOG = 1024
_FILLERS = 3  # listen(0) holds one connection; what comes after it is dropped


class Door:
    """Takes over a bound, listening socket. For the thread of one event loop."""

    def __init__(self, listening: socket.socket, converse: Converse) -> None:
        self._socket, self._converse = listening, converse
        self._address = listening.getsockname()
        self._accepting: asyncio.Task[None] | None = None
        self._open: dict[asyncio.Task[None], socket.socket] = {}
        self._fillers: list[socket.socket] = []
        self.state: Literal["open", "closed", "full"] = "closed"

    async def turn(self, state: Literal["open", "closed", "full"]) -> None:
        """Open, close or jam it. Closing cuts every connection."""
        if state == self.state:
            return
        await self._stop_accepting()
        self.state = state
        match state:
            case "closed":
                self._socket.close()
                await self.cut()
            case "open":
                self._listen(BACKLOG)
                self._accepting = asyncio.create_task(self._accept())
            case "full":
                self._listen(0)
                self._fill()

    async def cut(self) -> None:
        """Ends every connection, answered or not."""
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _listen(self, backlog: int) -> None:
        if self._socket.fileno() < 0:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(self._address)
        self._socket.setblocking(False)
        self._socket.listen(backlog)

    def _fill(self) -> None:
        for _ in range(_FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            self._fillers.append(filler)
            filler.connect_ex(self._address)

    async def _stop_accepting(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
            self._accepting = None

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._socket)
            task = asyncio.create_task(self._serve(connection))
            self._open[task] = connection
            task.add_done_callback(self._left)

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            await self._converse(reader, writer)
        finally:
            writer.transport.abort()

    def _left(self, task: asyncio.Task[None]) -> None:
        connection = self._open.pop(task)
        with contextlib.suppress(OSError):
            connection.close()
