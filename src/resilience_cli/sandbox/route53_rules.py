"""What a batch of changes does to a zone's record sets, or every reason why Route 53 refuses it.

Pure: record sets in, record sets or messages out. A batch is all or nothing (API reference, ChangeResourceRecordSets:
"either makes all or none of the changes"), so it is evaluated on a copy: each change against what the changes before
it left, the rules about a name's record sets against the outcome. Messages follow those the service is known to send.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..adapters.aws.records import record_from_api, rest_of
from ..model.records import Policy, RecordSet

Key = tuple[str, str, str | None]
"""What names a record set: name, type, set identifier."""

Records = dict[Key, RecordSet]

MAX_RECORDS = 1000  # ResourceRecord elements a batch, an alias counting as one, an UPSERT twice (API reference)
MAX_CHARACTERS = 32_000  # of all Value elements, an UPSERT's counting twice (API reference)
MAX_WEIGHTED = 100  # weighted record sets of one name and type (developer guide, "Quotas")


@dataclass(frozen=True)
class Change:
    """One change, its record set in our form."""

    action: str
    record: RecordSet

    @property
    def key(self) -> Key:
        return key_of(self.record)


@dataclass(frozen=True)
class ZoneView:
    """What a batch is judged against: the zone, its record sets, protected names and types, and the other zones."""

    id: str
    name: str
    records: Records
    protected: Mapping[tuple[str, str], str | None]
    others: Mapping[str, Records]


def key_of(record: RecordSet) -> Key:
    return (record.name, record.type, record.set_identifier)


def change_of(change: Mapping[str, Any]) -> Change:
    return Change(change["Action"], record_from_api(change["ResourceRecordSet"]))


def order_of(key: Key) -> tuple[list[str], str, str]:
    """Route 53's order of record sets: labels reversed, then type, then set identifier (ListResourceRecordSets)."""
    return (key[0].rstrip(".").split(".")[::-1], key[1], key[2] or "")


def apply_batch(zone: ZoneView, changes: Iterable[Change]) -> tuple[Records, list[str]]:
    """The record sets afterwards, and every reason against; with a reason, the record sets mean nothing."""
    batch = list(changes)
    problems = [*_size_problems(batch), *_sequence_problems(batch)]
    outcome = dict(zone.records)
    for change in batch:
        problems += _place_problems(zone, change.record)
        problems += _take(outcome, change)
    touched = {change.key[0] for change in batch}
    groups = _groups(outcome, touched)
    for (name, _), group in groups.items():
        problems += [*_group_problems(group), *_cname_problems(zone, name, groups, group)]
    problems += [*_apex_problems(zone.name, outcome), *_alias_problems(zone, outcome, batch)]
    return outcome, problems


def _take(outcome: Records, change: Change) -> Iterator[str]:
    """Makes one change to ``outcome``, or says why it cannot be made."""
    record, old = change.record, outcome.get(change.key)
    match change.action:
        case "CREATE" if old is not None:
            yield f"Tried to create resource record set {_told(record)} but it already exists"
        case "DELETE" if old is None:
            yield f"Tried to delete resource record set {_told(record)} but it was not found"
        case "DELETE" if old is not None and _exact(old) != _exact(record):
            told = _told(record)
            yield f"Tried to delete resource record set {told} but the values provided do not match the current values"
        case "DELETE" if old is not None:
            del outcome[change.key]
        case _:
            outcome[change.key] = record


def _exact(record: RecordSet) -> RecordSet:
    """A record set to compare by: the order of its values means nothing in DNS, all else does."""
    return record.model_copy(update={"values": tuple(sorted(record.values))})


def _told(record: RecordSet) -> str:
    identifier = f", set-identifier='{record.set_identifier}'" if record.set_identifier is not None else ""
    return f"[name='{record.name}', type='{record.type}'{identifier}]"


def _size_problems(batch: list[Change]) -> Iterator[str]:
    records = characters = 0
    for change in batch:
        times = 2 if change.action == "UPSERT" else 1
        records += times * max(len(change.record.values), 1)
        characters += times * sum(len(value) for value in change.record.values)
    if records > MAX_RECORDS:
        yield f"Number of records limit of {MAX_RECORDS} exceeded."
    if characters > MAX_CHARACTERS:
        yield f"Number of characters limit of {MAX_CHARACTERS} exceeded."


def _sequence_problems(batch: list[Change]) -> Iterator[str]:
    """One record set may be changed once in a batch, or deleted and then created: compare and swap."""
    actions = defaultdict(list)
    for change in batch:
        actions[change.key].append(change.action)
    for (name, rtype, _), sequence in actions.items():
        if len(sequence) > 1 and sequence != ["DELETE", "CREATE"]:
            yield f"The request contains an invalid set of changes for a resource record set '{rtype} {name}'"


