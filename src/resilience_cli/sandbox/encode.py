"""Values into the four response bodies AWS speaks, led by botocore's shapes: XML, JSON and CBOR (query answers in XML).

Nothing is dropped on the way: a member the shape does not have is a mistake of the store that answered it, and raises.
"""

import base64
import struct
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.utils import parse_timestamp

Shape = Any  # botocore.model.Shape; its stubs do not cover what is read here
Structure = dict[str, Any]


class UnknownMember(Exception):
    """A store answered a member that the output shape does not have."""


def members(shape: Shape, value: Structure) -> list[tuple[str, Shape, Any]]:
    """(wire name, shape, value) of the members that travel in the body; those of None are absent."""
    if unknown := value.keys() - shape.members.keys():
        raise UnknownMember(f"{shape.name} has no member {', '.join(sorted(unknown))}")
    found = []
    for name, member in shape.members.items():
        if value.get(name) is not None and "location" not in member.serialization:
            found.append((member.serialization.get("name", name), member, value[name]))
    return found


def xml(shape: Shape, tag: str, value: Any) -> str:
    """One element. Lists are wrapped and maps have entries, unless flattened (REST XML and query protocols)."""
    kind = shape.type_name
    if kind == "structure":
        return _element(tag, "".join(xml(member, name, item) for name, member, item in members(shape, value)))
    if kind == "list":
        flat = shape.serialization.get("flattened")
        inner = tag if flat else shape.member.serialization.get("name", "member")
        items = "".join(xml(shape.member, inner, item) for item in value)
        return items if flat else _element(tag, items)
    if kind == "map":
        pairs = ((xml(shape.key, "key", key), xml(shape.value, "value", item)) for key, item in value.items())
        return _element(tag, "".join(_element("entry", key + item) for key, item in pairs))
    return _element(tag, escape(_text(shape, value)))


def _element(tag: str, inner: str) -> str:
    return f"<{tag}>{inner}</{tag}>"


def _text(shape: Shape, value: Any) -> str:
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return as_time(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case "blob":
            return base64.b64encode(value).decode()
        case "integer" | "long":
            return str(int(value))
        case _:
            return str(value)


def plain(shape: Shape, value: Any) -> Any:
    """What json.dumps takes: timestamps as epoch seconds (the JSON protocols' default) unless the shape says ISO."""
    match shape.type_name:
        case "structure":
            return {name: plain(member, item) for name, member, item in members(shape, value)}
        case "list":
            return [plain(shape.member, item) for item in value]
        case "map":
            return {key: plain(shape.value, item) for key, item in value.items()}
        case "timestamp":
            moment = as_time(value)
            iso = shape.serialization.get("timestampFormat") == "iso8601"
            return moment.isoformat().replace("+00:00", "Z") if iso else round(moment.timestamp(), 3)
        case "blob":
            return base64.b64encode(value).decode()
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case _:
            return value


def cbor(shape: Shape, value: Any) -> bytes:
    """Smithy RPC v2 CBOR: definite lengths, timestamps as tag 1 with a double (RFC 8949 section 3)."""
    match shape.type_name:
        case "structure":
            present = members(shape, value)
            pairs = (cbor_text(name) + cbor(member, item) for name, member, item in present)
            return _head(5, len(present)) + b"".join(pairs)
        case "list":
            return _head(4, len(value)) + b"".join(cbor(shape.member, item) for item in value)
        case "map":
            pairs = (cbor_text(key) + cbor(shape.value, item) for key, item in value.items())
            return _head(5, len(value)) + b"".join(pairs)
        case "timestamp":
            return b"\xc1" + _double(as_time(value).timestamp())
        case "blob":
            return _head(2, len(value)) + bytes(value)
        case "boolean":
            return b"\xf5" if value else b"\xf4"
        case "integer" | "long":
            number = int(value)
            return _head(0, number) if number >= 0 else _head(1, -1 - number)
        case "float" | "double":
            return _double(float(value))
        case _:
            return cbor_text(str(value))


def cbor_text(text: str) -> bytes:
    raw = text.encode()
    return _head(3, len(raw)) + raw


def cbor_map(pairs: dict[str, bytes]) -> bytes:
    """A map of already encoded values."""
    return _head(5, len(pairs)) + b"".join(cbor_text(key) + item for key, item in pairs.items())


def _double(number: float) -> bytes:
    return b"\xfb" + struct.pack(">d", number)


def _head(major: int, number: int) -> bytes:
    """CBOR's initial byte and argument, in the shortest form."""
    if number < 24:
        return bytes([major << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    raise OverflowError(f"{number} does not fit CBOR's eight bytes")


def as_time(value: datetime | float | str) -> datetime:
    """A moment in UTC from what a store keeps: an aware datetime, epoch seconds, or ISO 8601."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def as_utc(value: Any) -> datetime:
    """A moment in UTC from any spelling a client sends (epoch number, its digits as text, ISO 8601, RFC 822)."""
    moment: datetime = parse_timestamp(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
