"""Orders in a Region's own table: created by one conditional PutItem, read by one GetItem."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .aws_async import DYNAMODB, Aws, code_of

Order = Mapping[str, Any]
_REFUSED = "ConditionalCheckFailedException"


class Created(Enum):
    """How an order was taken: for the first time, as the very one that is there, or not, as another has its id."""

    NEW = "new"
    SAME = "same"
    TAKEN = "taken"


class TableError(Exception):
    """DynamoDB refused, for another reason than the condition. ``is_fault``: with a 5xx."""

    def __init__(self, code: str, is_fault: bool) -> None:
        super().__init__(code)
        self.is_fault = is_fault


@dataclass(frozen=True)
class OrderTable:
    """One Region's Orders table. Raises TableError, or Unanswered where an order's fate is not known."""

    aws: Aws
    name: str = "Orders"

    async def create(self, order: Order) -> Created:
        """Keeps the order unless its id is taken (PutItem, ``attribute_not_exists``)."""
        item = to_item(order)
        params = {"TableName": self.name, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
        answer = await self.aws.ask(DYNAMODB, "PutItem", params)
        if answer.status == 200:
            return Created.NEW
        if code_of(answer) != _REFUSED:
            raise TableError(code_of(answer), answer.status >= 500)
        return Created.SAME if await self._item(str(order["id"])) == item else Created.TAKEN

    async def put(self, order: Order) -> None:
        """Writes it over what is there."""
        answer = await self.aws.ask(DYNAMODB, "PutItem", {"TableName": self.name, "Item": to_item(order)})
        if answer.status != 200:
            raise TableError(code_of(answer), answer.status >= 500)

    async def read(self, order_id: str) -> Order | None:
        item = await self._item(order_id)
        return None if item is None else {name: _value(attribute) for name, attribute in item.items()}

    async def _item(self, order_id: str) -> Mapping[str, Any] | None:
        params = {"TableName": self.name, "Key": {"id": {"S": order_id}}, "ConsistentRead": True}
        answer = await self.aws.ask(DYNAMODB, "GetItem", params)
        if answer.status != 200:
            raise TableError(code_of(answer), answer.status >= 500)
        item: Mapping[str, Any] | None = answer.json().get("Item")
        return item


def to_item(order: Order) -> dict[str, Any]:
    """An order as DynamoDB's attribute values (API reference, ``AttributeValue``)."""
    return {name: _attribute(value) for name, value in order.items()}


def _attribute(value: object) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case str():
            return {"S": value}
        case list():
            return {"L": [_attribute(member) for member in value]}
        case dict():
            return {"M": to_item(value)}
        case _:
            raise ValueError(f"an order holds JSON only, not {type(value).__name__}")


def _value(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return float(value) if "." in value or "e" in value else int(value)
        case "L":
            return [_value(member) for member in value]
        case "M":
            return {name: _value(member) for name, member in value.items()}
        case _:
            return value
