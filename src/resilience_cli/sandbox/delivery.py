"""The ways an answer leaves, or does not, other than whole and at once. Faults choose them, the listener obeys."""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

_LOOK_S = 0.1  # how often a connection that hangs on purpose looks whether it may end, and whether the client left

Over = Callable[[], bool]


@dataclass(frozen=True)
class Reset:
    """A TCP reset in place of an answer."""


@dataclass(frozen=True)
class Held:
    """Nothing, until ``over``; then the end of the connection."""

    over: Over


@dataclass(frozen=True)
class Drip:
    """A byte ``every`` so many seconds; the rest at once when ``over``."""

    every: float
    over: Over


@dataclass(frozen=True)
class Cut:
    """All of the head, this share of the body, then the end of the connection."""

    share: float


Delivery = Reset | Held | Drip | Cut


def deliver(connection: socket.socket, head: bytes, body: bytes, delivery: Delivery) -> None:
    """Sends what is to be sent. The connection serves no further request and is to be closed."""
    match delivery:
        case Reset():
            # RFC 9293, 3.10.7: an abort; Linux sends it when a socket with a linger time of 0 is closed.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case Held(over):
            while not over() and _rests(connection, _LOOK_S):
                pass
        case Drip():
            _drip(connection, head + body, delivery)
        case Cut(share):
            connection.sendall(head + body[: int(len(body) * share)])
        case _:
            assert_never(delivery)


def is_to_be_reset(connection: socket.socket) -> bool:
    """Whether closing it resets it: then it must not be shut down first, or the client sees an orderly end."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 0)


def _drip(connection: socket.socket, answer: bytes, drip: Drip) -> None:
    for at in range(len(answer)):
        if drip.over():
            connection.sendall(answer[at:])
            return
        connection.sendall(answer[at : at + 1])
        until = time.monotonic() + drip.every
        while not drip.over() and (left := until - time.monotonic()) > 0:
            if not _rests(connection, min(left, _LOOK_S)):
                return


def _rests(connection: socket.socket, seconds: float) -> bool:
    """Waits; False as soon as the client has left (or the sandbox hung up)."""
    connection.settimeout(seconds)
    try:
        if connection.recv(1, socket.MSG_PEEK) == b"":
            return False
        time.sleep(seconds)  # a client that sends on while it waits is there
    except TimeoutError:
        pass
    except OSError:
        return False
    finally:
        connection.settimeout(None)
    return True
