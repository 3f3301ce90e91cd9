"""The guards that can refuse a plan: each one a pure question with a finding for an answer. All are always asked."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .. import simulate
from ..assess import data_at_risk, verdict_on
from ..model.app import App, LeverKind, Replication, Route
from ..model.effects import CheckEffect, Effect, WeightsEffect
from ..model.facts import Facts
from ..model.plan import Finding, GuardName, Intent, Mode, Says
from ..model.readings import Judged, Level, SignalKind, Verdict
from . import trajectory
from .moves import CARRIES_TRAFFIC, Move, movable, siblings

NEVER_OVERRIDABLE = (GuardName.ACCOUNT,)


class Case(NamedTuple):
    """Everything a guard may ask about."""

    app: App
    intent: Intent
    mode: Mode
    facts: Facts
    verdicts: tuple[Verdict, ...]
    source: tuple[str, ...]
    target: tuple[str, ...]
    moves: tuple[tuple[Route, Move], ...]
    unmoved: tuple[str, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(effect for _, move in self.moves for stage in move.stages for effect in stage)

    @property
    def emergency(self) -> bool:
        return self.mode is Mode.EMERGENCY


def ask_all(case: Case) -> tuple[Finding, ...]:
    """Every guard's finding, overrides applied."""
    return tuple(_overridden(case.intent, guard(case)) for guard in GUARDS)


def _overridden(intent: Intent, finding: Finding) -> Finding:
    named = [override for override in intent.overrides if override.guard is finding.name]
    if finding.says is not Says.NO or finding.name in NEVER_OVERRIDABLE or not named or _is_absolute(finding):
        return finding
    return finding.model_copy(update={"says": Says.OVERRIDDEN, "why": f"{finding.why} (overridden: {named[0].reason})"})


def _is_absolute(finding: Finding) -> bool:
    return finding.name is GuardName.TRAJECTORY and finding.cure == ABSOLUTE


ABSOLUTE = "this one can't be overridden: put the weights, health checks or routing controls right first"


def _yes(name: GuardName, why: str) -> Finding:
    return Finding(name=name, says=Says.YES, why=why)


def _no(name: GuardName, why: str, cure: str) -> Finding:
    return Finding(name=name, says=Says.NO, why=why, cure=cure)


def _warns(name: GuardName, why: str, cure: str = "") -> Finding:
    return Finding(name=name, says=Says.WARNS, why=why, cure=cure)


def account(case: Case) -> Finding:
    caller, pinned = case.facts.caller, case.app.account
    if caller is None:
        return _no(GuardName.ACCOUNT, "whose credentials these are could not be read", "check that STS answers")
    if caller.account != pinned:
        return _no(
            GuardName.ACCOUNT,
            f"the caller is in account {caller.account}; resil.yaml pins {pinned}",
            "use the right AWS_PROFILE; this guard can't be overridden",
        )
    return _yes(GuardName.ACCOUNT, f"the caller is in {pinned}, as pinned")


def source_expected(case: Case) -> Finding:
    if case.intent.verb == "failback":
        return _yes(GuardName.SOURCE_EXPECTED, "home is the goal; whatever is away from it comes back")
    asked, active = case.intent.source, _active(case)
    if asked is None or asked in active or not active:
        where = ", ".join(sorted(active)) or "an unread place"
        return _yes(GuardName.SOURCE_EXPECTED, f"traffic is at {where}")
    return _no(
        GuardName.SOURCE_EXPECTED,
        f"--from says {asked}, but traffic is at {', '.join(sorted(active))}",
        f"run resil status; then leave --from out or name {', '.join(sorted(active))}",
    )


def _active(case: Case) -> frozenset[str]:
    routes = case.app.routing
    return frozenset().union(*(simulate.receiving(case.app, route, case.facts) for route in routes)) - {""}


