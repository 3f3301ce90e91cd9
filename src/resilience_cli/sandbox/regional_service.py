"""A Region's order service as the world has it: a process, the port it listens on, and how it behaves."""

import socket
from pathlib import Path

from ..model.traffic import Serving
from .child import Child
from .door import BACKLOG


class RegionalService:
    """Made = its port is bound; started = its process answers; stopped = neither is left.

    ``aws`` is the sandbox's URL: the service works its Region's table there and reports its metrics.
    """

    def __init__(self, region: str, address: str, port: int, aws: str, directory: Path) -> None:
        self.region, self.address, self.serving = region, address, Serving()
        self._aws = aws
        self._socket: socket.socket | None = socket.create_server((address, port), backlog=BACKLOG)
        self.port = int(self._socket.getsockname()[1])
        self._child = Child("order_service", directory / f"order-service-{region}.log")

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def start(self) -> None:
        """Hands the socket to the process. It may not answer yet: see ``await_ready``."""
        if self._socket is None:
            return
        descriptor = self._socket.fileno()
        arguments = [f"--region={self.region}", f"--socket={descriptor}", f"--aws={self._aws}"]
        self._child.start(arguments, (descriptor,))
        self._socket.close()  # the process has its own: with this one open, it could not close the port
        self._socket = None

    def await_ready(self) -> None:
        self._child.await_ready()

    def behave(self, serving: Serving) -> None:
        """From its return on, the service behaves so."""
        self._child.say(serving.model_dump_json())
        self.serving = serving

    def stop(self) -> None:
        """A second call does nothing."""
        self._child.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
