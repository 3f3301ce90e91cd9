"""The ledger of replicated writes, as the sandbox tells it, and the data loss it adds up to."""

from typing import Annotated, Literal

from pydantic import Field

from .base import Region, Value


class Moment(Value):
    """One moment on two clocks: epoch seconds, and the machine's monotonic clock that all its processes share.

    Moments are compared on the second: the first may be set back.
    """

    wall: float
    mono: float


class Pending(Value):
    """Under way, or held back."""

    state: Literal["pending"] = "pending"


class Arrived(Value):
    """Visible in that Region since then."""

    state: Literal["arrived"] = "arrived"
    at: Moment


class Suppressed(Value):
    """Discarded in that Region: when it came, a newer write to the key was there already (the last writer wins)."""

    state: Literal["suppressed"] = "suppressed"
    at: Moment


Fate = Annotated[Pending | Arrived | Suppressed, Field(discriminator="state")]


class Written(Value):
    """One write of a client to one item, and what became of it in every other Region of the table.

    ``key`` is the partition key's value, then the sort key's where there is one. ``is_new``: the Region it was made in
    had no such item. ``deleted``: it removed the item.
    """

    number: int
    table: str
    key: tuple[str, ...]
    region: Region
    at: Moment
    is_new: bool
    deleted: bool = False
    fates: dict[Region, Fate]


class Ledger(Value):
    """Writes in the order they were made; the ``dropped`` oldest are no longer in it."""

    now: Moment
    writes: tuple[Written, ...]
    dropped: int = 0


class Acknowledged(Value):
    """An order a client was told is taken: its id (the item's partition key), and when, on the monotonic clock."""

    order: str
    at: float


class DataLoss(Value):
    """What a takeover cost in data, by order id. See ``rpo.measure`` for what each member means.

    ``lost`` and ``pending`` are as of the ledger's end. ``unknown``: the ledger says nothing of the order, but writes
    have been dropped from it.
    """

    acknowledged: int
    missing_at_takeover: tuple[str, ...] = ()
    later_arrived: tuple[str, ...] = ()
    later_suppressed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    rpo_s: float | None = None
