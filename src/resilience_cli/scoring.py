"""(scenario, what was seen) -> did it hold, and the figures. Pure: each figure is computed from logs and the ledger."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import rpo, traffic
from .model.drill import Asked, CommandRun, DrillEvent, DrillResult, FaultTold, Orders, Seen
from .model.ledger import Acknowledged, DataLoss, Ledger
from .model.run import Run
from .model.scenario import Command, Scenario
from .model.traffic import Floor, TrafficLog


class Evidence(NamedTuple):
    """What a drill brought home. ``zero`` is the monotonic moment traffic flowed; ``regions`` maps addresses."""

    events: tuple[DrillEvent, ...]
    log: TrafficLog
    ledger: Ledger
    runs: tuple[Run, ...]
    faults: tuple[FaultTold, ...]
    zero: float
    regions: dict[str, str]


def score(scenario: Scenario, evidence: Evidence) -> DrillResult:
    """The drill's result."""
    shift = _failover(evidence.events)
    rto = traffic.rto(evidence.log, evidence.zero + shift.typed_s) if shift and shift.exit_code == 0 else None
    changed = _changed_at(shift)
    floor = _floor(scenario, evidence, changed)
    loss = _loss(evidence, changed, shift)
    ratio = _ratio(evidence, shift, rto, floor)
    failures = (
        *_commands_that_did_not(scenario, evidence.events),
        *_what_did_not_hold(scenario, evidence, loss, ratio),
    )
    return DrillResult(
        scenario=scenario.name,
        title=scenario.title,
        passed=not failures,
        rto_s=None if rto is None else round(rto, 2),
        floor_s=round(floor.total_s, 2) if floor else None,
        ratio=ratio,
        orders=_orders(evidence, loss),
        failures=failures,
        seen=_seen(evidence, floor, loss, changed),
        events=evidence.events,
    )


def _ratio(evidence: Evidence, shift: CommandRun | None, rto: float | None, floor: Floor | None) -> float | None:
    """RTO over floor; None where nobody felt an outage, for then there was nothing to wait for."""
    typed = evidence.zero + shift.typed_s if shift else 0.0
    felt = any(not request.is_ok and request.mono >= typed for request in evidence.log.requests)
    return round(rto / floor.total_s, 3) if felt and rto is not None and floor and floor.total_s > 0 else None


def _failover(events: Sequence[DrillEvent]) -> CommandRun | None:
    """The failover that is measured: the first that moved traffic and said so, else the first that ran."""
    runs = [event for event in events if isinstance(event, CommandRun) and event.argv[1] == "failover"]
    moved = [run for run in runs if run.changed_s is not None and run.exit_code == 0]
    return next(iter([*moved, *runs]), None)


def _changed_at(shift: CommandRun | None) -> float | None:
    return None if shift is None or shift.changed_s is None else shift.typed_s + shift.changed_s


def _floor(scenario: Scenario, evidence: Evidence, changed: float | None) -> Floor | None:
    """Records take the sandbox's propagation to reach the name server; routing controls none."""
    if changed is None:
        return None
    propagation = 0.0 if scenario.world.shape == "latency" else scenario.world.propagation
    return traffic.floor(evidence.log, evidence.zero + changed, propagation)


def _loss(evidence: Evidence, changed: float | None, shift: CommandRun | None) -> DataLoss | None:
    if changed is None or shift is None or "--to" not in shift.argv:
        return None
    target = shift.argv[shift.argv.index("--to") + 1]
    orders = [Acknowledged(order=order, at=at) for order, at in traffic.acknowledged(evidence.log).items()]
    return rpo.measure(orders, evidence.ledger, evidence.zero + changed, target)


def _orders(evidence: Evidence, loss: DataLoss | None) -> Orders:
    counted = Orders(acknowledged=len(traffic.acknowledged(evidence.log)), failed=traffic.failures(evidence.log))
    if loss is None:
        return counted
    return counted.model_copy(
        update={
            "missing_at_takeover": len(loss.missing_at_takeover),
            "later_arrived": len(loss.later_arrived),
            "later_suppressed": len(loss.later_suppressed),
            "held": len(loss.pending),
            "lost": len(loss.lost) - len(loss.pending),
            "duplicated": len(loss.duplicated),
        }
    )


def _seen(evidence: Evidence, floor: Floor | None, loss: DataLoss | None, changed: float | None) -> Seen:
    last = evidence.runs[0] if evidence.runs else None
    spoke = dict.fromkeys(
        f"{guard.name} {guard.says}: {guard.why}"
        for run in evidence.runs
        for guard in run.plan.guards
        if guard.says != "yes"
    )
    return Seen(
        traffic=traffic.shares(evidence.log, evidence.regions),
        outages=traffic.outages(evidence.log),
        faults=evidence.faults,
        floor=floor,
        loss=loss,
        takeover_s=changed,
        timings=last.timings if last else Seen().timings,
        guards=tuple(spoke),
        runs=tuple(run.run for run in evidence.runs),
    )


def _commands_that_did_not(scenario: Scenario, events: Sequence[DrillEvent]) -> Iterator[str]:
    runs = [event for event in events if isinstance(event, CommandRun)]
    for command, run in zip(scenario.commands, runs, strict=True):
        yield from _did_not(command, run)


def _did_not(command: Command, run: CommandRun) -> Iterator[str]:
    line = " ".join(run.argv)
    if run.exit_code not in command.exits:
        last = (run.stderr.strip() or run.stdout.strip())[-300:]
        yield f"{line} exited {run.exit_code}, expected {' or '.join(map(str, command.exits))}: {last}"
    shown = " ".join(f"{run.stdout} {run.stderr}".split())
    yield from (f"{line} did not say {words!r}" for words in command.says if words not in shown)
    if command.writes is not None and len(run.writes) != command.writes:
        yield f"{line} made {len(run.writes)} writes ({', '.join(run.writes) or 'none'}), expected {command.writes}"


def _what_did_not_hold(
    scenario: Scenario, evidence: Evidence, loss: DataLoss | None, ratio: float | None
) -> Iterator[str]:
    holds = scenario.holds
    if holds.answers:
        asked = [event for event in evidence.events if isinstance(event, Asked)][-1]
        if asked.answers != holds.answers:
            yield f"in the end the name server answers {asked.answers}, expected {holds.answers}"
    failed = traffic.failures(evidence.log)
    if holds.failed_at_most is not None and failed > holds.failed_at_most:
        yield f"{failed} requests failed, at most {holds.failed_at_most} may"
    if loss is not None:
        for count, most, word in (
            (len(loss.lost) - len(loss.pending), holds.lost_at_most, "lost"),
            (len(loss.duplicated), holds.duplicated_at_most, "duplicated"),
        ):
            if most is not None and count > most:
                yield f"{count} orders {word}, at most {most} may be"
    if holds.ratio_at_most is not None and (ratio is None or ratio > holds.ratio_at_most):
        told = "not measured" if ratio is None else f"{ratio:.2f} times the floor"
        yield f"RTO is {told}, at most {holds.ratio_at_most} times may be"
    if not evidence.log.is_whole:
        yield "the clients' log is not whole: nothing in it can be relied on"
