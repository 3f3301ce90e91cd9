"""What Route 53 refuses in a record set on its own, before it looks at the zone: ``InvalidInput`` in the API.

Pure. Rules: API reference ``ResourceRecordSet`` (field by field) and the developer guide's "Supported DNS record
types"; wording after the messages the service is known to send.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..adapters.aws.records import api_name

Record = dict[str, Any]

_POLICIES = (
    "Weight",
    "Region",
    "Failover",
    "GeoLocation",
    "MultiValueAnswer",
    "CidrRoutingConfig",
    "GeoProximityLocation",
)
_MAX_TTL = 2_147_483_647
_ONE_VALUE = ("CNAME", "SOA")
_ACTIONS = ("CREATE", "DELETE", "UPSERT")
_TYPES = frozenset(
    [
        "SOA",
        "A",
        "TXT",
        "NS",
        "CNAME",
        "MX",
        "NAPTR",
        "PTR",
        "SRV",
        "SPF",
        "AAAA",
        "CAA",
        "DS",
        "TLSA",
        "SSHFP",
        "SVCB",
        "HTTPS",
    ]
)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")


def policy_fields(record: Record) -> list[str]:
    """Which routing policies a record set names; none for a simple one, more than one is an error."""
    return [name for name in _POLICIES if record.get(name) is not None]


def shape_problems(action: str, record: Record) -> list[str]:
    """Everything wrong with one record set, in no particular context; empty when it may be tried."""
    where = f"in Change with [Action={action}, Name={record['Name']}, Type={record['Type']}, "
    where += f"SetIdentifier={record.get('SetIdentifier', 'null')}]"
    problems = [*_problems(record)]
    if action not in _ACTIONS:
        problems.append(f"Action {action} is none of {', '.join(_ACTIONS)}")
    return [f"Invalid request: {problem} {where}" for problem in problems]


def _problems(record: Record) -> Iterator[str]:
    yield from _policy_problems(record)
    yield from _content_problems(record)
    yield from _value_problems(record)
    if record["Type"] not in _TYPES:
        yield f"Type {record['Type']} is not a record type of Route 53"
    if len(api_name(record["Name"])) > 256 or ".." in record["Name"]:
        yield f"'{record['Name']}' is not a valid domain name"


def _policy_problems(record: Record) -> Iterator[str]:
    policies = policy_fields(record)
    if len(policies) > 1:
        yield f"Expected exactly one of [{', '.join(_POLICIES)}], but found more than one"
    if policies and not record.get("SetIdentifier"):
        yield "Missing field 'SetIdentifier'"
    if not policies and record.get("SetIdentifier"):
        yield f"Expected exactly one of [{', '.join(_POLICIES)}], but found none"
    if len(record.get("SetIdentifier") or "") > 128:
        yield "SetIdentifier is longer than 128 characters"
    if (weight := record.get("Weight")) is not None and not 0 <= weight <= 255:
        yield f"Weight {weight} is not between 0 and 255"
    if not _REGION.fullmatch(record.get("Region", "us-east-1")):
        yield f"Region {record['Region']} is not a Region"
    if record.get("Failover") not in (None, "PRIMARY", "SECONDARY"):
        yield "Failover is neither PRIMARY nor SECONDARY"


def _content_problems(record: Record) -> Iterator[str]:
    """Alias or values, never both; an alias has its target's TTL and so none of its own."""
    alias, ttl, values = record.get("AliasTarget"), record.get("TTL"), record.get("ResourceRecords")
    choice = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
    if alias is not None and (ttl is not None or values):
        yield f"Expected exactly one of {choice}, but found more than one"
    elif alias is None and (ttl is None or not values) and not record.get("TrafficPolicyInstanceId"):
        yield f"Expected exactly one of {choice}, but found none"
    if ttl is not None and not 0 <= ttl <= _MAX_TTL:
        yield f"TTL {ttl} is not between 0 and {_MAX_TTL}"
    if alias is not None and record["Type"] in ("SOA", "NS"):
        yield f"an alias cannot be of type {record['Type']}"


def _value_problems(record: Record) -> Iterator[str]:
    values = [entry["Value"] for entry in record.get("ResourceRecords") or ()]
    if len(values) > 1 and record["Type"] in _ONE_VALUE:
        yield f"{record['Type']} record sets have exactly one value"
    if len(set(values)) < len(values):
        yield "Duplicate Resource Record"
    if (check := _FORMS.get(record["Type"])) is None:
        return
    for value in values:
        try:
            check(value)
        except ValueError:
            yield f"Value '{value}' is not valid for type {record['Type']}"


_FORMS: dict[str, Callable[[str], object]] = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}
