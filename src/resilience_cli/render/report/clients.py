"""A drill's result -> the figures its page shows, their seconds counted from the typing of the command that moved
traffic, so that they share the page's time."""

from collections.abc import Iterator

from ...model.drill import CommandRun, DrillResult
from ...model.ledger import DataLoss
from ...model.report import Clients, Command, Fault, Moment, OutageTold
from ...model.traffic import Floor, TrafficSecond
from ..words import seconds

_MOVES = ("failover", "failback", "apply")


def clients_of(result: DrillResult) -> Clients:
    typed = _typed_s(result)
    seen = result.seen
    return Clients(
        scenario=result.scenario,
        passed=result.passed,
        rto_s=result.rto_s,
        floor_s=result.floor_s,
        floor_why=_floor(seen.floor) if seen.floor else "",
        ratio=result.ratio,
        orders={name: count for name, count in result.orders.model_dump().items() if count is not None},
        rpo_s=seen.loss.rpo_s if seen.loss else None,
        rpo=_loss(seen.loss) if seen.loss else "",
        takeover_s=None if seen.takeover_s is None else _shifted(seen.takeover_s, typed),
        traffic=tuple(_moment(second, typed) for second in seen.traffic),
        faults=tuple(
            Fault(
                what=fault.what,
                from_s=_shifted(fault.from_s, typed),
                until_s=None if fault.until_s is None else _shifted(fault.until_s, typed),
            )
            for fault in seen.faults
        ),
        outages=tuple(
            OutageTold(place=outage.place, lasted_s=outage.seconds, failed=outage.failed) for outage in seen.outages
        ),
        commands=tuple(_commands(result)),
        failures=result.failures,
    )


def _typed_s(result: DrillResult) -> float:
    """When the first command that moves traffic was typed; 0 where none was."""
    moves = (e for e in result.events if isinstance(e, CommandRun) and any(word in _MOVES for word in e.argv[:2]))
    return next((event.typed_s for event in moves), 0.0)


def _shifted(at: float, typed: float) -> float:
    return round(at - typed, 2)


def _moment(second: TrafficSecond, typed: float) -> Moment:
    failed = second.failed / second.requests if second.requests else None
    return Moment(second=_shifted(second.second, typed), shares=dict(second.shares), failed=failed)


def _floor(floor: Floor) -> str:
    """What no tool could have shortened, part by part."""
    parts = (
        (floor.propagation_s, "until the answer could change"),
        (floor.ttl_left_s, "left in the caches then"),
        (floor.drain_s, "until connections drained"),
    )
    return ", ".join(f"{seconds(span)} {what}" for span, what in parts if span > 0)


def _loss(loss: DataLoss) -> str:
    """An order whose write is still under way or held back counts there, and not as lost."""
    gone = tuple(order for order in loss.lost if order not in loss.pending)
    counts = (
        (loss.missing_at_takeover, "missing at takeover"),
        (loss.later_arrived, "arrived later"),
        (loss.later_suppressed, "suppressed by a newer write"),
        (loss.pending, "held back or under way still"),
        (gone, "lost"),
        (loss.duplicated, "duplicated"),
        (loss.unknown, "unknown to the ledger"),
    )
    told = ", ".join(f"{len(orders)} {what}" for orders, what in counts if orders) or "none missing at takeover"
    return f"Of {loss.acknowledged} acknowledged orders: {told}."


def _commands(result: DrillResult) -> Iterator[Command]:
    for event in result.events:
        if isinstance(event, CommandRun):
            line = " ".join(event.argv)
            yield Command(line=line, exit_code=event.exit_code, seconds=event.seconds, writes=len(event.writes))
