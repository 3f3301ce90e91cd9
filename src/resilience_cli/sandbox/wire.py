"""Between HTTP and a Call: requests are read, answers and refusals written, by botocore's service models.

One ``Wire`` a service, made once and kept: the models are megabytes of JSON. It speaks every protocol that service's
model names, because clients choose: boto3 speaks CBOR to CloudWatch and Health, older SDKs and tools JSON or query.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, assert_never
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.parsers import RpcV2CBORParser
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from werkzeug.datastructures import MultiDict

from . import encode
from .listener import Request, Response
from .service import AwsError

_CBOR_PATH = re.compile(r"^/service/[^/]+/operation/(\w+)$")
_LABEL = re.compile(r"\{(\w+)(\+?)\}")

# What each service calls a request without a member that its model requires; the rest say ValidationException.
_MISSING = {"route53": "InvalidInput", "cloudwatch": "MissingRequiredParameterException"}


class Protocol(StrEnum):
    REST_XML = "rest-xml"
    REST_JSON = "rest-json"
    JSON = "json"
    QUERY = "query"
    CBOR = "smithy-rpc-v2-cbor"


@dataclass(frozen=True)
class Incoming:
    """A request as far as its model explains it. ``operation`` "" where nothing in the model fits."""

    protocol: Protocol
    operation: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    operation: str


class Wire:
    """One service's requests and answers. Holds no state of the service itself."""

    def __init__(self, service: str, model: Any) -> None:
        self.service, self._model = service, model
        self._operations = frozenset(model.operation_names)
        self._routes = _routes(model)
        self._errors = {name: shape for shape in model.error_shapes for name in (shape.name, shape.error_code)}

    def recognise(self, request: Request) -> Incoming:
        """Which operation is asked for, in which protocol. Cheap: the body is read only for the query protocol."""
        if match := _CBOR_PATH.match(request.path):
            return self._named(Protocol.CBOR, match[1])
        if target := request.header("X-Amz-Target"):
            return self._named(Protocol.JSON, target.rpartition(".")[2])
        if "query" in self._model.metadata.get("protocols", [self._model.protocol]):
            action = dict(_form(request)).get("Action", "")
            return self._named(Protocol.QUERY, action)
        for route in self._routes:
            if route.method == request.method and (match := route.pattern.match(request.path)):
                labels = {name: unquote(value) for name, value in match.groupdict().items()}
                return Incoming(Protocol(self._model.protocol), route.operation, labels)
        return Incoming(_fallback(self._model.protocol), "", {})

    def _named(self, protocol: Protocol, operation: str) -> Incoming:
        return Incoming(protocol, operation if operation in self._operations else "", {})

    def operation(self, name: str) -> Any:
        """The operation's model: its shapes and its errors."""
        return self._model.operation_model(name)

    def read(self, request: Request, incoming: Incoming) -> dict[str, Any]:
        """The input's members by their model names. Raises AwsError for a body that cannot be read or lacks one."""
        if not incoming.operation:
            raise AwsError("UnknownOperationException", f"{self.service} has no operation for {_named_in(request)}")
        model = self._model.operation_model(incoming.operation)
        try:
            params = self._parse(request, incoming, model)
        except Exception as problem:  # whatever a malformed body breaks in the parsers is the caller's mistake
            raise AwsError("SerializationException", f"the request could not be read: {problem}") from problem
        self._require(model, params)
        return params

    def _parse(self, request: Request, incoming: Incoming, model: Any) -> dict[str, Any]:
        if incoming.protocol is Protocol.CBOR:
            return _read_cbor(request.body)
        is_query = incoming.protocol is Protocol.QUERY
        parser = PROTOCOL_PARSERS[incoming.protocol](model, timestamp_parser=encode.as_utc)
        parsed: dict[str, Any] = parser.parse(
            {
                "body": request.body,
                "headers": request.headers,
                "method": request.method,
                "url_params": incoming.labels,
                "url_path": request.path,
                "values": MultiDict(_form(request) if is_query else parse_qsl(request.query, keep_blank_values=True)),
            }
        )
        return parsed

    def _require(self, model: Any, params: dict[str, Any]) -> None:
        required = model.input_shape.required_members if model.input_shape else []
        if missing := [name for name in required if params.get(name) is None]:
            code = _MISSING.get(self.service, "ValidationException")
            raise AwsError(code, f"{model.name} needs {', '.join(missing)}")

    def answer(self, incoming: Incoming, result: dict[str, Any]) -> Response:
        """A successful answer. Raises UnknownMember for a result the model has no place for."""
        model = self._model.operation_model(incoming.operation)
        status = int(model.http.get("responseCode", 200))
        shape, headers = model.output_shape, {}
        if shape is not None:
            for name, member in shape.members.items():
                if member.serialization.get("location") == "header" and result.get(name) is not None:
                    headers[member.serialization["name"]] = str(result[name])
        return self._response(incoming.protocol, status, self._body(incoming, shape, result), headers)

    def _body(self, incoming: Incoming, shape: Any, result: dict[str, Any]) -> bytes:
        match incoming.protocol:
            case Protocol.JSON | Protocol.REST_JSON:
                return json.dumps(encode.plain(shape, result) if shape is not None else {}).encode()
            case Protocol.CBOR:
                return encode.cbor(shape, result) if shape is not None else encode.cbor_map({})
            case Protocol.REST_XML:
                return self._document(f"{incoming.operation}Response", _inner(shape, result)) if shape else b""
            case Protocol.QUERY:
                inner = f"<{incoming.operation}Result>{_inner(shape, result)}</{incoming.operation}Result>"
                tail = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
                return self._document(f"{incoming.operation}Response", (inner if shape is not None else "") + tail)
            case _:
                assert_never(incoming.protocol)

    def _document(self, root: str, inner: str) -> bytes:
        namespace = self._model.metadata.get("xmlNamespace") or (
            f"https://route53.amazonaws.com/doc/{self._model.api_version}/" if self.service == "route53" else ""
        )
        attribute = f' xmlns="{namespace}"' if namespace else ""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{attribute}>{inner}</{root}>'.encode()

    def refuse(self, protocol: Protocol, error: AwsError) -> Response:
        """An error as the service words it: its status, code and members from the model where the model has it."""
        shape = self._errors.get(error.code)
        modelled = shape.metadata.get("error", {}).get("httpStatusCode") if shape is not None else None
        status = modelled if modelled and error.status == 400 else error.status
        fields = _error_fields(shape, error)
        headers = {}
        match protocol:
            case Protocol.JSON | Protocol.REST_JSON:
                code = shape.name if shape is not None else error.code
                told = encode.plain(shape, fields) if shape is not None else {}
                body = json.dumps({"__type": code, "message": error.message, **told}).encode()
                headers["x-amzn-ErrorType"] = code
            case Protocol.CBOR:
                body = _cbor_error(shape, error, fields)
            case Protocol.REST_XML | Protocol.QUERY:
                body = self._xml_error(shape, error, fields, status)
            case _:
                assert_never(protocol)
        if shape is not None and "awsQueryCompatible" in self._model.metadata:
            headers["x-amzn-query-error"] = f"{shape.error_code};{_fault(status)}"
        return self._response(protocol, status, body, headers)

    def _xml_error(self, shape: Any, error: AwsError, fields: dict[str, Any], status: int) -> bytes:
        code = shape.error_code if shape is not None else error.code
        head = "".join(
            f"<{tag}>{escape(text)}</{tag}>"
            for tag, text in (("Type", _fault(status)), ("Code", code), ("Message", error.message))
        )
        told = {name: value for name, value in fields.items() if name != "Message"}
        inner = f"<Error>{head}{_inner(shape, told)}</Error><RequestId>{uuid.uuid4()}</RequestId>"
        if self.service == "s3":  # S3 alone has no envelope
            return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{head}</Error>'.encode()
        return self._document("ErrorResponse", inner)

    def _response(self, protocol: Protocol, status: int, body: bytes, headers: Mapping[str, str]) -> Response:
        extra = {"smithy-protocol": "rpc-v2-cbor"} if protocol is Protocol.CBOR else {}
        common = {"Content-Type": _content_type(protocol, self._model), "x-amzn-RequestId": str(uuid.uuid4())}
        return Response(status, body, {**common, **extra, **headers})


