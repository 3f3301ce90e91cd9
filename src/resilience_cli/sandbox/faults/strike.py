"""What each kind of fault does to a call it strikes. ``ask`` lets the call through; not asking is having no effect."""

from dataclasses import replace
from email.utils import formatdate
from typing import assert_never

from ...model.fault import (
    AccessDenied,
    ArcEndpointsDown,
    BlackHole,
    ClockSkew,
    ControlPlaneDown,
    CutPage,
    Drip,
    Jitter,
    Latency,
    MalformedBody,
    Refuse,
    ServerError,
    StaleRead,
    Throttle,
    TimeoutAfterEffect,
)
from ..delivery import Delivery, Held, Reset
from ..delivery import Drip as Dripping
from ..listener import Response
from ..service import AwsError
from .asked import Ask, Asked, Told
from .live import Live
from .pages import half_a_body, half_a_page, token_in
from .words import denied, failed, out_of_time, throttled

SIGNATURE_GOOD_S = 300


def suffer(live: Live, asked: Asked, ask: Ask) -> Told:
    """The call under this fault."""
    fault = live.fault
    match fault:
        case BlackHole() | Refuse() | Throttle() | ServerError() | AccessDenied():
            return Told(_instead(live, asked, fault), _named(live))
        case ControlPlaneDown() | ArcEndpointsDown():
            return Told(_down(live, asked, fault), _named(live))
        case Latency() | Jitter():
            live.gone.wait(fault.delay if isinstance(fault, Latency) else live.draw(fault.least, fault.most))
            return _also(live, ask())
        case TimeoutAfterEffect(then=then):
            return _delivered(live, ask(), Held(live.is_over) if then == "silence" else Reset())
        case Drip(every=every):
            return _delivered(live, ask(), Dripping(every, live.is_over))
        case MalformedBody(body=body):
            return _garbled(live, ask(), body)
        case ClockSkew(by=by):
            return _skewed(live, asked, ask, by)
        case StaleRead():
            return _stale(live, asked, ask)
        case CutPage(how=how):
            return _cut(live, asked, ask, how)
        case _:
            assert_never(fault)


def recorded(live: Live, asked: Asked, ask: Ask) -> Told:
    """The call as it is, its answer kept for a stale read to come."""
    told = ask()
    if live.recall is not None and told.response is not None and told.response.status in range(200, 300):
        live.recall.remember(asked, live.now(), told.response)
    return told


def _named(live: Live, outcome: str = "") -> str:
    return f"fault:{live.fault.kind} {outcome}".rstrip()


def _also(live: Live, told: Told) -> Told:
    """What the service said stays in the log: whether there was an effect is read off it."""
    return Told(told.response, _named(live, told.outcome))


def _unanswered(delivery: Delivery) -> Response:
    return Response(0, delivery=delivery)


def _instead(live: Live, asked: Asked, fault: BlackHole | Refuse | Throttle | ServerError | AccessDenied) -> Response:
    match fault:
        case BlackHole():
            return _unanswered(Held(live.is_over))
        case Refuse():
            return _unanswered(Reset())
        case Throttle(code=code):
            return asked.refuse(throttled(asked, code))
        case ServerError(status=status, code=code):
            return asked.refuse(failed(asked, status, code))
        case AccessDenied(code=code):
            return asked.refuse(denied(asked, code))
        case _:
            assert_never(fault)


def _down(live: Live, asked: Asked, fault: ControlPlaneDown | ArcEndpointsDown) -> Response:
    """An ARC endpoint whose port is closed has no callers; its calls on the common port are answered as AWS would."""
    if isinstance(fault, ArcEndpointsDown):
        words = "The cluster endpoint isn't available. Try another cluster endpoint."
        return asked.refuse(AwsError("EndpointTemporarilyUnavailableException", words))
    if fault.how == "black-hole":
        return _unanswered(Held(live.is_over))
    return asked.refuse(failed(asked, 503, None))


def _delivered(live: Live, told: Told, delivery: Delivery) -> Told:
    if told.response is None:
        return told
    held_back = isinstance(delivery, Held | Reset)
    response = _unanswered(delivery) if held_back else replace(told.response, delivery=delivery)
    return Told(response, _named(live, told.outcome))


def _garbled(live: Live, told: Told, body: str | None) -> Told:
    if told.response is None:
        return told
    real = told.response.body
    junk = body.encode() if body is not None else real[: len(real) // 2] or b"<html><body>Bad"
    return Told(replace(told.response, status=200, body=junk), _named(live, told.outcome))


def _skewed(live: Live, asked: Asked, ask: Ask, by: float) -> Told:
    """The signature's time is compared with the clock that is wrong, and the answer is dated by it."""
    told = Told(asked.refuse(out_of_time(asked)), "") if abs(by) > SIGNATURE_GOOD_S else ask()
    if told.response is None:
        return told
    dated = {**told.response.headers, "Date": formatdate(asked.at + by, usegmt=True)}
    return Told(replace(told.response, headers=dated), _named(live, told.outcome))


def _stale(live: Live, asked: Asked, ask: Ask) -> Told:
    """The truth is recorded all the same: in ``age`` seconds it is what will be told."""
    told = recorded(live, asked, ask)
    older = live.recall.older(asked, live.now()) if live.recall is not None else None
    return told if older is None or older is told.response else Told(older, _named(live))


def _cut(live: Live, asked: Asked, ask: Ask, how: str) -> Told:
    if token_in(asked) in live.promised:
        return Told(asked.refuse(failed(asked, 500, None)), _named(live))
    told = ask()
    if told.response is None or told.response.status not in range(200, 300):
        return told
    if how == "body":
        return Told(half_a_body(told.response), _named(live))
    response, token = half_a_page(asked, told.response)
    if token is not None:
        live.promised.add(token)
    return Told(response, _named(live))
