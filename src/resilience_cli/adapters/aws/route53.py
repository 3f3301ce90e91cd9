"""Route 53 records: read them, rewrite a weighted group, and ask whether a change is in sync.

Source: Route 53 API reference. ``ChangeResourceRecordSets`` is transactional: all of a batch or nothing of it.
``DELETE`` must give every value exactly as it is, which makes DELETE(before) + CREATE(after) a compare-and-swap;
``InvalidChangeBatch`` is its refusal, and also that of a protected record (``ListResourceRecordSetProtections``).
``PriorRequestNotComplete`` and ``Throttling`` refuse before anything is applied: only these are asked again.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential, wait_random

from ...errors import AwsTrouble, Conflicting, Denied, Throttled
from ...model.effects import Receipt, WeightsEffect
from ...model.facts import Knowledge
from ...model.records import RecordSet, Zone
from .reading import legible
from .records import api_name, record_from_api, record_to_api
from .session import Answer, Api, Sessions
from .zones import CONTROL_PLANE, bare

PAGE = "300"  # ListResourceRecordSets, MaxItems: at most 300
PATIENCE_S = 15.0
WRITE_S = 30.0
LONGEST_CHAIN = 20
SYNC: dict[str, Knowledge] = {"INSYNC": "yes", "PENDING": "no"}  # ChangeInfo.Status


class Records:
    """The record sets of hosted zones."""

    def __init__(self, sessions: Sessions, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._sessions = sessions
        self._pause = pause

    @property
    def _api(self) -> Api:
        return self._sessions.reader("route53", CONTROL_PLANE)

    def whole(self, zone: Zone) -> tuple[RecordSet, ...]:
        """Every record set of the zone."""
        return tuple(self.each(zone))

    def each(self, zone: Zone) -> Iterator[RecordSet]:
        """The zone's record sets as its pages come."""
        return self._listed(zone, {})

    def of_names(self, zone: Zone, names: Sequence[str]) -> tuple[RecordSet, ...]:
        """All types of these names, and of the names within the zone that their aliases lead to."""
        records: list[RecordSet] = []
        waiting, seen = list(names), set[str]()
        while waiting and len(seen) < LONGEST_CHAIN:
            name = waiting.pop(0)
            if name not in seen:
                seen.add(name)
                found = tuple(self._at(zone, name))
                records += found
                waiting += _aliases(zone, found)
        return tuple(records)

    def protected(self, zone: Zone) -> tuple[str, ...] | None:
        """``name type`` of the protected records; None where that could not be read, or the API is not known here."""

        def ask() -> tuple[str, ...]:
            pages = self._api.pages("ListResourceRecordSetProtections", HostedZoneId=zone.id)
            found = (each for page in pages for each in page.get("ResourceRecordSetProtections", ()))
            return tuple(f"{api_name(each['RecordName'])} {each['RecordType']}" for each in found)

        try:
            return legible("record protections", ask)()
        except AwsTrouble:
            return None

    def swap(self, effect: WeightsEffect) -> Receipt:
        """Rewrite the groups in one batch, if they are still exactly as ``before``. Conflicting if they are not.

        Over in WRITE_S, asking again included. An answer that is not Route 53's (a proxy's page) is Uncertain.
        """
        end = time.monotonic() + WRITE_S
        changes = [{"Action": "DELETE", "ResourceRecordSet": record_to_api(r)} for r in effect.before]
        changes += [{"Action": "CREATE", "ResourceRecordSet": record_to_api(r)} for r in effect.after]
        batch = {"Comment": "resil: compare-and-swap of weights", "Changes": changes}
        api = self._sessions.writer("route53", CONTROL_PLANE)
        patience = Retrying(
            retry=retry_if_exception_type(Throttled),
            wait=wait_exponential(multiplier=0.5, max=4) + wait_random(0, 0.5),
            stop=_within(PATIENCE_S),
            sleep=self._pause,
            reraise=True,
        )
        try:
            answer = patience(
                lambda: api.by(end).ask("ChangeResourceRecordSets", HostedZoneId=effect.zone_id, ChangeBatch=batch)
            )
        except Conflicting as refusal:
            raise _refused(refusal) from refusal
        return legible("route53 ChangeResourceRecordSets", lambda: _receipt(answer, api.url))()

    def in_sync(self, change_id: str) -> Knowledge:
        """Whether the change has reached Route 53's name servers; unknown where that cannot be read.

        NoSuchChange is unknown too: a change may be stranded when the control plane fails over (developer guide,
        "Accelerated recovery").
        """
        try:
            answer = self._api.ask("GetChange", Id=change_id)
        except AwsTrouble:
            return "unknown"
        return SYNC.get(str(answer.get("ChangeInfo", {}).get("Status", "")), "unknown")

    def _at(self, zone: Zone, name: str) -> Iterator[RecordSet]:
        for record in self._listed(zone, {"StartRecordName": name}):
            if record.name != name:
                return
            yield record

    def _listed(self, zone: Zone, start: Answer) -> Iterator[RecordSet]:
        while True:
            page = self._api.patiently("ListResourceRecordSets", HostedZoneId=zone.id, MaxItems=PAGE, **start)
            yield from (record_from_api(record) for record in page["ResourceRecordSets"])
            if not page.get("IsTruncated"):
                return
            following = {
                "StartRecordName": page.get("NextRecordName"),
                "StartRecordType": page.get("NextRecordType"),
                "StartRecordIdentifier": page.get("NextRecordIdentifier"),
            }
            start = {name: value for name, value in following.items() if value is not None}


def reached(zone: Zone, records: Sequence[RecordSet], names: Sequence[str]) -> tuple[RecordSet, ...]:
    """Of the zone's records, those of these names and of the names their aliases lead to."""
    owners, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in owners:
            owners.add(name)
            waiting += _aliases(zone, [record for record in records if record.name == name])
    return tuple(record for record in records if record.name in owners)


def _aliases(zone: Zone, records: Sequence[RecordSet]) -> list[str]:
    return [r.alias.dns_name for r in records if r.alias is not None and r.alias.zone_id == zone.id]


def _receipt(answer: Answer, url: str) -> Receipt:
    return Receipt(
        change_id=bare(answer["ChangeInfo"]["Id"]),
        request_id=str(answer.get("ResponseMetadata", {}).get("RequestId", "")),
        endpoint=url,
    )


def _within(seconds: float) -> Callable[[RetryCallState], bool]:
    """Stop by the pauses taken, so that a test's pauses count as well as real ones."""
    by_clock = stop_after_delay(seconds)

    def stop(state: RetryCallState) -> bool:
        return by_clock(state) or state.idle_for >= seconds

    return stop


def _refused(refusal: Conflicting) -> AwsTrouble:
    """Protection is a rule, not a change someone made; every other refusal of a batch means the zone is not as read."""
    if "protect" in refusal.message.lower():
        return Denied(refusal.message, code=refusal.code)
    return refusal
