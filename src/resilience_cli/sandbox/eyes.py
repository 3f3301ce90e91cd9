"""A client's view of the name server: who is answered, asked for a place near each Region, once or all the time."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import dns.edns
import dns.exception
import dns.message
import dns.query
import dns.rdatatype

ASK_EVERY_S = 0.05
TIMEOUT_S = 1.0


Look = Callable[[], Mapping[str, object]]
"""What each place is answered, in whatever form; a false value says nothing."""


class Place(NamedTuple):
    """Clients near a Region, by the subnet their resolvers send."""

    region: str
    subnet: str


@dataclass
class Watched:
    """When (monotonic) an answer first became another than at the start; None if none did."""

    changed: float | None = None


class Eyes:
    """Asks one name server for one name. ``addresses`` maps each Region to the address of its endpoint."""

    def __init__(self, server: str, name: str, places: Sequence[Place], addresses: Mapping[str, str]) -> None:
        host, _, port = server.rpartition(":")
        self._host, self._port = host, int(port)
        self._name, self._places = name, places
        self._regions = {address: region for region, address in addresses.items()}

    def ask(self) -> dict[str, str]:
        """For each place the Region answered, "" where none was."""
        return {place.region: self._ask(place) for place in self._places}

    def _ask(self, place: Place) -> str:
        address, _, bits = place.subnet.partition("/")
        question = dns.message.make_query(self._name, "A", options=[dns.edns.ECSOption(address, int(bits))])
        try:
            answer = dns.query.udp(question, self._host, timeout=TIMEOUT_S, port=self._port)
        except (OSError, dns.exception.DNSException):
            return ""
        found = [item.address for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A for item in rrset]
        return self._regions.get(found[0], "") if found else ""

    @contextmanager
    def watching(self, look: Look | None = None) -> Iterator[Watched]:
        """Ask (or look) all the time, in a thread, until left."""
        watched, over = Watched(), threading.Event()
        thread = threading.Thread(target=self._watch, args=(look or self.ask, watched, over), name="eyes")
        thread.start()
        try:
            yield watched
        finally:
            over.set()
            thread.join()

    def _watch(self, look: Look, watched: Watched, over: threading.Event) -> None:
        first = look()
        while watched.changed is None and not over.wait(ASK_EVERY_S):
            answers = look()
            if any(answers[place] and answers[place] != first[place] for place in first):
                watched.changed = time.monotonic()
