"""The core tests' vocabulary: apps in the shapes that operators have, and facts about them in short words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from resilience_cli.model.app import App
from resilience_cli.model.effects import CheckEffect, ControlsEffect, Effect, WeightsEffect
from resilience_cli.model.facts import Caller, Facts, PriorSwitch, RoutingControl, ZoneRecords
from resilience_cli.model.plan import Decision, Intent, Mode, NothingToDo, Override, Plan, Refusal, Says
from resilience_cli.model.readings import Level, Reading, SignalKind
from resilience_cli.model.records import (
    FORCED_UNHEALTHY,
    AliasTarget,
    CheckSwitch,
    Health,
    HealthCheck,
    RecordSet,
    Zone,
)
from resilience_cli.model.runbook import Runbook

WEST, EAST, NORTH, OBSERVER = "us-west-2", "us-east-1", "eu-north-1", "us-east-2"
TWO, THREE = (WEST, EAST), (WEST, EAST, NORTH)
ACCOUNT = "123456789012"
ZONE = Zone(id="ZPUBLIC", name="example.com.")
NAME = "api.example.com."
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SWITCHES = {
    "on": CheckSwitch(),
    "forced": FORCED_UNHEALTHY,
    "disabled": CheckSwitch(disabled=True),
    "inverted": CheckSwitch(inverted=True),
}


def check_id(region: str) -> str:
    return f"check-{region}"


def control_arn(region: str) -> str:
    return f"arn:aws:route53-recovery-control::{ACCOUNT}:controlpanel/p/routingcontrol/{region}"


def endpoint(region: str, *, arc: bool = False, check: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"set_identifier": region}
    if check or arc:
        found["health_check"] = check_id(region)
    if arc:
        found["routing_control"] = control_arn(region)
    return found


def app(
    policy: str = "weighted",
    *,
    regions: Sequence[str] = TWO,
    levers: Sequence[str] = ("weights",),
    home: object = None,
    **more: Any,
) -> App:
    """An app with one routed name. With the lever routing-control it has an ARC cluster and a control a Region."""
    arc = "routing-control" in levers
    checks = "health-check" in levers
    shares = {region: 100 if region == regions[0] else 0 for region in regions}
    route = {
        "zone": "example.com",
        "record": {"name": NAME},
        "policy": policy,
        "endpoints": {region: endpoint(region, arc=arc, check=checks) for region in regions},
        "levers": list(levers),
        "home": home if home is not None else shares if policy == "weighted" else policy,
    }
    cluster = [{"region": region, "endpoint": f"https://{region}.arc.test"} for region in (*regions, OBSERVER)]
    return App.model_validate(
        {
            "version": 1,
            "app": "orders",
            "account": ACCOUNT,
            "regions": {"primary": regions[0], "standby": list(regions[1:]), "observer": OBSERVER},
            "routing": [route],
            "arc": {"cluster": cluster} if arc else None,
            "signals": signals(regions),
            **more,
        }
    )


def signals(regions: Sequence[str]) -> list[dict[str, Any]]:
    """What ``health`` gives readings of."""
    return [
        {"kind": "canary", "canaries": [{"name": f"c-{r}", "region": OBSERVER, "of": r} for r in regions]},
        {"kind": "endpoint", "urls": {region: f"https://{region}.test/" for region in regions}},
        {"kind": "metric", "name": "errors", "namespace": "AWS/ApiGateway", "metric": "5XXError", "above": 1},
    ]


def weighted_app(**more: Any) -> App:
    return app("weighted", **more)


def arc_app(**more: Any) -> App:
    """The Guidance's own shape: latency alias records behind ARC routing controls."""
    return app("latency", levers=more.pop("levers", ("routing-control",)), **more)


def record(stands_for: str, /, *, rtype: str = "A", weight: int | None = None, **more: Any) -> RecordSet:
    alias = more.pop("alias", None)
    return RecordSet(
        name=more.pop("name", NAME),
        type=rtype,
        set_identifier=more.pop("set_identifier", stands_for),
        weight=weight,
        ttl=None if alias else more.pop("ttl", 60),
        values=() if alias else (f"192.0.2.{len(stands_for)}",),
        alias=AliasTarget(zone_id="ZAPIGW", dns_name=f"{stands_for}.gw.test.", evaluate_target_health=False)
        if alias
        else None,
        **more,
    )


