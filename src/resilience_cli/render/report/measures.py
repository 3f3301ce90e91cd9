"""RTO and RPO beside their objectives. What was not measured is unknown, and never counts as kept."""

from collections.abc import Iterator, Sequence

from ...model.effects import WeightsEffect
from ...model.plan import Plan
from ...model.readings import SignalKind
from ...model.report import Clients, Kept, Measure
from ...model.run import Entry, Finished, Outcome, Planned, Run
from ...model.runbook import Parallel, Verify
from ..words import seconds

_NOBODY_SAW = "nothing was recorded that it could be measured by"


def kept(measured: float | None, objective: float | None) -> Kept:
    if objective is None:
        return Kept.UNSET
    if measured is None:
        return Kept.UNKNOWN
    return Kept.YES if measured <= objective else Kept.NO


def rto_of(entries: Sequence[Entry], run: Run, objective: float | None, clients: Clients | None) -> Measure:
    """As a drill's clients felt it; else from the command's typing to the last verification from outside."""
    if clients is not None:
        return felt_rto(clients, objective)
    if run.outcome is not Outcome.DONE:
        return _measure(None, objective, "the run did not come to its end")
    verified = _verified_s(entries, run.plan)
    if verified is None:
        return _measure(None, objective, "no step verified the traffic from outside")
    return _measure(
        verified, objective, f"from the command's typing to verified from outside{_tail(entries, run.plan)}"
    )


def felt_rto(clients: Clients | None, objective: float | None) -> Measure:
    """The RTO as clients felt it; unknown where nobody saw them."""
    measured = clients.rto_s if clients is not None else None
    felt = "as the drill's clients felt it: from the command's typing to the first request after which none fails"
    return _measure(measured, objective, felt if measured is not None else _NOBODY_SAW)


def felt_rpo(clients: Clients | None, objective: float | None) -> Measure:
    """The RPO as the drill's ledger of writes gives it; unknown where there is none."""
    measured = clients.rpo_s if clients is not None else None
    felt = "age of the oldest acknowledged order that was missing at takeover"
    return _measure(measured, objective, felt if measured is not None else _NOBODY_SAW)


def _measure(measured: float | None, objective: float | None, how: str) -> Measure:
    return Measure(measured_s=measured, objective_s=objective, kept=kept(measured, objective), how=how)


def _verified_s(entries: Sequence[Entry], plan: Plan) -> float | None:
    first = entries[0]
    assert isinstance(first, Planned), "a report begins with its plan"
    verify = {step.id for step in plan.steps if _verifies(step.spec)}
    at = [entry.at for entry in entries if isinstance(entry, Finished) and entry.step in verify]
    return round((at[-1] - first.typed_at).total_seconds(), 3) if at else None


def _verifies(spec: object) -> bool:
    inside = spec.steps if isinstance(spec, Parallel) else (spec,)
    return any(isinstance(step, Verify) for step in inside)


def _tail(entries: Sequence[Entry], plan: Plan) -> str:
    """Caches may keep the old answer for one TTL more (RFC 1035, 3.2.1): no journal can see that."""
    first = entries[0]
    assert isinstance(first, Planned), "a report begins with its plan"
    ttls = [*_record_ttls(plan), *(answer.ttl for answer in first.answers if answer.ttl is not None)]
    return f"; caches may hold the old answer {seconds(max(ttls))} longer" if ttls else "; plus what caches hold"


def _record_ttls(plan: Plan) -> Iterator[int]:
    for effect in plan.effects:
        if isinstance(effect, WeightsEffect):
            yield from (record.ttl for record in effect.before if record.ttl is not None)


def rpo_of(first: Planned, objective: float | None, clients: Clients | None) -> Measure:
    """In a drill, how old the oldest acknowledged order was that the target did not have.

    Else the longest replication lag of the Regions that were left, as it stood at the decision: an estimate of what a
    sudden loss would have cost. One table whose lag is unknown makes the whole unknown.
    """
    if clients is not None:
        return felt_rpo(clients, objective)
    lags = [
        r for r in first.readings if r.kind is SignalKind.REPLICATION and r.region in first.plan.source and r.counts
    ]
    if not lags:
        return _measure(None, objective, first.plan.data_at_risk or "not measured")
    unknown = sorted({reading.subject for reading in lags if reading.lag_s is None})
    if unknown:
        return _measure(None, objective, f"unknown for {', '.join(unknown)}")
    worst = max(lags, key=lambda reading: reading.lag_s or 0.0)
    how = f"longest replication lag at the decision, {worst.subject} in {worst.region}: writes a sudden loss could cost"
    return _measure(worst.lag_s, objective, how)
