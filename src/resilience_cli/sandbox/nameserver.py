"""The sandbox's name server: real DNS on loopback, over UDP and TCP, for the hosted zones of its Route 53 store.

``authority`` decides what is answered; here are packets, sockets and threads.
"""

import logging
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import dns.message
import dns.rcode

from .authority import PAYLOAD, Authority
from .faults import Faults
from .faults.queries import bare

_PLAIN_UDP = 512  # RFC 1035: the largest answer over UDP to a client without EDNS
_IDLE_S = 5.0


def answer_packet(authority: Authority, packet: bytes, limit: int | None) -> bytes | None:
    """Bytes to bytes. ``limit``: the transport's own, None for TCP. None: nothing to answer (noise, or a response).

    Whatever arrives is answered or ignored, never raised: FORMERR if it can't be read, SERVFAIL if a record held
    can't be written as DNS or a callable fails.
    """
    if len(packet) < 12 or packet[2] & 0x80:
        return None
    try:
        query = dns.message.from_wire(packet)
    except Exception:  # a parser meets anything at all here
        return bare(packet, dns.rcode.FORMERR)
    try:
        if limit is not None and query.edns >= 0:
            limit = min(max(limit, query.payload), PAYLOAD)
        return authority.respond(query).to_wire(max_size=limit or 65535, prefer_truncation=True)
    except Exception:  # one bad record must not take down the name server
        logging.getLogger(__name__).exception("could not answer a query")
        return bare(packet, dns.rcode.SERVFAIL)


Reply = Callable[[bytes, int | None], bytes | None]


class _Udp(socketserver.ThreadingUDPServer):
    """A thread a query: one that a fault delays holds up no other."""

    reply: Reply


class _Datagram(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        packet, sock = self.request
        reply = self.server.reply(packet, _PLAIN_UDP)
        if reply is not None:
            sock.sendto(reply, self.client_address)


class _Tcp(socketserver.ThreadingTCPServer):
    """A thread a connection. Open ones are kept, so that stopping need not wait for a client to leave."""

    reply: Reply
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Stream(socketserver.StreamRequestHandler):
    server: _Tcp
    timeout = _IDLE_S

    def handle(self) -> None:
        try:
            for packet in self._packets():
                reply = self.server.reply(packet, None)
                if reply is None:
                    return
                self.wfile.write(struct.pack("!H", len(reply)) + reply)
        except OSError:
            return  # the client left, or was idle for too long

    def _packets(self) -> Iterator[bytes]:
        """Messages, each after its length in two bytes (RFC 1035, 4.2.2)."""
        while len(size := self.rfile.read(2)) == 2:
            yield self.rfile.read(int.from_bytes(size, "big"))


class NameServer:
    """Listens on one port over UDP and TCP. Bound when made, so its address is known before it answers."""

    def __init__(
        self, authority: Authority, host: str = "127.0.0.1", port: int = 0, faults: Faults | None = None
    ) -> None:
        """``faults``: whose are stopped before this server is, so that nothing is left waiting."""
        self._tcp, self._udp = _bind(host, port)
        self._authority, self._faults = authority, faults
        self._tcp.reply = self._udp.reply = self._reply
        self.host, self.port = host, int(self._tcp.server_address[1])
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), name=f"dns-{kind}", daemon=True)
            for kind, server in (("tcp", self._tcp), ("udp", self._udp))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns with the port closed and no thread left. Call once; a server never started is only closed."""
        if all(thread.is_alive() for thread in self._threads):
            self._tcp.shutdown()
            self._udp.shutdown()
        self._tcp.hang_up()
        self._tcp.server_close()
        self._udp.server_close()

    def _reply(self, packet: bytes, limit: int | None) -> bytes | None:
        def answer() -> bytes | None:
            return answer_packet(self._authority, packet, limit)

        return answer() if self._faults is None else self._faults.around_query(packet, answer)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _bind(host: str, port: int) -> tuple[_Tcp, _Udp]:
    """The same port for both transports. A free one for TCP may be taken for UDP: then another is tried."""
    for attempt in range(20):
        tcp = _Tcp((host, port), _Stream)
        try:
            return tcp, _Udp((host, tcp.server_address[1]), _Datagram)
        except OSError:
            tcp.server_close()
            if port or attempt == 19:
                raise
    raise AssertionError("unreachable")