@cache
def wire(service: str) -> Wire | None:
    """The service's Wire; None where botocore does not know the service."""
    try:
        description = _loader().load_service_model(service, "service-2")
    except UnknownServiceError:
        return None
    return Wire(service, ServiceModel(description, service))


@cache
def _loader() -> Loader:
    return Loader()


def _routes(model: Any) -> list[_Route]:
    """The REST bindings, most literal first, so that ``/hostedzone/{Id}`` never shadows a longer path."""
    if not str(model.protocol).startswith("rest-"):
        return []
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        uri = http["requestUri"].partition("?")[0].rstrip("/") or "/"
        parts, end = [], 0
        for label in _LABEL.finditer(uri):
            parts += [re.escape(uri[end : label.start()]), f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})"]
            end = label.end()
        pattern = re.compile("^" + "".join(parts) + re.escape(uri[end:]) + "/?$")
        routes.append((len(parts), -len(uri), _Route(http["method"], pattern, name)))
    return [route for _, _, route in sorted(routes, key=lambda entry: entry[:2])]


def _fallback(protocol: str) -> Protocol:
    return Protocol(protocol) if protocol in tuple(Protocol) else Protocol.JSON


def _form(request: Request) -> list[tuple[str, str]]:
    body = request.body.decode("utf-8", "replace")
    return parse_qsl(body or request.query, keep_blank_values=True)


def _read_cbor(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    parser = RpcV2CBORParser(timestamp_parser=encode.as_utc)
    parsed: dict[str, Any] = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    return parsed


def _inner(shape: Any, value: dict[str, Any]) -> str:
    if shape is None:
        return ""
    return "".join(encode.xml(member, name, item) for name, member, item in encode.members(shape, value))


def _error_fields(shape: Any, error: AwsError) -> dict[str, Any]:
    """The members the model gives this error, its message under whichever spelling the model uses."""
    if shape is None:
        return {}
    message = {name: error.message for name in shape.members if name in ("message", "Message")}
    return {**message, **error.fields}


def _cbor_error(shape: Any, error: AwsError, fields: dict[str, Any]) -> bytes:
    pairs = {"__type": encode.cbor_text(shape.name if shape is not None else error.code)}
    pairs["message"] = encode.cbor_text(error.message)
    if shape is not None:
        pairs |= {name: encode.cbor(member, item) for name, member, item in encode.members(shape, fields)}
    return encode.cbor_map(pairs)


def _content_type(protocol: Protocol, model: Any) -> str:
    match protocol:
        case Protocol.JSON:
            return f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.0')}"
        case Protocol.REST_JSON:
            return "application/json"
        case Protocol.CBOR:
            return "application/cbor"
        case Protocol.REST_XML | Protocol.QUERY:
            return "text/xml"
        case _:
            assert_never(protocol)


def _fault(status: int) -> str:
    return "Receiver" if status >= 500 else "Sender"


def _named_in(request: Request) -> str:
    return request.header("X-Amz-Target") or f"{request.method} {request.path}"
