"""The guards that can refuse a plan: each one a pure question with a finding for an answer. All are always asked.

Those about the records themselves are in ``record_guards``.
"""

from collections.abc import Callable, Sequence

from .. import simulate
from ..assess import data_at_risk, verdict_on
from ..model.app import App, LeverKind, Replication
from ..model.facts import Facts, Topic
from ..model.plan import Finding, GuardName, Intent, Says
from ..model.readings import Judged, Level, SignalKind
from . import trajectory
from .case import Case, no, warns, yes
from .found import entitled, home_regions, types_of
from .record_guards import drift, left_behind, record_protection, shared_health_check, sibling_records, ttl

NEVER_OVERRIDABLE = (GuardName.ACCOUNT,)


def ask_all(case: Case) -> tuple[Finding, ...]:
    """Every guard's finding, overrides applied."""
    return tuple(_overridden(case.intent, guard(case)) for guard in GUARDS)


def _overridden(intent: Intent, finding: Finding) -> Finding:
    named = [override for override in intent.overrides if override.guard is finding.name]
    if finding.says is not Says.NO or finding.name in NEVER_OVERRIDABLE or not named or _is_absolute(finding):
        return finding
    return finding.model_copy(update={"says": Says.OVERRIDDEN, "why": f"{finding.why} (overridden: {named[0].reason})"})


def _is_absolute(finding: Finding) -> bool:
    return finding.name is GuardName.TRAJECTORY and finding.cure in (ABSOLUTE, NO_MOVE)


ABSOLUTE = "this one can't be overridden: put the weights, health checks or routing controls right first"
NO_MOVE = (
    "this one can't be overridden, there is nothing that could be done: make a lever readable, or configure one "
    "whose data plane does not need it (levers: [routing-control], with an ARC cluster)"
)


def account(case: Case) -> Finding:
    return pinned_account(case.app, case.facts)


def pinned_account(app: App, facts: Facts) -> Finding:
    """Whether the caller's account is the pinned one. Asked wherever something might be done, a plan or not."""
    caller, pinned = facts.caller, app.account
    if caller is None:
        return no(GuardName.ACCOUNT, "whose credentials these are could not be read", "check that STS answers")
    if caller.account != pinned:
        return no(
            GuardName.ACCOUNT,
            f"the caller is in account {caller.account}; resil.yaml pins {pinned}",
            "use the right AWS_PROFILE; this guard can't be overridden",
        )
    return yes(GuardName.ACCOUNT, f"the caller is in {pinned}, as pinned")


def source_expected(case: Case) -> Finding:
    if case.intent.verb == "failback":
        return yes(GuardName.SOURCE_EXPECTED, "home is the goal; whatever is away from it comes back")
    active = _active(case)
    if active & {*case.source, *case.target} or not active:
        where = ", ".join(sorted(active)) or "an unread place"
        return yes(GuardName.SOURCE_EXPECTED, f"traffic is at {where}")
    return no(
        GuardName.SOURCE_EXPECTED,
        f"{', '.join(case.source)} is to be left, but traffic is at {', '.join(sorted(active))}",
        f"run resil status; then name the Region to leave: --from {', '.join(sorted(active))}",
    )


def _active(case: Case) -> frozenset[str]:
    return frozenset[str]().union(*(entitled(case.app, route, case.facts) for route in case.app.routing)) - {""}


def target_health(case: Case) -> Finding:
    judged = {region: verdict_on(case.verdicts, region) for region in case.target}
    bad = [region for region, verdict in judged.items() if verdict is Judged.IMPAIRED]
    unsure = [region for region, verdict in judged.items() if verdict is Judged.UNKNOWN]
    if bad:
        elsewhere = "" if case.intent.verb == "failback" else ", or choose another Region"
        return no(GuardName.TARGET_HEALTH, _whys(case, bad), f"wait for it to recover{elsewhere}")
    if unsure and not case.emergency:
        return no(GuardName.TARGET_HEALTH, _whys(case, unsure), "mend the signals that are unknown (resil status)")
    if unsure:
        return warns(GuardName.TARGET_HEALTH, _whys(case, unsure))
    return yes(GuardName.TARGET_HEALTH, f"{', '.join(case.target)} healthy")


def _whys(case: Case, regions: Sequence[str]) -> str:
    return "; ".join(f"{v.region} is {v.verdict}: {v.why}" for v in case.verdicts if v.region in regions)