def records(policy: str, regions: Iterable[str], weights: Mapping[str, int], **more: Any) -> tuple[RecordSet, ...]:
    """One record a Region, of one name, type and policy. ``checks``: the Regions whose record has a health check."""
    checks = more.pop("checks", ())
    found = []
    for number, region in enumerate(regions):
        own: dict[str, Any] = {"health_check_id": check_id(region)} if region in checks else {}
        match policy:
            case "weighted":
                own["weight"] = weights.get(region, 0)
            case "latency":
                own["region"] = region
            case _:
                own["failover"] = "PRIMARY" if number == 0 else "SECONDARY"
        found.append(record(region, **{**more, **own}))
    return tuple(found)


def check(region: str, word: str = "healthy", *, version: int = 1, arc: bool = False) -> HealthCheck:
    """A Region's health check: ``word`` is its health, or one of SWITCHES on a check whose endpoint is well."""
    switch = SWITCHES.get(word, CheckSwitch())
    return HealthCheck(
        id=check_id(region),
        version=version,
        type="RECOVERY_CONTROL" if arc else "HTTPS",
        switch=switch,
        routing_control_arn=control_arn(region) if arc else None,
        health=Health(word) if word in list(Health) else Health.HEALTHY,
    )


def control(region: str, state: str = "On") -> RoutingControl:
    return RoutingControl.model_validate({"arn": control_arn(region), "name": region, "state": state})


def reading(kind: str, region: str, level: str, seen_from: str = OBSERVER, **more: Any) -> Reading:
    return Reading(
        kind=SignalKind(kind),
        subject=more.pop("subject", f"{kind} of {region}"),
        region=region,
        seen_from=seen_from,
        level=Level(level),
        evidence=more.pop("evidence", f"{kind} says {level}"),
        **more,
    )


LEVELS = {  # canary seen from the observer, endpoint from here, metric from the Region itself
    "ok": ("ok", "ok", "ok"),
    "failing": ("bad", "bad", "bad"),
    "unclear": ("bad", "ok", "ok"),
    "silent": ("unknown", "unknown", "unknown"),
}


def health(region: str, word: str) -> tuple[Reading, ...]:
    canary, probe, metric = LEVELS[word]
    return (
        reading("canary", region, canary, OBSERVER),
        reading("endpoint", region, probe, "here"),
        reading("metric", region, metric, region),
    )


def lag(region: str, told: float | str, max_lag: float = 5.0) -> Reading:
    if isinstance(told, str):
        return reading("replication", region, "unknown", region, subject="Orders", evidence=told)
    level = "ok" if told <= max_lag else "bad"
    return reading("replication", region, level, region, subject="Orders", lag_s=told, evidence=f"{told:g} s behind")


def facts(
    of: App,
    *,
    weights: Mapping[str, int] | None = None,
    well: Mapping[str, str] | None = None,
    checks: Mapping[str, str] | None = None,
    controls: Mapping[str, str] | None = None,
    account: str | None = ACCOUNT,
    prior: Mapping[str, str] | None = None,
    readings: Sequence[Reading] = (),
    **more: Any,
) -> Facts:
    """What one look sees. ``well``: a word of LEVELS a Region, "ok" unless told. ``more`` goes to the records."""
    regions, route = of.regions.serving, of.routing[0]
    arc = of.arc is not None
    has_check = regions if arc else tuple(checks or ())
    zone = more.pop("zone", ZONE)
    extra = more.pop("extra", ())
    protected = tuple(f"{NAME} {rtype}" for rtype in more.pop("protected", ()))
    whole = more.pop("whole", True)
    shares = weights if weights is not None else {r: 100 if r == regions[0] else 0 for r in regions}
    own = records(more.pop("policy", route.policy), regions, shares, checks=has_check, **more)
    states = {**dict.fromkeys(regions, "On"), **(controls or {})} if arc else {}
    said = dict(checks or {})
    return Facts(
        observed_at=NOON,
        caller=None if account is None else Caller(account=account, arn=f"arn:aws:iam::{account}:user/oncall"),
        zones=(ZoneRecords(zone=zone, records=(*own, *extra), whole=whole, protected=protected),),
        checks=tuple(check(region, said.get(region, "healthy"), arc=arc) for region in has_check),
        checks_whole=whole,
        controls=tuple(control(region, state) for region, state in states.items()),
        readings=tuple(r for region in regions for r in health(region, (well or {}).get(region, "ok")))
        + tuple(readings),
        prior_switches=tuple(
            PriorSwitch(check_id=check_id(region), before=SWITCHES[word]) for region, word in (prior or {}).items()
        ),
    )


