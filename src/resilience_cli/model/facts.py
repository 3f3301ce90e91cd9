"""Facts: one look at the world at one time. Whatever did not answer is listed, never guessed.

A look is made of many small reads; each yields one ``Seen``, and ``Facts`` is their sum (``observe.gather``).
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from .base import Region, Value
from .effects import ControlState
from .readings import Reading
from .records import CheckSwitch, HealthCheck, RecordSet, Zone


class Topic(StrEnum):
    """What a look may be about; a look may be narrowed to some topics."""

    CALLER = "caller"
    RECORDS = "records"
    CHECKS = "checks"
    CONTROLS = "controls"
    SIGNALS = "signals"
    ANSWERS = "answers"


class Caller(Value):
    """Who resil acts as (STS GetCallerIdentity).

    ``expires_at``: when these credentials end unless they are renewed; None where they don't end, or do not say when.
    """

    account: str
    arn: str
    expires_at: datetime | None = None


class ZoneRecords(Value):
    """A zone with the record sets read of it. ``whole`` is False where only the routed names were listed.

    ``protected``: "name type" of each group under a ResourceRecordSetProtection, such as "api.example.com. A"; None
    where that was not read.
    """

    zone: Zone
    records: tuple[RecordSet, ...]
    whole: bool = False
    protected: tuple[str, ...] | None = None


class RoutingControl(Value):
    """An ARC routing control; ``read_at`` is the cluster endpoint that answered."""

    arn: str
    name: str = ""
    state: ControlState
    read_at: str = ""


class Answer(Value):
    """What a name server answered for a public name, asked for one place.

    ``near`` is the Region whose ``client_subnet`` was sent (None: no subnet). ``region`` is the Region whose address
    came back, attributed by resolving each Regional target at that moment; None where it matches none.
    """

    name: str
    type: str
    near: Region | None
    server: str
    addresses: tuple[str, ...]
    region: Region | None
    ttl: int | None = None


class PriorSwitch(Value):
    """A health check's switches before resil last forced them, from the journals: the way back."""

    check_id: str
    before: CheckSwitch


class CheckUse(Value):
    """A record of a hosted zone that is none of the app's, which answers by one of the app's health checks."""

    check_id: str
    zone_id: str
    zone: str
    name: str
    type: str


class Unread(Value):
    """A read that gave nothing, or not all: what was asked, where, and why.

    ``hanging``: it had not answered by the deadline. ``missing``: AWS answered that there is no such thing.
    """

    topic: Topic
    subject: str
    region: str
    why: str
    hanging: bool = False
    missing: bool = False


class EndpointOverride(Value):
    """A configured endpoint that is not AWS's own: shown as a banner on every screen."""

    service: str
    url: str


class Facts(Value):
    """The sum of one look. Times are UTC.

    ``checks_whole``: every health check of the account was listed, and every other zone looked at for ``check_uses``.
    """

    observed_at: datetime
    caller: Caller | None = None
    zones: tuple[ZoneRecords, ...] = ()
    checks: tuple[HealthCheck, ...] = ()
    checks_whole: bool = False
    check_uses: tuple[CheckUse, ...] = ()
    controls: tuple[RoutingControl, ...] = ()
    readings: tuple[Reading, ...] = ()
    answers: tuple[Answer, ...] = ()
    prior_switches: tuple[PriorSwitch, ...] = ()
    unread: tuple[Unread, ...] = ()
    overrides: tuple[EndpointOverride, ...] = ()


class Seen(Value):
    """What one read brought. Fields left empty add nothing."""

    caller: Caller | None = None
    zone: ZoneRecords | None = None
    checks: tuple[HealthCheck, ...] = ()
    checks_whole: bool = False
    check_uses: tuple[CheckUse, ...] = ()
    controls: tuple[RoutingControl, ...] = ()
    readings: tuple[Reading, ...] = ()
    answers: tuple[Answer, ...] = ()
    unread: tuple[Unread, ...] = ()


Knowledge = Literal["yes", "no", "unknown"]