def replication(case: Case) -> Finding:
    """Planned: every table's lag out of the Region being left must be known and within its limit."""
    risk = data_at_risk(case.app, case.facts.readings, case.source)
    if not any(case.app.signals_of(Replication)):
        return yes(GuardName.REPLICATION, "no replication signal is configured")
    lags = [
        reading
        for reading in case.facts.readings
        if reading.kind is SignalKind.REPLICATION and reading.region in case.source and reading.counts
    ]
    worse = [reading for reading in lags if reading.level is not Level.OK]
    if not worse and _is_measured(case):
        return yes(GuardName.REPLICATION, f"at risk: {risk}")
    if case.emergency:
        return warns(GuardName.REPLICATION, f"at risk: {risk}")
    told = "; ".join(f"{reading.subject}: {reading.evidence}" for reading in worse) or "no reading of it"
    return no(GuardName.REPLICATION, f"{told}; at risk: {risk}", "wait until replication has caught up")


def _is_measured(case: Case) -> bool:
    """Whether every Region being left has a reading, be it one that does not count (strongly consistent tables)."""
    seen = {reading.region for reading in case.facts.readings if reading.kind is SignalKind.REPLICATION}
    return set(case.source) <= seen


def path(case: Case) -> Finding:
    """The whole path simulated. Where records could not be read there is nothing to simulate: an emergency goes on
    with a warning (Route 53's control plane may be what is failing), anything planned is refused."""
    found = trajectory.breaches(case.app, case.facts, case.effects, case.verdicts)
    absolute = [breach for breach in found if breach.absolute]
    if absolute:
        return no(GuardName.TRAJECTORY, absolute[0].why, ABSOLUTE)
    if case.unmoved:
        cure = "make readable what could not be read, or configure a lever that can move it"
        return no(GuardName.TRAJECTORY, "; ".join(case.unmoved), cure if case.moves else NO_MOVE)
    short = _shortfalls(case)
    if found or short:
        why = "; ".join([*(breach.why for breach in found), *short])
        cure = "look at the health checks of the target's records (resil status)" if case.moves else NO_MOVE
        return no(GuardName.TRAJECTORY, why, cure)
    unread = [route.record.name for route in case.app.routing if simulate.zone_of(route, case.facts) is None]
    if unread:
        reasons = [each.why for each in case.facts.unread if each.topic is Topic.RECORDS]
        why = "; ".join([f"not simulated: the records of {', '.join(unread)} could not be read", *reasons])
        cure = "allow or await route53:ListResourceRecordSets"
        return warns(GuardName.TRAJECTORY, why, cure) if case.emergency else no(GuardName.TRAJECTORY, why, cure)
    return yes(GuardName.TRAJECTORY, f"{len(case.effects)} change(s), each state leaves a Region that may serve")


def _shortfalls(case: Case) -> list[str]:
    """Over every type that clients follow, but for those that ``sibling-records`` says are left behind."""
    states = trajectory.states(case.facts, case.effects)
    end = states[-1] if states else case.facts
    left = left_behind(case)
    found: list[str] = []
    for route in case.app.routing:
        if simulate.zone_of(route, end) is None:
            continue
        rtypes = [rtype for rtype in types_of(route, end) if (route.record.name, rtype) not in left]
        source, target = case.source, case.target
        if case.intent.verb == "failback":
            source, target = (), tuple(sorted(set(case.target) & home_regions(route, case.facts)))
        found += trajectory.shortfalls(route, case.app, end, source, target, rtypes)
    return list(dict.fromkeys(found))


def safety_rule(case: Case) -> Finding:
    named = [override.subject for override in case.intent.overrides if override.guard is GuardName.SAFETY_RULE]
    if not any(move.lever is LeverKind.ROUTING_CONTROL and move.stages for _, move in case.moves):
        return yes(GuardName.SAFETY_RULE, "no routing control changes")
    if named:
        return warns(GuardName.SAFETY_RULE, f"ARC is asked to override {', '.join(named)}")
    return yes(GuardName.SAFETY_RULE, "ARC applies its safety rules to the change itself")


GUARDS: tuple[Callable[[Case], Finding], ...] = (
    account,
    source_expected,
    target_health,
    replication,
    path,
    drift,
    record_protection,
    shared_health_check,
    sibling_records,
    ttl,
    safety_rule,
)