def target_health(case: Case) -> Finding:
    judged = {region: verdict_on(case.verdicts, region) for region in case.target}
    bad = [region for region, verdict in judged.items() if verdict is Judged.IMPAIRED]
    unsure = [region for region, verdict in judged.items() if verdict is Judged.UNKNOWN]
    if bad:
        return _no(GuardName.TARGET_HEALTH, f"{_whys(case, bad)}", "wait for it to recover, or choose another Region")
    if unsure and not case.emergency:
        return _no(GuardName.TARGET_HEALTH, _whys(case, unsure), "mend the signals that are unknown (resil status)")
    if unsure:
        return _warns(GuardName.TARGET_HEALTH, _whys(case, unsure))
    return _yes(GuardName.TARGET_HEALTH, f"{', '.join(case.target)} healthy")


def _whys(case: Case, regions: Sequence[str]) -> str:
    return "; ".join(f"{v.region} is {v.verdict}: {v.why}" for v in case.verdicts if v.region in regions)


def replication(case: Case) -> Finding:
    """Planned: every table's lag out of the Region being left must be known and within its limit."""
    risk = data_at_risk(case.app, case.facts.readings, case.source)
    if not any(case.app.signals_of(Replication)):
        return _yes(GuardName.REPLICATION, "no replication signal is configured")
    lags = [
        reading
        for reading in case.facts.readings
        if reading.kind is SignalKind.REPLICATION and reading.region in case.source and reading.counts
    ]
    worse = [reading for reading in lags if reading.level is not Level.OK]
    if not worse:
        return _yes(GuardName.REPLICATION, f"at risk: {risk}")
    if case.emergency:
        return _warns(GuardName.REPLICATION, f"at risk: {risk}")
    told = "; ".join(f"{reading.subject}: {reading.evidence}" for reading in worse)
    return _no(GuardName.REPLICATION, f"{told}; at risk: {risk}", "wait until replication has caught up")


def path(case: Case) -> Finding:
    found = trajectory.breaches(case.app, case.facts, case.effects, case.verdicts)
    absolute = [breach for breach in found if breach.absolute]
    if absolute:
        return _no(GuardName.TRAJECTORY, absolute[0].why, ABSOLUTE)
    states = trajectory.states(case.facts, case.effects)
    end = states[-1] if states else case.facts
    short = trajectory.shortfalls(case.app, end, case.source if case.intent.verb == "failover" else (), case.target)
    if case.unmoved:
        return _no(GuardName.TRAJECTORY, "; ".join(case.unmoved), "configure a lever that can move it")
    if found or short:
        why = "; ".join([*(breach.why for breach in found), *short])
        return _no(GuardName.TRAJECTORY, why, "look at the health checks of the target's records (resil status)")
    return _yes(GuardName.TRAJECTORY, f"{len(case.effects)} change(s), each state leaves a Region that may serve")


def drift(case: Case) -> Finding:
    """Records of the routed name that resil.yaml does not know keep what they have: traffic nobody decided about."""
    strangers = []
    for route in case.app.routing:
        found = simulate.zone_of(route, case.facts)
        records = simulate.group(found.records, route.record.name, route.record.type) if found else ()
        strangers += [
            f"{record.name} {record.set_identifier}"
            for record in records
            if simulate.region_of(route, record) is None and (record.weight is None or record.weight > 0)
        ]
    if strangers:
        return _no(
            GuardName.DRIFT,
            f"records that resil.yaml does not name take traffic too: {', '.join(strangers)}",
            "name them under endpoints, or take their weight away",
        )
    return _yes(GuardName.DRIFT, "every record of the routed names is known")


def record_protection(case: Case) -> Finding:
    protected = [
        f"{record.type} {record.name}"
        for effect in case.effects
        if isinstance(effect, WeightsEffect)
        for record in effect.before
        if f"{record.name} {record.type}" in _protected(case.facts, effect.zone_id)
    ]
    if protected:
        return _no(
            GuardName.RECORD_PROTECTION,
            f"Route 53 protects {', '.join(dict.fromkeys(protected))}: the whole batch would be refused",
            "lift it: aws route53 delete-resource-record-set-protections",
        )
    return _yes(GuardName.RECORD_PROTECTION, "no record that changes is protected")