def _place_problems(zone: ZoneView, record: RecordSet) -> Iterator[str]:
    """Whether the zone may hold this record set at all, and whether it may be touched."""
    if record.name != zone.name and not record.name.endswith(f".{zone.name}"):
        yield f"RRSet with DNS name {record.name} is not permitted in zone {zone.name}"
    if (record.name, record.type) in zone.protected:
        comment = zone.protected[record.name, record.type]
        because = f": {comment}" if comment else ""
        yield f"Resource record set {_told(record)} is protected{because}"


def _groups(records: Records, names: set[str]) -> dict[tuple[str, str], list[RecordSet]]:
    """The record sets of the names a batch touched, by name and type; the types of those names it left alone too."""
    groups = defaultdict(list)
    for (name, rtype, _), record in records.items():
        if name in names:
            groups[name, rtype].append(record)
    return groups


def _group_problems(group: list[RecordSet]) -> Iterator[str]:
    """Record sets of one name and type share a policy and a TTL; no two answer for the same Region or role."""
    told = f"with DNS name {group[0].name}, type {group[0].type}"
    policies = sorted({policy_of(record) for record in group})
    if len(policies) > 1:
        yield f"RRSets {told} cannot be created as they mix routing policies: {', '.join(policies)}"
    if policies == [Policy.SIMPLE] or len(group) == 1:
        return
    ttls = {record.ttl for record in group if record.alias is None}
    if len(ttls) > 1:
        listed = ", ".join(str(ttl) for ttl in sorted(ttls, key=str))
        yield f"RRSets {told} cannot be created as they have different TTLs: {listed}"
    if policies == [Policy.WEIGHTED] and len(group) > MAX_WEIGHTED:
        yield f"Number of weighted records limit of {MAX_WEIGHTED} exceeded for RRSets {told}"
    seen: dict[str, str] = {}
    for record in group:
        subject = _answers_for(record)
        if subject is not None and subject in seen:
            yield (
                f"RRSet {told}, SetIdentifier {record.set_identifier}, and {subject} cannot be created as other RRSet "
                f"exists with the same name, type and {subject}"
            )
        elif subject is not None:
            seen[subject] = record.set_identifier or ""


def policy_of(record: RecordSet) -> str:
    """A record set's policy, the ones that resil does not move told apart by the field they carry."""
    if record.policy is not Policy.OTHER:
        return record.policy
    fields = sorted(rest_of(record).keys() - {"TrafficPolicyInstanceId", "AZAffinity"})
    return fields[0] if fields else Policy.OTHER


def _answers_for(record: RecordSet) -> str | None:
    match record.policy:
        case Policy.LATENCY:
            return f"region {record.region}"
        case Policy.FAILOVER:
            return f"failover {record.failover}"
        case _:
            return record.rest if policy_of(record) == "GeoLocation" else None


def _cname_problems(
    zone: ZoneView, name: str, groups: Mapping[tuple[str, str], list[RecordSet]], group: list[RecordSet]
) -> Iterator[str]:
    """A name with a CNAME has nothing else, and the zone's own name has none (RFC 1034, section 3.6.2)."""
    if group[0].type != "CNAME":
        return
    if name == zone.name:
        yield f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone.name}"
        return
    for other, rtype in groups:
        if other == name and rtype != "CNAME":
            yield (
                f"RRSet of type CNAME with DNS name {name} is not permitted because a conflicting RRSet of type "
                f"{rtype} with the same DNS name already exists in zone {zone.name}"
            )


def _alias_problems(zone: ZoneView, outcome: Records, batch: list[Change]) -> Iterator[str]:
    """An alias into a zone held here needs a target of its own type; AWS's own zones are not looked into."""
    zones = {**zone.others, zone.id: outcome}
    for change in batch:
        alias = change.record.alias
        if change.action == "DELETE" or alias is None or alias.zone_id not in zones:
            continue
        if not any(key[:2] == (alias.dns_name, change.record.type) for key in zones[alias.zone_id]):
            yield (
                f"Tried to create an alias that targets {alias.dns_name}, type {change.record.type} in zone "
                f"{alias.zone_id}, but that target was not found"
            )


def _apex_problems(zone_name: str, outcome: Records) -> Iterator[str]:
    """A zone keeps the one SOA and the NS record set of its own name (API reference, ChangeResourceRecordSets)."""
    if (zone_name, "SOA", None) not in outcome:
        yield "A HostedZone must contain exactly one SOA record."
    if (zone_name, "NS", None) not in outcome:
        yield "A HostedZone must contain at least one NS record for the zone itself."
