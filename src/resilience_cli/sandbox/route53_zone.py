"""One hosted zone: its record sets as the API lists them, and as name servers see them once changes are INSYNC."""

import math
import random
import string
from dataclasses import dataclass, field
from typing import Any

from ..model.records import RecordSet, Zone
from .operations import Answer
from .route53_protections import Protections
from .route53_rules import Key, Records, key_of, order_of

_ALPHABET = string.ascii_uppercase + string.digits
_MAX_PAGE = 300


def new_id(letter: str) -> str:
    """An id in Route 53's form: a letter and 20 capitals and digits."""
    return letter + "".join(random.choices(_ALPHABET, k=20))


@dataclass(frozen=True)
class ChangeInfo:
    """One accepted batch; INSYNC from ``at`` on."""

    id: str
    submitted: float
    at: float
    comment: str | None = None

    def as_api(self, now: float) -> Answer:
        status = "INSYNC" if now >= self.at else "PENDING"
        answer: Answer = {"Id": f"/change/{self.id}", "Status": status, "SubmittedAt": self.submitted}
        return answer | ({"Comment": self.comment} if self.comment else {})


@dataclass
class HostedZone:
    """A zone and its history. ``published`` is safe to call from another thread: states are replaced, never edited."""

    zone: Zone
    reference: str
    comment: str = ""
    vpcs: tuple[dict[str, str], ...] = ()
    records: Records = field(default_factory=dict)
    protections: Protections = field(default_factory=dict)
    _history: tuple[tuple[float, tuple[RecordSet, ...]], ...] = ((-math.inf, ()),)

    def put(self, records: Records, now: float, at: float) -> float:
        """The record sets from now on; name servers see them at ``at``, or later if an earlier change still is not
        there. Returns when."""
        self.records = dict(sorted(records.items(), key=lambda item: order_of(item[0])))
        at = max(at, self._history[-1][0])
        self._history = (*self._since(now), (at, tuple(self.records.values())))
        return at

    def published(self, now: float) -> tuple[RecordSet, ...]:
        """The record sets of the last change that is INSYNC."""
        return self._since(now)[0][1]

    def _since(self, now: float) -> tuple[tuple[float, tuple[RecordSet, ...]], ...]:
        """The state name servers are in, and those still on their way."""
        history = self._history
        current = max(index for index, (at, _) in enumerate(history) if at <= now)
        return history[current:]

    def page(self, start: Key | None, limit: int) -> tuple[list[RecordSet], RecordSet | None]:
        """Record sets in Route 53's order from ``start`` on, and the one the next page starts with."""
        limit = min(limit, _MAX_PAGE)
        wanted = list(self.records.values())
        if start is not None:
            first = order_of(start)
            wanted = [record for record in wanted if order_of(key_of(record)) >= first]
        return wanted[:limit], wanted[limit] if len(wanted) > limit else None

    def as_api(self) -> Answer:
        config: Answer = {"PrivateZone": self.zone.private} | ({"Comment": self.comment} if self.comment else {})
        return {
            "Id": f"/hostedzone/{self.zone.id}",
            "Name": self.zone.name,
            "CallerReference": self.reference,
            "Config": config,
            "ResourceRecordSetCount": len(self.records),
        }

    def delegation(self) -> dict[str, Any]:
        """A public zone's name servers; a private one has none to tell."""
        return {} if self.zone.private else {"DelegationSet": {"NameServers": list(self.zone.name_servers)}}


def apex_records(zone: Zone) -> Records:
    """The NS and SOA record sets that Route 53 makes with every zone."""
    soa = f"{zone.name_servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    servers = tuple(f"{server}." for server in zone.name_servers)
    ns = RecordSet(name=zone.name, type="NS", ttl=172_800, values=servers)
    return {key_of(record): record for record in (ns, RecordSet(name=zone.name, type="SOA", ttl=900, values=(soa,)))}
