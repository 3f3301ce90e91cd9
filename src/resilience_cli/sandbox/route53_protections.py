"""Record set protections: while one exists for a name and type, any change to it fails the whole batch.

Rules: API reference Create/Delete/ListResourceRecordSetProtections. Both writes are atomic and name every entry that
failed; invalid entries are reported before existing protections.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ..adapters.aws.records import api_name
from .operations import Answer, page, paged
from .route53_rules import order_of
from .service import AwsError

Protections = dict[tuple[str, str], str | None]
"""The comment (None without one) by name and type."""

_MAX_ENTRIES = 100
_PAGE = 300


def protect(existing: Protections, zone_name: str, entries: Sequence[dict[str, Any]]) -> Protections:
    """The protections with these added, or the refusal naming each entry."""
    if invalid := [*_invalid(zone_name, entries)]:
        raise _batch_error(invalid)
    taken = [entry for entry in entries if _key(entry) in existing]
    errors = [_error(entry, "ProtectionAlreadyExists", "A protection already exists.") for entry in taken]
    if errors and len(errors) == len(entries):
        message = "Every record set in the request is already protected."
        raise AwsError("ProtectionAlreadyExists", message, 409, Errors=errors)
    if errors:
        raise _batch_error(errors)
    return existing | {_key(entry): entry.get("Comment") for entry in entries}


def unprotect(existing: Protections, zone_name: str, entries: Sequence[dict[str, Any]]) -> Protections:
    """The protections without these, or the refusal naming each entry."""
    errors = [*_invalid(zone_name, entries)]
    errors = errors or [
        _error(entry, "ProtectionNotFound", "No protection exists.") for entry in entries if _key(entry) not in existing
    ]
    if errors:
        raise _batch_error(errors)
    gone = {_key(entry) for entry in entries}
    return {key: comment for key, comment in existing.items() if key not in gone}


def listed(existing: Protections, params: dict[str, Any]) -> Answer:
    """One page, in the order of record sets."""
    start = order_of((api_name(params.get("StartRecordName") or ""), params.get("StartRecordType") or "", None))
    wanted = sorted(existing, key=lambda key: order_of((*key, None)))
    if params.get("StartRecordName") and not params.get("NextToken"):
        wanted = [key for key in wanted if order_of((*key, None)) >= start]
    limit = min(int(params.get("MaxResults") or _PAGE), _PAGE)
    invalid = AwsError("InvalidPaginationToken", "The pagination token is not one of this operation's.")
    keys, token = page(wanted, limit, params.get("NextToken"), invalid)
    return paged("ResourceRecordSetProtections", [_as_api(key, existing[key]) for key in keys], token)


def _as_api(key: tuple[str, str], comment: str | None) -> Answer:
    return {"RecordName": key[0], "RecordType": key[1]} | ({"Comment": comment} if comment else {})


def _key(entry: dict[str, Any]) -> tuple[str, str]:
    return api_name(entry["RecordName"]), str(entry["RecordType"])


def _invalid(zone_name: str, entries: Sequence[dict[str, Any]]) -> Iterator[Answer]:
    if len(entries) > _MAX_ENTRIES:
        raise AwsError("InvalidInput", f"At most {_MAX_ENTRIES} protections fit one request.")
    seen = set()
    for entry in entries:
        name, _ = key = _key(entry)
        if name != zone_name and not name.endswith(f".{zone_name}"):
            yield _error(entry, "InvalidInput", f"The name is not in the hosted zone {zone_name}")
        elif key in seen:
            yield _error(entry, "InvalidInput", "The name and type appear more than once in the request.")
        seen.add(key)


def _error(entry: dict[str, Any], code: str, message: str) -> Answer:
    name, rtype = _key(entry)
    return {"RecordName": name, "RecordType": rtype, "Code": code, "Message": message}


def _batch_error(errors: list[Answer]) -> AwsError:
    message = "One or more entries could not be processed; nothing was changed."
    return AwsError("InvalidResourceRecordSetProtectionBatch", message, Errors=errors)
