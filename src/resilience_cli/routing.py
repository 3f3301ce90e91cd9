"""Route 53's answering rules as one pure function: record sets + health -> who gets which share of the answers.

The planner's simulation and the sandbox's name server both call ``answer``, so there is one truth. Beside it, the
rules by which a health check's switches and children make its health. The rules are the developer guide's, by page:

- *chooses*: "How Amazon Route 53 chooses records when health checking is configured"
- *complex*: "How health checks work in complex Amazon Route 53 configurations"
- *weighted*: "Weighted routing"; *latency*: "Latency-based routing"
- the API reference's ``ResourceRecordSet``, ``AliasTarget`` and ``HealthCheckConfig``

``tests/core/routing_vectors.yaml`` is the same as a table of examples.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, assert_never

from .model.records import CheckSwitch, Health, HealthCheck, Policy, RecordSet, fqdn

Zones = Mapping[str, Sequence[RecordSet]]
Group = tuple[RecordSet, ...]


class Share(NamedTuple):
    """One possible answer: the record it ends at, the chain that led there (first = the name asked), how often.

    A leaf that is itself an alias points outside the zones given, at nothing, or back into its own chain.
    """

    path: tuple[RecordSet, ...]
    fraction: Fraction

    @property
    def leaf(self) -> RecordSet:
        return self.path[-1]


class _View(NamedTuple):
    """What one asker's answers depend on, besides the question."""

    zones: Zones
    healthy: Callable[[str], bool]
    nearest: tuple[str, ...]


def answer(
    zones: Zones,
    zone_id: str,
    name: str,
    rtype: str,
    healthy: Callable[[str], bool],
    nearest: Sequence[str] = (),
) -> tuple[Share, ...]:
    """The distribution over the answers one asker may get for ``name`` and ``rtype``; empty without such a record.

    ``healthy`` says whether a health check, by id, counts as healthy now; ``nearest`` ranks Regions from the asker,
    lowest latency first, and Regions it leaves out come after those it names, by name. Fractions are positive and
    sum to exactly 1; neither the result nor its order depends on the order of the records.
    """
    view = _View(zones, healthy, tuple(nearest))
    return tuple(_walk(view, records_at(zones.get(zone_id, ()), name, rtype), (), Fraction(1)))


def _walk(view: _View, group: Group, trail: Group, fraction: Fraction) -> Iterator[Share]:
    """Down the tree, branch by branch. The trail is what ends a loop: no group is entered twice on one path."""
    for record, part in _choose(view, group, trail):
        path = (*trail, record)
        beyond = _target(view.zones, record, path)
        if beyond:
            yield from _walk(view, beyond, path, fraction * part)
        else:
            yield Share(path, fraction * part)


def _choose(view: _View, group: Group, trail: Group) -> Iterator[tuple[RecordSet, Fraction]]:
    """Which records of one name and type are returned, and how often.

    Healthy records only, or all of them if none is (*chooses*, "If no record is healthy, all records are healthy").
    """
    fit = [r for r in group if _is_healthy(view, r, (*trail, r))] or list(group)
    if not fit:
        return
    policy = policy_of(group)
    match policy:
        case Policy.WEIGHTED:
            yield from _by_weight(fit)
        case Policy.LATENCY:
            yield min(fit, key=lambda r: _distance(view.nearest, r.region or "")), Fraction(1)
        case Policy.FAILOVER:
            # With fit = [both] because neither is healthy this is the primary, as ResourceRecordSet.Failover says.
            yield min(fit, key=lambda r: r.failover != "PRIMARY"), Fraction(1)
        case Policy.SIMPLE | Policy.OTHER:
            # SIMPLE is one record. OTHER (multivalue, geolocation ...) resil does not move: each counts alike, as
            # multivalue answers do; for geographic policies that is an assumption.
            yield from ((record, Fraction(1, len(fit))) for record in fit)
        case _:
            assert_never(policy)


def _by_weight(fit: Sequence[RecordSet]) -> Iterator[tuple[RecordSet, Fraction]]:
    """Weight over the sum of weights. Zero weights serve only if no other record may, and then alike.

    Source: *weighted*, "Health checks and weighted routing" (zero-weighted records are considered if all others are
    unhealthy); ``ResourceRecordSet.Weight`` (all zero: equal probability).
    """
    total = sum(record.weight or 0 for record in fit)
    for record in fit:
        if total == 0:
            yield record, Fraction(1, len(fit))
        elif record.weight:
            yield record, Fraction(record.weight, total)