def _protected(facts: Facts, zone_id: str) -> tuple[str, ...]:
    return next((found.protected for found in facts.zones if found.zone.id == zone_id), ())


def shared_health_check(case: Case) -> Finding:
    """Forcing a check unhealthy evacuates every record and calculated parent that uses it, not only ours."""
    forced = {effect.check.id for effect in case.effects if isinstance(effect, CheckEffect)}
    if not forced:
        return _yes(GuardName.SHARED_HEALTH_CHECK, "no health check is forced")
    if not all(found.whole for found in case.facts.zones) or not case.facts.checks_whole:
        return _no(
            GuardName.SHARED_HEALTH_CHECK,
            "what else uses the health check could not be read whole",
            "allow route53:ListResourceRecordSets and ListHealthChecks",
        )
    names = {route.record.name for route in case.app.routing}
    others = [
        f"{record.type} {record.name}"
        for found in case.facts.zones
        for record in found.records
        if record.health_check_id in forced and record.name not in names
    ]
    others += [f"calculated check {check.id}" for check in case.facts.checks if forced & set(check.children)]
    if others:
        return _no(
            GuardName.SHARED_HEALTH_CHECK,
            f"also used by {', '.join(others)}",
            "give this app health checks of its own",
        )
    return _yes(GuardName.SHARED_HEALTH_CHECK, f"{len(forced)} health check(s), used by this app's records alone")


def sibling_records(case: Case) -> Finding:
    left: list[str] = []
    for route, move in case.moves:
        found = simulate.zone_of(route, case.facts)
        if found is None or not move.stages:
            continue
        stay = (t for t in siblings(route, found) if not _moves_along(route, move.lever, case, t))
        left.extend(f"{rtype} {route.record.name}" for rtype in stay)
    if left:
        return _no(
            GuardName.SIBLING_RECORDS,
            f"{', '.join(left)} would stay where it is: clients that prefer it are not moved",
            "give it the same policy, set identifiers and health checks as the routed record",
        )
    return _yes(GuardName.SIBLING_RECORDS, f"no {'/'.join(CARRIES_TRAFFIC)} record of the same name is left behind")


def _moves_along(route: Route, lever: LeverKind, case: Case, rtype: str) -> bool:
    found = simulate.zone_of(route, case.facts)
    assert found is not None, "asked only of zones that were read"
    if lever is LeverKind.WEIGHTS:
        return movable(route, found, rtype)
    own = {r.health_check_id for r in simulate.group(found.records, route.record.name, route.record.type)}
    sibling = [r.health_check_id for r in simulate.group(found.records, route.record.name, rtype)]
    return all(check is not None and check in own for check in sibling)


def ttl(case: Case) -> Finding:
    limit = case.app.objectives.ttl
    found = {
        (route.record.name, record.ttl)
        for route in case.app.routing
        if (zone := simulate.zone_of(route, case.facts)) is not None
        for record in simulate.group(zone.records, route.record.name, route.record.type)
        if record.ttl is not None
    }
    long = sorted((name, ttl) for name, ttl in found if ttl is not None and ttl > limit)
    if not long:
        return _yes(GuardName.TTL, f"no TTL over {limit:g} s")
    told = ", ".join(f"{name} {ttl} s" for name, ttl in long)
    why = f"clients may keep the old answer for {told}; objectives.ttl is {limit:g} s"
    if case.emergency:
        return _warns(GuardName.TTL, why)
    return _no(GuardName.TTL, why, "lower the record's TTL well before moving (AWS: 60 to 120 s)")


def safety_rule(case: Case) -> Finding:
    named = [override.subject for override in case.intent.overrides if override.guard is GuardName.SAFETY_RULE]
    if not any(move.lever is LeverKind.ROUTING_CONTROL and move.stages for _, move in case.moves):
        return _yes(GuardName.SAFETY_RULE, "no routing control changes")
    if named:
        return _warns(GuardName.SAFETY_RULE, f"ARC is asked to override {', '.join(named)}")
    return _yes(GuardName.SAFETY_RULE, "ARC applies its safety rules to the change itself")


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
