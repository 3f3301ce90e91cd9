"""Route 53, as strict as the real one: what it refuses is refused here, what takes time takes time.

Its rules are in ``route53_rules`` (batches), ``route53_shape`` (single record sets), ``route53_checks`` (health checks)
and ``route53_protections``; this is the store around them. A change is PENDING for ``propagation`` seconds and then
INSYNC; until then ``published`` shows name servers the old record sets.
"""

import time
from collections.abc import Callable
from typing import Any

from ..adapters.aws.records import api_name, record_to_api
from ..model.records import RecordSet, Zone
from . import route53_protections
from .operations import Answer, Operation, perform
from .route53_checks import Checks, Config
from .route53_rules import ZoneView, apply_batch, change_of
from .route53_shape import shape_problems
from .route53_zone import ChangeInfo, HostedZone, apex_records, new_id
from .service import AwsError, Call

_PAGE = 100
Resolve = Callable[[str, str, str, str | None], tuple[str, ...]]
"""(zone id, name, type, the asker's address) -> the values answered; for TestDNSAnswer."""


class Route53:
    """The account's hosted zones, record sets, changes, health checks and tags."""

    name = "route53"

    def __init__(self, clock: Callable[[], float] = time.time, propagation: float = 1.0) -> None:
        self._clock = clock
        self.propagation = propagation
        self.checks = Checks(clock)
        self.resolve: Resolve | None = None
        self.new_zone_id: Callable[[], str] = lambda: new_id("Z")  # a twin's zone keeps the id it has in AWS
        self._zones: dict[str, HostedZone] = {}
        self._changes: dict[str, ChangeInfo] = {}
        self._tags: dict[tuple[str, str], dict[str, str]] = {}
        self._operations: dict[str, Operation] = {
            "CreateHostedZone": self._create_zone,
            "GetHostedZone": self._get_zone,
            "DeleteHostedZone": self._delete_zone,
            "GetHostedZoneCount": lambda _: {"HostedZoneCount": len(self._zones)},
            "ListHostedZones": self._list_zones,
            "ListHostedZonesByName": self._list_zones_by_name,
            "ListResourceRecordSets": self._list_records,
            "ChangeResourceRecordSets": self._change,
            "GetChange": self._get_change,
            "TestDNSAnswer": self._test_answer,
            "CreateResourceRecordSetProtections": self._protect,
            "DeleteResourceRecordSetProtections": self._unprotect,
            "ListResourceRecordSetProtections": self._list_protections,
            "ChangeTagsForResource": self._change_tags,
            "ListTagsForResource": self._list_tags,
            "ListTagsForResources": self._list_tags_of_many,
            **self.checks.operations(),
        }

    def handle(self, call: Call) -> dict[str, Any]:
        return perform(self._operations, call)

    # What the name server and the health checker read, from their own threads.

    def zones(self) -> tuple[Zone, ...]:
        return tuple(held.zone for held in tuple(self._zones.values()))

    def published(self, zone_id: str) -> tuple[RecordSet, ...]:
        """A zone's record sets as of its INSYNC changes; empty for a zone that does not exist."""
        held = self._zones.get(zone_id)
        return held.published(self._clock()) if held is not None else ()

    def health_checks(self) -> dict[str, Config]:
        """HealthCheckConfig of every health check, by id."""
        return self.checks.configs()

    # Zones.

    def _zone(self, params: dict[str, Any], key: str = "HostedZoneId") -> HostedZone:
        zone_id = str(params[key]).rpartition("/")[2]
        if zone_id not in self._zones:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)
        return self._zones[zone_id]

    def _create_zone(self, call: Call) -> Answer:
        """A zone of a name that exists is another zone, with its own id; the same caller reference is refused."""
        params, reference = call.params, str(call.params["CallerReference"])
        if any(held.reference == reference for held in self._zones.values()):
            message = f"A hosted zone has already been created with the specified caller reference: {reference}"
            raise AwsError("HostedZoneAlreadyExists", message, 409)
        vpc, config = params.get("VPC"), params.get("HostedZoneConfig") or {}
        if config.get("PrivateZone") and vpc is None:
            raise AwsError("InvalidInput", "A private hosted zone needs a VPC.")
        name = api_name(params["Name"])
        number = len(self._zones) + 1
        servers = tuple(f"ns-{number + 512 * index}.awsdns-{number:02d}.{tld}" for index, tld in enumerate(_TLDS))
        zone = Zone(id=self.new_zone_id(), name=name, private=vpc is not None, name_servers=servers)
        held = HostedZone(zone, reference, config.get("Comment") or "", (vpc,) if vpc else ())
        info = self._submit(held, apex_records(zone), None)
        self._zones[zone.id] = held
        location = f"/2013-04-01/hostedzone/{zone.id}"
        answer = {"HostedZone": held.as_api(), "ChangeInfo": info, "Location": location, **held.delegation()}
        return answer | ({"VPC": vpc} if vpc else {})

    def _get_zone(self, call: Call) -> Answer:
        held = self._zone(call.params, "Id")
        vpcs = {"VPCs": list(held.vpcs)} if held.vpcs else {}
        return {"HostedZone": held.as_api(), **held.delegation(), **vpcs}

    def _delete_zone(self, call: Call) -> Answer:
        """Only a zone with nothing but its own NS and SOA, and no protections, can go."""
        held = self._zone(call.params, "Id")
        if held.records.keys() != apex_records(held.zone).keys() or held.protections:
            message = "The specified hosted zone contains non-required resource record sets or protections."
            raise AwsError("HostedZoneNotEmpty", message)
        del self._zones[held.zone.id]
        return {"ChangeInfo": self._note(ChangeInfo(new_id("C"), self._clock(), self._clock() + self.propagation))}

    def _list_zones(self, call: Call) -> Answer:
        marker = str(call.params.get("Marker") or "")
        zones = sorted(self._zones.values(), key=lambda held: held.zone.id)
        limit = int(call.params.get("MaxItems") or _PAGE)
        page, more = _cut([held for held in zones if held.zone.id >= marker], limit)
        answer = _zone_page(page, more, limit) | {"Marker": marker}
        return answer | ({"NextMarker": more.zone.id} if more else {})

    def _list_zones_by_name(self, call: Call) -> Answer:
        """By reversed labels and then id, from a name (and id) on: zones after the name asked for come too."""
        params = call.params
        limit = int(params.get("MaxItems") or _PAGE)
        asked = {name: params[name] for name in ("DNSName", "HostedZoneId") if params.get(name)}
        start = (_labels(asked["DNSName"]), asked.get("HostedZoneId", "")) if "DNSName" in asked else ([], "")
        zones = sorted(self._zones.values(), key=_by_name)
        page, more = _cut([held for held in zones if _by_name(held) >= start], limit)
        after = {"NextDNSName": more.zone.name, "NextHostedZoneId": more.zone.id} if more else {}
        return _zone_page(page, more, limit) | asked | after

    # Record sets and changes.

    def _list_records(self, call: Call) -> Answer:
        held, params = self._zone(call.params), call.params
        name, rtype = params.get("StartRecordName"), params.get("StartRecordType")
        if rtype and not name:
            raise AwsError("InvalidInput", "StartRecordType needs StartRecordName.")
        start = (api_name(name), rtype or "", params.get("StartRecordIdentifier")) if name else None
        limit = int(params.get("MaxItems") or 300)
        page, more = held.page(start, limit)
        answer: Answer = {"ResourceRecordSets": [record_to_api(record) for record in page]}
        answer |= {"IsTruncated": more is not None, "MaxItems": str(limit)}
        if more is not None:
            answer |= {"NextRecordName": more.name, "NextRecordType": more.type}
            answer |= {"NextRecordIdentifier": more.set_identifier} if more.set_identifier is not None else {}
        return answer

    def _change(self, call: Call) -> Answer:
        """One atomic batch: all of it or, with every reason named, none."""
        held, batch = self._zone(call.params), call.params["ChangeBatch"]
        self._refuse_shapes(batch["Changes"])
        changes = [change_of(change) for change in batch["Changes"]]
        for change in changes:
            check_id = change.record.health_check_id
            if change.action != "DELETE" and check_id is not None and check_id not in self.checks:
                raise AwsError("NoSuchHealthCheck", f"A health check with id {check_id} does not exist.", 404)
        others = {zone_id: other.records for zone_id, other in self._zones.items()}
        view = ZoneView(held.zone.id, held.zone.name, held.records, held.protections, others)
        outcome, problems = apply_batch(view, changes)
        if problems:
            raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]", messages=problems)
        return {"ChangeInfo": self._submit(held, outcome, batch.get("Comment"))}

    def _refuse_shapes(self, changes: list[dict[str, Any]]) -> None:
        if not changes:
            raise AwsError("InvalidInput", "Invalid request: a change batch needs at least one change")
        problems = [
            problem for change in changes for problem in shape_problems(change["Action"], change["ResourceRecordSet"])
        ]
        if problems:
            raise AwsError("InvalidInput", "; ".join(problems))

    def _submit(self, held: HostedZone, records: dict[Any, RecordSet], comment: str | None) -> Answer:
        now = self._clock()
        at = held.put(records, now, now + self.propagation)
        return self._note(ChangeInfo(new_id("C"), now, at, comment))

    def _note(self, info: ChangeInfo) -> Answer:
        self._changes[info.id] = info
        return info.as_api(self._clock())

    def _get_change(self, call: Call) -> Answer:
        change_id = str(call.params["Id"]).rpartition("/")[2]
        if change_id not in self._changes:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {change_id}", 404)
        return {"ChangeInfo": self._changes[change_id].as_api(self._clock())}

    def _test_answer(self, call: Call) -> Answer:
        """What name servers would answer; simulated from published values where no resolver was given."""
        held, params = self._zone(call.params), call.params
        if held.zone.private:
            raise AwsError("InvalidInput", "TestDNSAnswer supports public hosted zones only.")
        name, rtype = api_name(params["RecordName"]), params["RecordType"]
        asker = params.get("EDNS0ClientSubnetIP") or params.get("ResolverIP")
        if self.resolve is not None:
            data = self.resolve(held.zone.id, name, rtype, asker)
        else:
            published = self.published(held.zone.id)
            data = tuple(
                v for record in published if (record.name, record.type) == (name, rtype) for v in record.values
            )
        return {
            "Nameserver": held.zone.name_servers[0],
            "RecordName": name,
            "RecordType": rtype,
            "RecordData": list(data),
            "ResponseCode": "NOERROR" if data else "NXDOMAIN",
            "Protocol": "UDP",
        }

    # Protections and tags.

    def _protect(self, call: Call) -> Answer:
        held = self._zone(call.params)
        entries = call.params["Protections"]
        held.protections = route53_protections.protect(held.protections, held.zone.name, entries)
        return {}

    def _unprotect(self, call: Call) -> Answer:
        held = self._zone(call.params)
        entries = call.params["Protections"]
        held.protections = route53_protections.unprotect(held.protections, held.zone.name, entries)
        return {}

    def _list_protections(self, call: Call) -> Answer:
        return route53_protections.listed(self._zone(call.params).protections, call.params)

    def _tagged(self, kind: str, resource: str) -> tuple[str, str]:
        if kind == "healthcheck" and resource not in self.checks:
            raise AwsError("NoSuchHealthCheck", f"A health check with id {resource} does not exist.", 404)
        if kind == "hostedzone":
            self._zone({"HostedZoneId": resource})
        return kind, resource

    def _change_tags(self, call: Call) -> Answer:
        params = call.params
        key = self._tagged(params["ResourceType"], params["ResourceId"])
        added = {tag["Key"]: tag.get("Value", "") for tag in params.get("AddTags") or ()}
        removed = params.get("RemoveTagKeys") or ()
        kept = {name: value for name, value in self._tags.get(key, {}).items() if name not in removed}
        self._tags[key] = kept | added
        return {}

    def _tag_set(self, kind: str, resource: str) -> Answer:
        tags = self._tags.get(self._tagged(kind, resource), {})
        listed = [{"Key": name, "Value": value} for name, value in tags.items()]
        return {"ResourceType": kind, "ResourceId": resource, "Tags": listed}

    def _list_tags(self, call: Call) -> Answer:
        return {"ResourceTagSet": self._tag_set(call.params["ResourceType"], call.params["ResourceId"])}

    def _list_tags_of_many(self, call: Call) -> Answer:
        kind = call.params["ResourceType"]
        return {"ResourceTagSets": [self._tag_set(kind, resource) for resource in call.params["ResourceIds"]]}


_TLDS = ("com", "net", "org", "co.uk")


def _labels(name: str) -> list[str]:
    return api_name(name).rstrip(".").split(".")[::-1]


def _by_name(held: HostedZone) -> tuple[list[str], str]:
    return _labels(held.zone.name), held.zone.id


def _cut(zones: list[HostedZone], limit: int) -> tuple[list[HostedZone], HostedZone | None]:
    return zones[:limit], zones[limit] if len(zones) > limit else None


def _zone_page(page: list[HostedZone], more: HostedZone | None, limit: int) -> Answer:
    zones = [held.as_api() for held in page]
    return {"HostedZones": zones, "IsTruncated": more is not None, "MaxItems": str(limit)}
