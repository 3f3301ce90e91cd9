"""Route 53's ``ResourceRecordSet``, between the API's dictionary and our ``RecordSet``, without loss either way.

Fields of the API that ``RecordSet`` has no name for (GeoLocation, MultiValueAnswer, CidrRoutingConfig and whatever
comes next) travel in ``rest`` as canonical JSON: ``record_to_api(record_from_api(r)) == r`` for what Route 53 returns.
"""

import json
from collections.abc import Mapping
from typing import Any

from ...model.base import canonical
from ...model.records import AliasTarget, RecordSet

_NAMED = frozenset(
    {
        "Name",
        "Type",
        "SetIdentifier",
        "Weight",
        "Region",
        "Failover",
        "TTL",
        "ResourceRecords",
        "AliasTarget",
        "HealthCheckId",
    }
)


def api_name(name: str) -> str:
    """A name as Route 53 keeps it: lower case, absolute, ``*`` as ``\\052`` (developer guide, "DNS name format")."""
    return name.lower().rstrip(".").replace("*", "\\052") + "."


def record_from_api(record: Mapping[str, Any]) -> RecordSet:
    """Our record set from the API's. Names are brought to the form in which Route 53 returns them."""
    alias = record.get("AliasTarget")
    rest = {key: value for key, value in record.items() if key not in _NAMED}
    return RecordSet(
        name=api_name(record["Name"]),
        type=record["Type"],
        set_identifier=record.get("SetIdentifier"),
        weight=record.get("Weight"),
        region=record.get("Region"),
        failover=record.get("Failover"),
        ttl=record.get("TTL"),
        values=tuple(value["Value"] for value in record.get("ResourceRecords", ())),
        alias=_alias_from_api(alias) if alias is not None else None,
        health_check_id=record.get("HealthCheckId"),
        rest=canonical(rest) if rest else "",
    )


def _alias_from_api(alias: Mapping[str, Any]) -> AliasTarget:
    return AliasTarget(
        zone_id=alias["HostedZoneId"],
        dns_name=api_name(alias["DNSName"]),
        evaluate_target_health=alias["EvaluateTargetHealth"],
    )


def record_to_api(record: RecordSet) -> dict[str, Any]:
    """The API's record set from ours: fields that are not set are absent, those in ``rest`` come back as they were."""
    fields: dict[str, Any] = {
        "Name": record.name,
        "Type": record.type,
        "SetIdentifier": record.set_identifier,
        "Weight": record.weight,
        "Region": record.region,
        "Failover": record.failover,
        "TTL": record.ttl,
        "ResourceRecords": [{"Value": value} for value in record.values] or None,
        "AliasTarget": _alias_to_api(record.alias) if record.alias is not None else None,
        "HealthCheckId": record.health_check_id,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    return present | rest_of(record)


def rest_of(record: RecordSet) -> dict[str, Any]:
    """The API fields of a record set that ``RecordSet`` has no name for."""
    return dict(json.loads(record.rest)) if record.rest else {}


def _alias_to_api(alias: AliasTarget) -> dict[str, Any]:
    return {
        "HostedZoneId": alias.zone_id,
        "DNSName": alias.dns_name,
        "EvaluateTargetHealth": alias.evaluate_target_health,
    }
