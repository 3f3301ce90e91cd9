"""A page cut in half: it promises a next one in the service's own way. By botocore's paginators and parsers."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from botocore.awsrequest import HeadersDict
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.parsers import create_parser

from ..delivery import Cut
from ..listener import Response
from .asked import Asked

Token = tuple[str, ...]

# What Route 53 promises is the first record left out, not an opaque token (API: ListResourceRecordSets).
_OF_A_RECORD = {"NextRecordName": "Name", "NextRecordType": "Type", "NextRecordIdentifier": "SetIdentifier"}


@dataclass(frozen=True)
class Paginator:
    """How an operation pages: its tokens in the question and the answer, the flag for more, the list that is cut."""

    asks: tuple[str, ...]
    answers: tuple[str, ...]
    more: str | None
    items: str


def paginator(asked: Asked) -> Paginator | None:
    """By botocore's list of paginators, or by the model where that list leaves an operation out."""
    if asked.wire is None or not asked.incoming.operation:
        return None
    found = _paginators(asked.call.service).get(asked.call.operation)
    if found is None:
        return _by_its_token(asked.wire.operation(asked.incoming.operation))
    items = _several(found["result_key"])[0]
    answers = tuple(token.partition(" ")[0] for token in _several(found["output_token"]))
    if "." in items or any("." in token or "[" in token for token in answers):
        return None  # an expression, not a member
    return Paginator(_several(found["input_token"]), answers, found.get("more_results"), items)


def _by_its_token(operation: Any) -> Paginator | None:
    asks = operation.input_shape.members if operation.input_shape else {}
    answers = operation.output_shape.members if operation.output_shape else {}
    lists = [name for name, member in answers.items() if member.type_name == "list"]
    for token in ("NextToken", "nextToken"):
        if token in asks and token in answers and len(lists) == 1:
            return Paginator((token,), (token,), None, lists[0])
    return None


@cache
def _paginators(service: str) -> dict[str, Any]:
    try:
        pagination: dict[str, Any] = Loader().load_service_model(service, "paginators-1")["pagination"]
    except DataNotFoundError:
        return {}
    return pagination


def _several(given: str | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def token_in(asked: Asked) -> Token:
    """The token a request carries; empty values where it asks for the first page."""
    paging = paginator(asked)
    params = asked.params() if paging else {}
    return tuple(str(params.get(name) or "") for name in paging.asks) if paging else ()


def half_a_page(asked: Asked, response: Response) -> tuple[Response, Token | None]:
    """The first half, rounded up, and the token it promises; an answer that has no pages is cut as bytes instead."""
    paging = paginator(asked)
    if paging is None or asked.wire is None:
        return half_a_body(response), None
    try:
        parsed = _parsed(asked, response)
        kept, token = _cut(parsed, paging)
        whole = asked.wire.answer(asked.incoming, kept)
    except Exception:  # an answer that cannot be taken apart and put together again is cut all the same
        return half_a_body(response), None
    return whole, token


def half_a_body(response: Response) -> Response:
    return replace(response, delivery=Cut(0.5))


def _parsed(asked: Asked, response: Response) -> dict[str, Any]:
    assert asked.wire is not None
    shape = asked.wire.operation(asked.incoming.operation).output_shape
    headers: Any = HeadersDict(response.headers)
    parser: Any = create_parser(asked.incoming.protocol.value)
    answer = parser.parse({"status_code": response.status, "headers": headers, "body": response.body}, shape)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _cut(parsed: dict[str, Any], paging: Paginator) -> tuple[dict[str, Any], Token]:
    items = parsed.get(paging.items) or []
    keep = (len(items) + 1) // 2
    promised = (items[keep:] or items[-1:] or [{}])[0]
    tokens = {name: _promise(name, promised) for name in paging.answers}
    kept = parsed | {paging.items: items[:keep]} | {name: value for name, value in tokens.items() if value}
    if paging.more is not None:
        kept[paging.more] = True
    return kept, tuple(tokens.values())


def _promise(name: str, item: Any) -> str:
    if name in _OF_A_RECORD:
        return str(item.get(_OF_A_RECORD[name], "")) if isinstance(item, dict) else ""
    return "the-page-that-fails"
