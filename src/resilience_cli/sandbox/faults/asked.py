"""A request as a fault meets it, and what was told in reply."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..listener import Request, Response
from ..service import AwsError, Call
from ..wire import Incoming, Wire


@dataclass(frozen=True)
class Told:
    """The answer (None: the connection is closed without one) and its outcome for the call log."""

    response: Response | None
    outcome: str


Ask = Callable[[], Told]
"""Lets the request through, to the store or to moto."""


@dataclass(frozen=True)
class Asked:
    """``at``: epoch seconds of its arrival. ``refuse`` words an error as the service does, in the caller's protocol."""

    call: Call
    request: Request
    wire: Wire | None
    incoming: Incoming
    at: float
    refuse: Callable[[AwsError], Response]

    def params(self) -> dict[str, Any]:
        """The input's members by their model names; empty for a request that its model cannot read."""
        if self.call.params or self.wire is None or not self.incoming.operation:
            return self.call.params
        try:
            return self.wire.read(self.request, self.incoming)
        except AwsError:
            return {}