def runbook(*, ramp: Sequence[int] = (), **extra: Any) -> Runbook:
    """check, shift, verify, bake: as the runbooks that resil ships."""
    shift: dict[str, Any] = {"id": "shift", "step": "shift-traffic", **extra}
    if ramp:
        shift["ramp"] = {"shares": list(ramp), "bake": "30s"}
    return book(
        {"id": "fit", "step": "check"},
        shift,
        {"id": "verify", "step": "verify", "timeout": "30s"},
        {"id": "bake", "step": "bake", "for": "20s", "every": "10s", "in_emergency": "best-effort"},
    )


def book(*steps: Mapping[str, Any]) -> Runbook:
    """A runbook of these steps, and a ``verify`` at the end where none of them is one: every runbook has one."""
    said = [child for step in steps for child in (step, *step.get("steps", ()))]
    verify = [] if any(step["step"] == "verify" for step in said) else [{"id": "verify", "step": "verify"}]
    return Runbook.model_validate({"version": 1, "name": "book", "steps": [*steps, *verify]})


def failover(to: str = EAST, *, source: str | None = None, mode: str = "auto", override: Sequence[str] = ()) -> Intent:
    return Intent(verb="failover", to=to, source=source, mode=Mode(mode), overrides=overrides(override))


def failback(*, mode: str = "auto", override: Sequence[str] = ()) -> Intent:
    return Intent(verb="failback", mode=Mode(mode), overrides=overrides(override))


def overrides(named: Sequence[str]) -> tuple[Override, ...]:
    """``guard`` or ``guard=subject``, as on the command line."""
    return tuple(
        Override.model_validate({"guard": guard, "subject": subject, "reason": "agreed with the owner"})
        for guard, _, subject in (each.partition("=") for each in named)
    )


def line(effect: Effect) -> str:
    """An effect as a reviewer would jot it down."""
    match effect:
        case WeightsEffect():
            after = {(r.type, r.set_identifier): r.weight for r in effect.after}
            moves = [f"{r.type} {r.set_identifier} {r.weight}>{after[r.type, r.set_identifier]}" for r in effect.before]
            return "weights " + ", ".join(moves)
        case CheckEffect():
            words = {switch: word for word, switch in SWITCHES.items()}
            return f"check {effect.check.region} {words[effect.check.before]}>{words[effect.check.after]}"
        case ControlsEffect():
            return "controls " + ", ".join(f"{c.region} {c.before}>{c.after}" for c in effect.controls)


def lines(decision: Decision) -> list[str]:
    assert isinstance(decision, Plan), told(decision)
    return [line(effect) for effect in decision.effects]


def refusing(decision: Decision) -> list[str]:
    assert isinstance(decision, Refusal), told(decision)
    return [finding.name.value for finding in decision.guards if finding.says is Says.NO]


def told(decision: Decision) -> str:
    match decision:
        case Plan():
            return f"a plan: {[line(effect) for effect in decision.effects]}"
        case Refusal():
            return "refused: " + "; ".join(f"{f.name}: {f.why}" for f in decision.guards if f.says is Says.NO)
        case NothingToDo():
            return f"nothing to do: {decision.why}"
