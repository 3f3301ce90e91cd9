"""A resolver's cache, as the clients of one place share it: asks the sandbox's name server, keeps the answer its TTL.

It tells the name server its client subnet (RFC 7871), and so is answered as a resolver near its clients would be.
Nothing stale is served, and a failure is not kept.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import dns.asyncquery
import dns.edns
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

_TRY_S, _TRIES = 0.5, 3


class NoAddress(Exception):
    """The name could not be resolved; the message says why."""


@dataclass(frozen=True)
class Entry:
    """An answer: asked and expires are monotonic, ``took`` the seconds until it came."""

    addresses: tuple[str, ...]
    ttl: float
    asked: float
    took: float

    @property
    def expires(self) -> float:
        return self.asked + self.took + self.ttl


class DnsCache:
    """One name's addresses from one name server, for one client subnet. For the thread of one event loop.

    ``learnt`` is called with each answer, ``failed`` with the time asked, the seconds it took and why there was none.
    """

    def __init__(
        self,
        server: str,
        name: str,
        subnet: str,
        learnt: Callable[[Entry], None],
        failed: Callable[[float, float, str], None],
    ) -> None:
        host, _, port = server.rpartition(":")
        self._host, self._port = host, int(port)
        address, _, bits = subnet.partition("/")
        self._name, self._subnet = name, dns.edns.ECSOption(address, int(bits or 32))
        self._learnt, self._failed = learnt, failed
        self._entry: Entry | None = None
        self._asking: asyncio.Task[Entry] | None = None

    async def address(self) -> str:
        """An address that holds now; whoever asks while an answer is awaited awaits the same one. Raises NoAddress."""
        entry = self._entry
        if entry is None or entry.expires <= time.monotonic():
            if self._asking is None:
                self._asking = asyncio.create_task(self._refresh())
                self._asking.add_done_callback(self._asked)
            entry = await asyncio.shield(self._asking)
        return entry.addresses[0]

    def _asked(self, task: asyncio.Task[Entry]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # those who waited have it; nobody need have

    async def _refresh(self) -> Entry:
        asked = time.monotonic()
        why = ""
        for _ in range(_TRIES):
            try:
                entry = await self._ask(asked)
            except (OSError, dns.exception.DNSException) as problem:
                why = str(problem) or type(problem).__name__
                continue
            if isinstance(entry, Entry):
                self._entry = entry
                self._learnt(entry)
                return entry
            why = entry
            break
        self._failed(asked, time.monotonic() - asked, why)
        raise NoAddress(why)

    async def _ask(self, asked: float) -> Entry | str:
        """The answer, or in words why it has no address."""
        question = dns.message.make_query(self._name, "A", options=[self._subnet])
        answer = await dns.asyncquery.udp(question, self._host, timeout=_TRY_S, port=self._port)
        found = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A]
        addresses = tuple(item.address for rrset in found for item in rrset)
        if not addresses:
            return f"{dns.rcode.to_text(answer.rcode())}, no address"
        ttl = float(min(rrset.ttl for rrset in answer.answer))
        return Entry(addresses, ttl, asked, time.monotonic() - asked)

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
