"""(acknowledged orders, ledger, takeover) -> the data a takeover cost. Pure; counted, never estimated from lag.

All times are on the monotonic clock that the clients, the sandbox and the drill share on one machine.
"""

from collections.abc import Iterable, Mapping, Sequence

from .model.ledger import Acknowledged, Arrived, DataLoss, Ledger, Pending, Suppressed, Written


def measure(
    acknowledged: Sequence[Acknowledged], ledger: Ledger, takeover: float, target: str, table: str = "Orders"
) -> DataLoss:
    """What became of the clients' orders in the Region that took over.

    missing_at_takeover   acknowledged by then, and not yet visible in the target
    later_arrived         of those: replicated to the target after all
    later_suppressed      of those: a write reached the target and lost to a newer one of the same order
    lost                  acknowledged at any time, and never visible in the target: even if it may still come
    pending               of those: its write is still under way or held back, so not gone for good
    duplicated            orders that two Regions each took for new, acknowledged or not
    rpo_s                 from the oldest missing order's acknowledgement to the takeover; 0 where none is missing,
                          None where the ledger cannot say
    """
    writes = _by_order(ledger.writes, table)
    known = [order for order in acknowledged if order.order in writes or not ledger.dropped]
    missing = [o for o in known if o.at <= takeover and not _visible(writes.get(o.order, ()), target, takeover)]
    lost = [o.order for o in known if not _visible(writes.get(o.order, ()), target)]
    unknown = _once(order.order for order in acknowledged if order.order not in writes and ledger.dropped)
    return DataLoss(
        acknowledged=len(_once(order.order for order in acknowledged)),
        missing_at_takeover=_once(order.order for order in missing),
        later_arrived=_met(missing, writes, target, Arrived),
        later_suppressed=_met(missing, writes, target, Suppressed),
        lost=_once(lost),
        pending=_once(order for order in lost if _has_met(writes.get(order, ()), target, Pending)),
        duplicated=tuple(order for order, made in writes.items() if len({w.region for w in made if w.is_new}) > 1),
        unknown=unknown,
        rpo_s=None if unknown else max((takeover - order.at for order in missing), default=0.0),
    )


def _by_order(writes: Iterable[Written], table: str) -> dict[str, list[Written]]:
    """The writes of each order that put it there; removing one is not taking it."""
    found: dict[str, list[Written]] = {}
    for write in writes:
        if write.table == table and not write.deleted:
            found.setdefault(write.key[0], []).append(write)
    return found


def _visible(writes: Iterable[Written], target: str, by: float = float("inf")) -> bool:
    """Whether the order was to be seen in the target by then: written there, or arrived."""
    return any(seen <= by for write in writes if (seen := _seen(write, target)) is not None)


def _seen(write: Written, target: str) -> float | None:
    if write.region == target:
        return write.at.mono
    fate = write.fates.get(target)
    return fate.at.mono if isinstance(fate, Arrived) else None


def _met(
    orders: Iterable[Acknowledged],
    writes: Mapping[str, Sequence[Written]],
    target: str,
    fate: type[Arrived] | type[Suppressed],
) -> tuple[str, ...]:
    return _once(order.order for order in orders if _has_met(writes.get(order.order, ()), target, fate))


def _has_met(writes: Iterable[Written], target: str, fate: type[Pending] | type[Arrived] | type[Suppressed]) -> bool:
    return any(isinstance(write.fates.get(target), fate) for write in writes)


def _once(orders: Iterable[str]) -> tuple[str, ...]:
    """Without repetition, in order: an order acknowledged twice is one order."""
    return tuple(dict.fromkeys(orders))
