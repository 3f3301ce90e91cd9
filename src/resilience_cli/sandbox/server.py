"""The sandbox's AWS: one port, our strict services first, moto behind them, and every request in the log.

One lock is around all stores and moto. Reading and writing HTTP, the faults and the hooks are outside it: a call that
hangs on purpose holds up nobody else.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl

from .behind import Moto, error_code, s3_operation
from .calls import NO_ANSWER, OK, CallLog
from .faults import Asked, Faults, Told
from .identity import Identity, identify
from .listener import Listener, Request, Response
from .service import AwsError, Call, Service
from .wire import Incoming, Protocol, Wire, wire

Hook = Callable[[Call], AwsError | None]
Control = Callable[[dict[str, Any]], dict[str, Any]]
Page = Callable[[Mapping[str, str]], dict[str, Any]]  # a GET's query to its JSON; called outside the lock

NO_ANSWER_STATUS = 0
"""An AwsError of this status from a hook closes the connection without an answer."""


@dataclass(frozen=True)
class _Exchange:
    """A request recognised: who is asked for what, and how to speak to the caller."""

    call: Call
    wire: Wire | None
    incoming: Incoming
    service: Service | None  # None: moto's


class Sandbox:
    """A local AWS. Made = its ports are bound; started = it answers; stopped = nothing is left.

    ``intercept`` hooks run before a call is dispatched and may refuse it; ``after`` hooks run when it was, and may
    replace the answer of what has already happened. Both run outside the lock and may wait; ``stopping`` is set when
    they should give up. A service with an attribute ``operations`` answers only those, the others go to moto.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        control: Control | None = None,
        clock: Callable[[], float] = time.time,
        faults: Faults | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.calls = CallLog(clock)
        self.faults = faults if faults is not None else Faults()
        self.faults.attach(lambda: self._endpoints)
        self.intercept: list[Hook] = []
        self.after: list[Hook] = []
        self.pages: dict[str, Page] = {}
        self.moto = Moto()
        self._services = {service.name: service for service in services}
        self._control = control
        self._clock = clock
        self._main = Listener(lambda request: self._serve(request, None), host, port)
        self._endpoints: dict[str, Listener] = {}
        self._started = False

    @property
    def url(self) -> str:
        return self._main.url

    @property
    def port(self) -> int:
        return self._main.port

    def serve_endpoint(self, region: str, port: int = 0) -> str:
        """The URL of an ARC cluster endpoint on a port of its own: calls arriving there carry ``endpoint=region``."""
        if region not in self._endpoints:
            listener = Listener(lambda request: self._serve(request, region), self._main.host, port)
            self._endpoints[region] = listener
            if self._started:
                listener.start()
        return self._endpoints[region].url

    def start(self) -> None:
        self._started = True
        for listener in (self._main, *self._endpoints.values()):
            listener.start()
        self.faults.start()

    def stop(self) -> None:
        self.stopping.set()
        self.faults.stop()
        for listener in (self._main, *self._endpoints.values()):
            listener.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _serve(self, request: Request, endpoint: str | None) -> Response | None:
        if request.path.startswith("/_resil/"):
            return self._own(request)
        at, began = self._clock(), time.monotonic()
        told, call = self._told(request, self._recognise(request, identify(request), endpoint), at)
        response, outcome = told.response, told.outcome
        status = response.status if response is not None else NO_ANSWER_STATUS
        took = time.monotonic() - began if status else None
        self.calls.add(call.service, call.operation, call.region, call.caller, status, outcome, at=at, seconds=took)
        return _dated(response, at) if response is not None else None

    def _told(self, request: Request, exchange: _Exchange, at: float) -> tuple[Told, Call]:
        """The answer under the faults of the moment, and the call as far as it could be read."""
        try:
            exchange = replace(exchange, call=self._parsed(request, exchange))
            refuse = partial(_refusal, exchange)
            asked = Asked(exchange.call, request, exchange.wire, exchange.incoming, at, refuse)
            return self.faults.around(asked, partial(self._perform, request, exchange)), exchange.call
        except AwsError as unread:
            return Told(_refusal(exchange, unread), unread.code), exchange.call
        except Exception as bug:  # one bad store must not take the whole sandbox down, nor pass for AWS's own refusal
            failure = AwsError("InternalFailure", f"the sandbox failed: {type(bug).__name__}: {bug}", 500)
            return Told(_refusal(exchange, failure), failure.code), exchange.call

    def _recognise(self, request: Request, who: Identity, endpoint: str | None) -> _Exchange:
        service = self._services.get(who.service)
        wire_ = wire(who.service) if who.service and who.service != "s3" else None
        incoming = wire_.recognise(request) if wire_ is not None else Incoming(Protocol.REST_XML, "", {})
        if service is not None and not _answers(service, incoming.operation):
            service = None
        name = who.service or "s3"  # moto takes an unsigned request for S3's
        operation = incoming.operation or (
            s3_operation(request) if name == "s3" else f"{request.method} {request.path}"
        )
        params = _json_of(request) if service is None and incoming.protocol is Protocol.JSON else {}
        return _Exchange(Call(name, operation, who.region, who.caller, params, endpoint), wire_, incoming, service)

    def _perform(self, request: Request, exchange: _Exchange) -> Told:
        """Hooks, then the store or moto, then hooks."""
        try:
            _run(self.intercept, exchange.call)
            response, outcome = self._dispatch(request, exchange)
            _run(self.after, exchange.call)
        except AwsError as error:
            if error.status == NO_ANSWER_STATUS:
                return Told(None, NO_ANSWER)
            return Told(_refusal(exchange, error), error.code)
        return Told(response, outcome)

    def _parsed(self, request: Request, exchange: _Exchange) -> Call:
        call = exchange.call
        if exchange.service is None or exchange.wire is None:
            return call
        params = exchange.wire.read(request, exchange.incoming)
        return Call(call.service, call.operation, call.region, call.caller, params, call.endpoint)

    def _dispatch(self, request: Request, exchange: _Exchange) -> tuple[Response, str]:
        if exchange.service is not None and exchange.wire is not None:
            with self.lock:
                result = exchange.service.handle(exchange.call)
            return exchange.wire.answer(exchange.incoming, result), OK
        with self.lock:
            response = self.moto.answer(request)
        return response, OK if response.status < 400 else error_code(response)

    def _own(self, request: Request) -> Response:
        """The sandbox's own pages: whether it is ready, the call log, and the world's switches."""
        match request.method, request.path:
            case "GET", "/_resil/ready":
                return _json_page(200, {"ready": True})
            case "GET", "/_resil/calls":
                return _json_page(*self._calls(parse_qs(request.query)))
            case "GET", path if path in self.pages:
                return _page(self.pages[path], dict(parse_qsl(request.query)))
            case "POST", "/_resil/world" if self._control is not None:
                return self._steer(request, self._control)
            case _:
                return _json_page(404, {"error": f"nothing at {request.method} {request.path}"})

    def _calls(self, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """``writes=1``: only those. ``since=N``: only those after the N-th; the answer's ``last`` is the next N."""
        since = query.get("since", ["0"])[0]
        if not since.isdigit():
            return 400, {"error": f"since is a number of the log, not {since!r}"}
        writes_only = query.get("writes", ["0"])[0] not in ("", "0")
        return 200, self.calls.as_json(writes_only=writes_only, since=int(since))

    def _steer(self, request: Request, control: Control) -> Response:
        try:
            wish = json.loads(request.body)
            with self.lock:
                return _json_page(200, control(wish))
        except (ValueError, KeyError, TypeError) as problem:
            return _json_page(400, {"error": f"{type(problem).__name__}: {problem}"})


def _answers(service: Service, operation: str) -> bool:
    """Whether a store answers this operation itself; one without ``operations`` answers all of its service's."""
    operations = getattr(service, "operations", None)
    return operations is None or operation in operations


def _dated(response: Response, at: float) -> Response:
    """With the Date every service sends (RFC 9110, 6.6.1); a fault may have put a wrong one there."""
    if not response.status or "Date" in response.headers:
        return response
    return replace(response, headers={**response.headers, "Date": formatdate(at, usegmt=True)})


def _run(hooks: Sequence[Hook], call: Call) -> None:
    for hook in tuple(hooks):
        if (error := hook(call)) is not None:
            raise error


def _refusal(exchange: _Exchange, error: AwsError) -> Response:
    if exchange.wire is not None:
        return exchange.wire.refuse(exchange.incoming.protocol, error)
    body = f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"  # as S3 words it
    return Response(error.status, body.encode(), {"Content-Type": "application/xml"})


def _json_of(request: Request) -> dict[str, Any]:
    """The members of a JSON-protocol request that moto will answer, for the hooks; empty where it is none."""
    try:
        params = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return params if isinstance(params, dict) else {}


def _page(page: Page, query: Mapping[str, str]) -> Response:
    try:
        return _json_page(200, page(query))
    except ValueError as problem:
        return _json_page(400, {"error": str(problem)})


def _json_page(status: int, value: dict[str, Any]) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
