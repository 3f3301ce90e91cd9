"""moto behind our stores, in process: DynamoDB, STS, IAM, SSM, S3, SNS, Lambda and API Gateway are left to it.

moto keeps its state in module globals and is not thread-safe: everything here is called under the sandbox's lock, and
one process holds one sandbox at a time. Its state is emptied when a sandbox starts.
"""

import io
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import unquote

from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.core.request import Request as MotoRequest
from moto.dynamodb.responses import DynamoHandler
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from .listener import Request, Response
from .service import AwsError, Call

_DYNAMODB = "DynamoDB_20120810."
_CODE_IN_XML = re.compile(r"<Code>([^<]+)</Code>")


class Moto:
    """moto's WSGI application, and its answers read as far as the call log needs."""

    def __init__(self) -> None:
        default_user_config["lambda"]["use_docker"] = False  # an invocation answers at once, without a container
        BackendDict.reset()
        reset_model_data()
        _know_method_names()
        self._app = DomainDispatcherApplication(create_backend_app)
        self.settled: Callable[[], None] = lambda: None  # called, under the same lock, after each request

    def answer(self, request: Request) -> Response:
        """DynamoDB has hundreds of requests a second: they go to moto's own entry, past Flask, in half the time."""
        environ = _environ(request)
        if request.header("X-Amz-Target").startswith(_DYNAMODB):
            answer = _straight(environ)
        else:
            body, status, headers = run_wsgi_app(self._app, environ, buffered=True)
            answer = Response(int(status.split()[0]), b"".join(body), dict(headers))
        self.settled()
        return answer

    def ask(self, call: Call, target: str) -> dict[str, Any]:
        """One JSON-protocol operation, as a store on top of moto asks it. Raises AwsError for moto's refusal.

        ``target`` is the service's X-Amz-Target prefix, such as ``DynamoDB_20120810``; the answer is plain JSON.
        """
        scope = f"{call.caller}/20260101/{call.region}/{call.service}/aws4_request"
        headers = {
            "X-Amz-Target": f"{target}.{call.operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.0",
            "Host": "127.0.0.1",
        }
        response = self.answer(Request("POST", "/", "", headers_of(headers), json.dumps(call.params).encode()))
        answer: dict[str, Any] = json.loads(response.body or b"{}")
        if response.status >= 400:
            message = str(answer.get("message", answer.get("Message", "")))
            raise AwsError(error_code(response), message, response.status)
        return answer


def _straight(environ: dict[str, Any]) -> Response:
    """As moto answers an SDK in its own process (``BotocoreStubber.process_request``)."""
    request = MotoRequest(environ)
    status, headers, body = DynamoHandler.dispatch(request, request.raw_url, dict(request.headers))
    told = {name: str(value) for name, value in headers.items() if name != "status"}
    return Response(int(status), body.encode() if isinstance(body, str) else body, told)


def _know_method_names() -> None:
    """moto lists a class's methods anew for each call, which takes as long as a PutItem; here it is done once."""
    if not hasattr(responses.method_names_from_class, "cache_info"):
        responses.method_names_from_class = cache(responses.method_names_from_class)


def headers_of(pairs: dict[str, str]) -> Any:
    """Header fields as the listener delivers them: looked up without regard to case."""
    from email.message import Message

    message = Message()
    for name, value in pairs.items():
        message[name] = value
    return message


def error_code(response: Response) -> str:
    """AWS's error code in a refusal of any protocol; the HTTP status where none can be found."""
    text = response.body[:4096].decode("utf-8", "replace")
    if match := _CODE_IN_XML.search(text):
        return match[1]
    headers = {name.lower(): value for name, value in response.headers.items()}
    code = headers.get("x-amzn-errortype") or _type_in_json(text) or str(response.status)
    return code.split(":")[0].rpartition("#")[2]


def _type_in_json(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return ""
    return str(body.get("__type", "")) if isinstance(body, dict) else ""


def _environ(request: Request) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path).encode().decode("latin-1"),
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key != "TRANSFER_ENCODING":  # the listener has put the chunks together
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ


def s3_operation(request: Request) -> str:
    """S3's operation by method and path, near enough for the call log: its model's routes overlap too much to match."""
    has_key = "/" in request.path.strip("/")
    subject = "Object" if has_key else "Bucket"
    verb = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete", "POST": "Post"}.get(request.method, "")
    match request.method, has_key:
        case "GET", False:
            return "ListBuckets" if request.path == "/" else "ListObjectsV2"
        case "PUT", False if not request.query:
            return "CreateBucket"
        case _:
            return f"{verb}{subject}"
