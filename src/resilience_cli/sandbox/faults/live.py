"""One fault while it is scheduled: when it is on, which calls it concerns, and how often it has struck."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from ...model.fault import (
    ArcEndpointsDown,
    ControlPlaneDown,
    CutPage,
    Fault,
    Matching,
    StaleRead,
    fits,
)
from ..calls import is_write
from ..service import Call
from .pages import Token
from .recall import Recall

CLUSTER = "route53-recovery-cluster"
PLANES = {"route53": "route53", "arc-config": "route53-recovery-control-config"}


@dataclass
class Live:
    """``starts`` and ``ends`` by a monotonic clock; ``gone`` is set when it was removed, and ends every wait."""

    id: str
    fault: Fault
    starts: float
    ends: float
    now: Callable[[], float]
    dice: random.Random
    gone: threading.Event = field(default_factory=threading.Event)
    struck: int = 0
    promised: set[Token] = field(default_factory=set)
    recall: Recall | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def is_on(self) -> bool:
        return not self.gone.is_set() and self.starts <= self.now() < self.ends

    def is_over(self) -> bool:
        return not self.is_on()

    def strikes(self) -> bool:
        """Whether it strikes this call: while it is on, its share of them, and only the first ``times``."""
        if not self.is_on():
            return False
        if isinstance(self.fault, ArcEndpointsDown):
            return True
        with self._guard:
            times = self.fault.times if self.fault.times is not None else inf
            hit = self.struck < times and (self.fault.share == 1.0 or self.dice.random() < self.fault.share)
            self.struck += hit
        return hit

    def draw(self, least: float, most: float) -> float:
        with self._guard:
            return self.dice.uniform(least, most)


def concerns(fault: Fault, call: Call, down: tuple[str, ...]) -> bool:
    """Whether the fault is about this call. ``down``: the ARC endpoints it has chosen, where it is about those."""
    match fault:
        case ArcEndpointsDown():
            return call.service == CLUSTER and (call.endpoint or call.region) in down
        case ControlPlaneDown(plane=plane):
            return call.service == PLANES[plane]
        case _:
            return _matches(fault, call)


def _matches(fault: Matching, call: Call) -> bool:
    reads_only = fault.only == "reads" or isinstance(fault, StaleRead | CutPage)
    write = is_write(call.operation)
    if (reads_only and write) or (fault.only == "writes" and not write):
        return False
    return (
        fits(fault.service, call.service)
        and fits(fault.operation, call.operation)
        and fits(fault.region, call.region)
        and fits(fault.caller, call.caller)
        and fits(fault.endpoint, call.endpoint or "")
    )
