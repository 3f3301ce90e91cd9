"""What every store does alike: find the method of an operation, and cut a list into pages."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .service import AwsError, Call

Answer = dict[str, Any]
Operation = Callable[[Call], Answer]
Item = TypeVar("Item")


def perform(operations: Mapping[str, Operation], call: Call) -> Answer:
    """The answer of the operation's method; one the sandbox does not serve is refused by its name."""
    operation = operations.get(call.operation)
    if operation is None:
        raise AwsError("UnknownOperationException", f"the sandbox does not serve {call.service}:{call.operation}")
    return operation(call)


def page(items: Sequence[Item], limit: int, token: str | None, invalid: AwsError) -> tuple[Sequence[Item], str | None]:
    """Up to ``limit`` items from where ``token`` points, and the next page's token (None at the end)."""
    start = _offset(token, invalid)
    if start > len(items):
        raise invalid
    end = start + limit
    return items[start:end], _token(end) if end < len(items) else None


def paged(key: str, items: Sequence[Item], next_token: str | None, token_key: str = "NextToken") -> Answer:
    """An answer of one page: the token's member is there only when more follows, as AWS does."""
    return {key: list(items)} | ({token_key: next_token} if next_token else {})


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode()


def _offset(token: str | None, invalid: AwsError) -> int:
    if not token:
        return 0
    try:
        label, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if label == "from" and number.isdigit():
            return int(number)
    except ValueError:
        pass
    raise invalid