def _distance(nearest: tuple[str, ...], region: str) -> tuple[int, str]:
    return (nearest.index(region) if region in nearest else len(nearest), region)


def _is_healthy(view: _View, record: RecordSet, trail: Group) -> bool:
    """Whether a record is considered healthy: its own health check *and*, for an alias that evaluates it, its target.

    A record without a health check is always healthy (*chooses*). An alias with EvaluateTargetHealth is healthy if at
    least one record of its target group is (*complex*, "What happens when you associate a health check with an alias
    record?"); without it, whatever lies beyond does not count (same page, "... set evaluate target health to No").
    A target that is AWS's own counts as healthy: for API Gateway ``AliasTarget.EvaluateTargetHealth`` "provides no
    operational benefit". An alias to nothing, or into a loop, is not healthy.
    """
    if record.health_check_id is not None and not view.healthy(record.health_check_id):
        return False
    if record.alias is None or not record.alias.evaluate_target_health or record.alias.zone_id not in view.zones:
        return True
    return any(_is_healthy(view, r, (*trail, r)) for r in _target(view.zones, record, trail))


def _target(zones: Zones, record: RecordSet, trail: Group) -> Group:
    """The records an alias points at: same type, in a zone we hold. Empty at a leaf, and where the chain would loop."""
    if record.alias is None:
        return ()
    group = records_at(zones.get(record.alias.zone_id, ()), record.alias.dns_name, record.type)
    return group if set(group).isdisjoint(trail) else ()


def policy_of(group: Sequence[RecordSet]) -> Policy:
    """The policy the records of one name and type share; OTHER for a mixture, which Route 53 would refuse."""
    policies = {record.policy for record in group}
    return policies.pop() if len(policies) == 1 else Policy.OTHER


def records_at(records: Sequence[RecordSet], name: str, rtype: str) -> Group:
    """The records that answer ``name`` and ``rtype``, wildcards included, in order of their set identifiers."""
    owner = covering(records, name)
    found = [r for r in records if r.type == rtype and _plain(r.name) == owner]
    return tuple(sorted(found, key=lambda r: r.set_identifier or ""))


def covering(records: Sequence[RecordSet], name: str) -> str | None:
    """The owner name that answers for ``name``: itself if it exists, else the nearest wildcard; None: no such name.

    A name exists if it, or a name below it, has records of any type (RFC 4592; developer guide, "Using an asterisk
    (*) in the names of hosted zones and records").
    """
    owners = {_plain(record.name) for record in records}
    asked = encloser = fqdn(name)
    while not any(owner == encloser or owner.endswith("." + encloser) for owner in owners):
        encloser = encloser.partition(".")[2]
        if not encloser:
            return None
    if encloser == asked:
        return asked
    wildcard = "*." + encloser
    return wildcard if wildcard in owners else None


def _plain(name: str) -> str:
    """ListResourceRecordSets writes an asterisk as ``\\052``."""
    return fqdn(name).replace("\\052", "*")


def effective_health(check: HealthCheck, measured: Health, health_of: Callable[[str], Health]) -> Health:
    """What a check says after its switches. ``measured``: what its endpoint, alarm or routing control says before
    them; a CALCULATED check asks ``health_of`` its children instead.
    """
    if check.type == "CALCULATED":
        measured = calculated(check.threshold, [health_of(child) for child in check.children])
    return switched(check.switch, measured)


def switched(switch: CheckSwitch, measured: Health) -> Health:
    """Disabled counts as healthy whatever was measured, Inverted flips what is left, UNKNOWN stays unknown.

    Source: ``UpdateHealthCheckRequest.Disabled``: "in disabled state, you can also invert the status".
    """
    health = Health.HEALTHY if switch.disabled else measured
    if not switch.inverted:
        return health
    flipped = {Health.HEALTHY: Health.UNHEALTHY, Health.UNHEALTHY: Health.HEALTHY, Health.UNKNOWN: Health.UNKNOWN}
    return flipped[health]


def calculated(threshold: int | None, children: Sequence[Health]) -> Health:
    """At least ``threshold`` children healthy; UNKNOWN without a threshold, or while unknown children may decide.

    Source: ``HealthCheckConfig.HealthThreshold``: 0 is always healthy, more than there are children always unhealthy.
    """
    if threshold is None:
        return Health.UNKNOWN
    sure, open_ = children.count(Health.HEALTHY), children.count(Health.UNKNOWN)
    if sure >= threshold:
        return Health.HEALTHY
    return Health.UNKNOWN if sure + open_ >= threshold else Health.UNHEALTHY
