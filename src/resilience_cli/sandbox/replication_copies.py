"""The items themselves: each Region's copy of a global table in moto, watched for changes and written to.

Watched where moto itself feeds a table's stream: whatever operation makes it, a change to an item passes there, as it
does in AWS, where global tables replicate from streams. Everything here is called under the sandbox's lock.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import StreamShard

from .identity import ACCOUNT
from .replication_ledger import Stamp

_RECORDS = 20_000  # of a stream; half of them go when it is full, as AWS keeps a stream's records for a day only

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What one request did to one item in one Region. ``image`` is the item as it is now, None if it was removed."""

    region: str
    table: str
    key: Key
    image: Any
    is_new: bool
    at: Stamp


@dataclass(slots=True)
class _Noted:
    table: Any
    new: Any
    is_new: bool
    at: Stamp


Noted = dict[tuple[str, str, Key], _Noted]


class Tap(StreamShard):  # type: ignore[misc]  # moto publishes no usable types
    """A table's stream that also notes what passes, until ``Copies.changes`` takes it."""

    def __init__(self, shard: Any, noted: Noted, now: Callable[[], Stamp]) -> None:
        self.__dict__.update(shard.__dict__)
        self.noted, self.now = noted, now

    def add(self, old: Any, new: Any) -> None:
        self.replicated(old, new)
        table = self.table
        slot = (table.region_name, table.name, _key_of(new if new is not None else old))
        if (before := self.noted.get(slot)) is None:
            self.noted[slot] = _Noted(table, new, old is None, self.now())
        else:  # moto's UpdateItem first puts an empty item, then fills it: one change, new as the first was
            before.table, before.new = table, new

    def replicated(self, old: Any, new: Any) -> None:
        """Into the stream (a replica's stream has replicated writes too), but not to be replicated again."""
        super().add(old, new)
        if len(self.items) >= _RECORDS:
            old_ones = _RECORDS // 2
            del self.items[:old_ones]
            self.starting_sequence_number += old_ones

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tap":
        """What moto goes back to when a transaction fails: the records so far, and the same notes."""
        twin = copy.copy(self)
        memo[id(self)] = twin
        twin.table, twin.items = copy.deepcopy(self.table, memo), list(self.items)
        return twin


class Copies:
    """Every Region's copies of the global tables."""

    def __init__(self, now: Callable[[], Stamp], account: str = ACCOUNT) -> None:
        self._now, self._account = now, account
        self._noted: Noted = {}

    def watch(self, region: str, table: str) -> None:
        """From now on the table's changes are noted. A second call does nothing, but for a table made anew."""
        found = self._table(region, table)
        if found is None or isinstance(found.stream_shard, Tap):
            return
        if found.stream_shard is None:  # AWS turns a global table's stream on by itself
            found.set_stream_specification({"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        found.stream_shard = Tap(found.stream_shard, self._noted, self._now)

    def changes(self) -> list[Change]:
        """What was noted since the last call and stands: a failed transaction has put the table before it back."""
        if not self._noted:
            return []
        noted = dict(self._noted)
        self._noted.clear()
        return [
            Change(region, table, key, copy.deepcopy(note.new), note.is_new, note.at)
            for (region, table, key), note in noted.items()
            if note.table is self._table(region, table)
        ]

    def apply(self, region: str, table: str, key: Key, image: Any) -> None:
        """Make the Region's item this one, or remove it. Nothing happens where the table is gone."""
        found = self._table(region, table)
        if found is None:
            return
        hash_key, range_key = _typed(found, key)
        old = found.get_item(hash_key, range_key)
        new = copy.deepcopy(image)  # or a later UpdateItem here would change what is still on its way elsewhere
        items, slot = (found.items, hash_key) if range_key is None else (found.items[hash_key], range_key)
        if new is not None:
            items[slot] = new
        else:
            items.pop(slot, None)
        if isinstance(found.stream_shard, Tap) and (old is not None or new is not None):
            found.stream_shard.replicated(old, new)

    def touch(self, region: str, table: str, words: str) -> None:
        """Write an item of the world's own, as any client might, where the table has a plain text key."""
        found = self._table(region, table)
        if found is None or found.range_key_attr is not None or found.hash_key_type != "S":
            return
        found.put_item({found.hash_key_attr: {"S": f"background-{region}"}, "written": {"S": words}})

    def _table(self, region: str, table: str) -> Any:
        return dynamodb_backends[self._account][region].tables.get(table)


def _key_of(item: Any) -> Key:
    keys: Iterable[Any] = (item.hash_key,) if item.range_key is None else (item.hash_key, item.range_key)
    return tuple(str(key.value) for key in keys)


def _typed(table: Any, key: Key) -> tuple[Any, Any]:
    range_key = DynamoType({table.range_key_type: key[1]}) if table.range_key_attr is not None else None
    return DynamoType({table.hash_key_type: key[0]}), range_key
