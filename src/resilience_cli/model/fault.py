"""What can be made to go wrong between a caller and AWS: one closed union by ``kind``, as scenarios write it in YAML.

    - {kind: black-hole, region: us-west-2, at: 5s, for: 30s}
    - {kind: throttle, service: route53, operation: "List*", times: 3}
    - {kind: error-5xx, service: dynamodb, region: us-west-2, share: 0.3, seed: 7}

A fault strikes a call that all of its matches fit, while its time lasts. What each kind does is ``sandbox.faults``'.
"""

import random
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter

from ..errors import UsageError
from .base import Region, Seconds, Value


class UnknownName(UsageError, ValueError):
    """A fault, service, operation or Region that does not exist, with the names near it."""


def unknown(what: str, name: str, known: Sequence[str]) -> UnknownName:
    near = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known)[:20])}"
    return UnknownName(f"no {what} {name!r}; {hint}", hint=hint)


Globs = Annotated[tuple[str, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]
"""Shell patterns, one or several: any of them fits."""

ANY: Globs = ("*",)


class _Timed(Value):
    """``at``: seconds from the timeline's zero; ``for``: how long, until removed where not given."""

    id: str = ""
    at: Annotated[Seconds, Field(ge=0)] = 0.0
    lasts: Annotated[Seconds, Field(gt=0)] | None = Field(default=None, alias="for")
    seed: int = 0


class _Grey(_Timed):
    """``share``: the share of the calls that it strikes, by the seed. ``times``: only the first so many."""

    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    times: Annotated[int, Field(ge=1)] | None = None


class _Matching(_Grey):
    """``region`` is the one a call counts as (Route 53's is us-east-1), ``caller`` its access key id, ``endpoint``
    the Region of the ARC endpoint it came in by, "" on the common port."""

    service: Globs = ANY
    operation: Globs = ANY
    region: Globs = ANY
    caller: Globs = ANY
    endpoint: Globs = ANY
    only: Literal["reads", "writes"] | None = None


class BlackHole(_Matching):
    """The request is read and never answered; it has no effect. When the fault ends the connection is closed."""

    kind: Literal["black-hole"] = "black-hole"


class Refuse(_Matching):
    """The request is read and the connection reset; it has no effect."""

    kind: Literal["refuse"] = "refuse"


class Latency(_Matching):
    """The request takes this much longer to arrive: its effect comes late, also after the caller gave up."""

    kind: Literal["latency"] = "latency"
    delay: Annotated[Seconds, Field(gt=0)]


class Jitter(_Matching):
    """Latency between ``least`` and ``most``, drawn by the seed for each call."""

    kind: Literal["jitter"] = "jitter"
    least: Annotated[Seconds, Field(ge=0)] = 0.0
    most: Annotated[Seconds, Field(gt=0)]


class Throttle(_Matching):
    """Refused for its rate, in the service's own words; ``code`` for other words."""

    kind: Literal["throttle"] = "throttle"
    code: str | None = None


class ServerError(_Matching):
    """Refused as the service's own failure; it has no effect."""

    kind: Literal["error-5xx"] = "error-5xx"
    status: Literal[500, 502, 503, 504] = 500
    code: str | None = None


class AccessDenied(_Matching):
    """Refused for want of permission."""

    kind: Literal["access-denied"] = "access-denied"
    code: str | None = None


class StaleRead(_Matching):
    """Reads are answered as they were answered ``age`` ago, or as early as they were recorded."""

    kind: Literal["stale-read"] = "stale-read"
    age: Annotated[Seconds, Field(gt=0)]


class CutPage(_Matching):
    """``next-page``: half a page that promises another, which fails. ``body``: half of the bytes, then the end."""

    kind: Literal["cut-page"] = "cut-page"
    how: Literal["next-page", "body"] = "next-page"


class MalformedBody(_Matching):
    """Status 200 and a body that is none of the service's: ``body``, or else half of the real one."""

    kind: Literal["malformed-body"] = "malformed-body"
    body: str | None = None


class TimeoutAfterEffect(_Matching):
    """The effect takes place and the answer is never given: ``silence`` until the fault ends, or a ``reset``."""

    kind: Literal["timeout-after-effect"] = "timeout-after-effect"
    then: Literal["silence", "reset"] = "silence"


class Drip(_Matching):
    """The answer comes a byte at a time, one ``every`` so many seconds, so that no read of a socket times out."""

    kind: Literal["drip"] = "drip"
    every: Annotated[Seconds, Field(gt=0)] = 1.0


class ClockSkew(_Matching):
    """The service's clock is ahead by this many seconds (behind, if negative)."""

    kind: Literal["clock-skew"] = "clock-skew"
    by: Seconds


class ControlPlaneDown(_Grey):
    """Every operation of Route 53, or of ARC's configuration API, fails or hangs. DNS and ARC's endpoints go on."""

    kind: Literal["control-plane-down"] = "control-plane-down"
    plane: Literal["route53", "arc-config"]
    how: Literal["error-5xx", "black-hole"] = "error-5xx"


class ArcEndpointsDown(_Timed):
    """ARC cluster endpoints, listed or so many of the five by the seed.

    ``closed``: the port refuses connections. ``backlog``: connecting hangs. ``unavailable``: it connects and answers
    EndpointTemporarilyUnavailableException (API: "Try another cluster endpoint").
    """

    kind: Literal["arc-endpoints-down"] = "arc-endpoints-down"
    endpoints: tuple[Region, ...] | Annotated[int, Field(ge=1, le=5)]
    how: Literal["closed", "backlog", "unavailable"] = "closed"

    def chosen(self, regions: Sequence[str]) -> tuple[str, ...]:
        """The Regions of the endpoints that are down, of those there are. Equal seeds choose alike."""
        if isinstance(self.endpoints, tuple):
            return self.endpoints
        return tuple(random.Random(self.seed).sample(sorted(regions), min(self.endpoints, len(regions))))


Matching = (
    BlackHole
    | Refuse
    | Latency
    | Jitter
    | Throttle
    | ServerError
    | AccessDenied
    | StaleRead
    | CutPage
    | MalformedBody
    | TimeoutAfterEffect
    | Drip
    | ClockSkew
)
Fault = Annotated[Matching | ControlPlaneDown | ArcEndpointsDown, Field(discriminator="kind")]

KINDS: tuple[str, ...] = tuple(
    each.model_fields["kind"].default for each in (*get_args(Matching), ControlPlaneDown, ArcEndpointsDown)
)
_ADAPTER: TypeAdapter[Fault] = TypeAdapter(Fault, config=ConfigDict(defer_build=True))


def fault_of(data: Any) -> Fault:
    """A fault from plain data. UnknownName for a kind that does not exist; pydantic's ValidationError for the rest."""
    kind = data.get("kind") if isinstance(data, dict) else None
    if isinstance(kind, str) and kind not in KINDS:
        raise unknown("fault", kind, KINDS)
    return _ADAPTER.validate_python(data)


def fits(globs: Globs, name: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
