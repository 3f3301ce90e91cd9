"""A process that reaches this machine only: what a drill starts, so that no mistake in it can touch anyone's AWS.

The hook is told of every connection, datagram and name look-up before the operating system is (Python's "Audit events
table"), and cannot be taken out again. It knows what Python's own sockets do, which is all that resil's code uses.
"""

import errno
import ipaddress
import sys
from collections.abc import Sequence
from typing import Any

LOOPBACK_ONLY = "RESIL_LOOPBACK_ONLY"
"""The environment variable that ``python -m resilience_cli`` heeds."""

_TO_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_PROGRAMS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system")
_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")


class NotLoopback(PermissionError):
    """A connection, datagram or look-up that would have left this machine, refused before anything was sent."""

    def __init__(self, where: object) -> None:
        super().__init__(errno.EPERM, f"a drill reaches this machine only, not {where}")


def refuse_the_rest() -> None:
    """From now on, and for good, whatever is not loopback raises NotLoopback in this process."""
    sys.addaudithook(_judge)


def _judge(event: str, arguments: Sequence[Any]) -> None:
    if event in _TO_ADDRESS:
        address = arguments[1]
        if address is not None and not (isinstance(address, tuple) and is_loopback(address[0])):
            where = address[0] if isinstance(address, tuple) else address
            raise NotLoopback(where)  # None: a connected socket, which was judged when it connected
    elif event in _LOOK_UPS:
        host = arguments[0][0] if isinstance(arguments[0], tuple) else arguments[0]
        if host and not is_loopback(host):
            raise NotLoopback(host)
    elif event in _PROGRAMS:
        raise NotLoopback("another program, which would not be held to that")


def is_loopback(host: object) -> bool:
    """Whether a host, by address or as ``localhost``, is this machine, by a look at its name alone."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if text.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
