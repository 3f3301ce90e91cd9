"""The routing of a user's app in its twin: zones, health checks, routing controls and records, as resil.yaml has them.

Ids and names are the user's own. What the file leaves open is filled in plainly: records hold the endpoints' addresses
(an alias in AWS would end there too), a zone given by id has the domain its records share, and routing controls that
are used together are under one "at least one on" rule, as the Guidance asks for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..model.app import App, LeverKind, Route
from ..model.records import Policy, fqdn
from .arc import OFF, ON, Control, RuleConfig
from .orders_resources import CALLER, Routing
from .service import Call
from .twin_layout import measured_route

if TYPE_CHECKING:
    from .orders import World

ZONE_ID = re.compile(r"Z[A-Z0-9]{1,31}")
WAIT_PERIOD_MS = 1000  # the Guidance has 5000; shorter here, so that a drill need not wait for it
Record = dict[str, Any]


def make_twin_routing(world: "World", app: App) -> Routing:
    """All of it, through the stores' own operations. Raises AwsError for what Route 53 itself would refuse."""
    rules = _make_controls(world, app)
    zones = {(route.zone, route.private): "" for route in app.routing}
    for zone, private in zones:
        zones[zone, private] = _make_zone(world, app, zone, private)
    checks: dict[str, str] = {}
    for route in app.routing:
        zone_id = zones[route.zone, route.private]
        records = [record for region in route.endpoints for record in _records(world, app, route, region, checks)]
        _change(world, zone_id, records)
    first = measured_route(app)
    own = {region: endpoint.health_check or "" for region, endpoint in first.endpoints.items()}
    controls = {r: e.routing_control for r, e in first.endpoints.items() if e.routing_control}
    panel = next(iter(controls.values()), "").partition("/routingcontrol/")[0]
    return Routing(zones[first.zone, first.private], own, own, controls, panel, next(iter(rules), ""))


def _ask(world: "World", operation: str, **params: Any) -> dict[str, Any]:
    return world.route53.handle(Call("route53", operation, "us-east-1", CALLER, params))


def _make_zone(world: "World", app: App, zone: str, private: bool) -> str:
    routes = [route for route in app.routing if (route.zone, route.private) == (zone, private)]
    is_id = ZONE_ID.fullmatch(zone) is not None
    name = zone_name([route.record.name for route in routes]) if is_id else fqdn(zone)
    usual = world.route53.new_zone_id
    if is_id:
        world.route53.new_zone_id = lambda: zone
    params: dict[str, Any] = {"Name": name, "CallerReference": f"drill-{zone}-{private}"}
    if private:
        params |= {"VPC": {"VPCRegion": app.regions.primary, "VPCId": "vpc-0123456789abcdef0"}}
    try:
        answer = _ask(world, "CreateHostedZone", **params)
    finally:
        world.route53.new_zone_id = usual
    return str(answer["HostedZone"]["Id"]).rpartition("/")[2]


def zone_name(names: Sequence[str]) -> str:
    """A domain that may hold all of these names: the longest they share, or the one above a single name."""
    labels = [name.rstrip(".").split(".")[::-1] for name in names]
    shared: list[str] = []
    for together in zip(*labels, strict=False):
        if len(set(together)) > 1:
            break
        shared.append(together[0])
    if len(shared) == min(map(len, labels)) and len(shared) > 2:
        shared.pop()
    return fqdn(".".join(reversed(shared)))


def _make_controls(world: "World", app: App) -> list[str]:
    """Panels, controls as home has them, and a rule for each set of controls that a route uses. The rules' ARNs."""
    rules: dict[tuple[str, ...], str] = {}
    for route in app.routing:
        arns = {r: e.routing_control for r, e in route.endpoints.items() if e.routing_control}
        for region, arn in arns.items():
            panel = arn.partition("/routingcontrol/")[0]
            world.arc.panels.setdefault(panel, app.app)
            name = f"{app.app}-{region}"
            world.arc.controls.setdefault(arn, Control(arn, name, panel, ON if _is_on(route, region) else OFF))
        key = tuple(sorted(arns.values()))
        if key and key not in rules:
            panel = key[0].partition("/routingcontrol/")[0]
            config = RuleConfig("ATLEAST", 1)
            rules[key] = world.arc.add_rule(panel, "at-least-one", config, key, wait_period_ms=WAIT_PERIOD_MS)
    return list(rules.values())


def _is_on(route: Route, region: str) -> bool:
    """At home: all On, unless home is shares on records that have no weights (as the planner takes it)."""
    if isinstance(route.home, dict) and route.policy is not Policy.WEIGHTED:
        return route.home[region] > 0
    return True


def _records(world: "World", app: App, route: Route, region: str, checks: dict[str, str]) -> Iterator[Record]:
    endpoint, address = route.endpoints[region], world.layout.addresses[region]
    record: Record = {
        "Name": route.record.name,
        "Type": route.record.type,
        "SetIdentifier": endpoint.set_identifier or region,
        "TTL": world.pace.ttl,
        "ResourceRecords": [{"Value": address}],
        **_policy(app, route, region),
    }
    check = _check(world, route, region, checks)
    if check is not None:
        record["HealthCheckId"] = check
    match route.record.type:
        case "AAAA":  # IPv6 has one loopback address only; an IPv4-mapped one (RFC 4291, 2.5.5.2) tells Regions apart
            record["ResourceRecords"] = [{"Value": f"::ffff:{address}"}]
        case "CNAME":
            target = f"{region}.{route.record.name}"
            record["ResourceRecords"] = [{"Value": target}]
            values = [{"Value": address}]
            yield {"Name": target, "Type": "A", "TTL": world.pace.ttl, "ResourceRecords": values}
        case _:
            pass
    yield record


def _policy(app: App, route: Route, region: str) -> Record:
    match route.policy:
        case Policy.WEIGHTED:
            assert isinstance(route.home, dict), "weighted records have a home of shares (model.app)"
            return {"Weight": route.home[region]}
        case Policy.LATENCY:
            return {"Region": region}
        case _:
            return {"Failover": "PRIMARY" if region == app.regions.primary else "SECONDARY"}


def _check(world: "World", route: Route, region: str, checks: dict[str, str]) -> str | None:
    """The Region's health check by its id in resil.yaml, made once however many records use it.

    One that a routing control lever needs is there even if the file does not name it, or the lever would move nothing.
    """
    endpoint = route.endpoints[region]
    by_control = endpoint.routing_control is not None and (
        LeverKind.ROUTING_CONTROL in route.levers or endpoint.health_check is None
    )
    wanted = endpoint.health_check or (endpoint.routing_control if by_control else None)
    if wanted is None or wanted in checks:
        return checks.get(wanted or "")
    config: Mapping[str, Any] = _endpoint_check(world, region)
    if by_control:
        config = {"Type": "RECOVERY_CONTROL", "RoutingControlArn": endpoint.routing_control}
    usual = world.route53.checks.new_check_id
    if endpoint.health_check is not None:
        world.route53.checks.new_check_id = lambda: wanted
    try:
        answer = _ask(
            world, "CreateHealthCheck", CallerReference=f"drill-{len(checks)}", HealthCheckConfig=dict(config)
        )
    finally:
        world.route53.checks.new_check_id = usual
    checks[wanted] = str(answer["HealthCheck"]["Id"])
    return checks[wanted]


def _endpoint_check(world: "World", region: str) -> Record:
    endpoint = world.endpoints[region]
    return {
        "Type": "HTTP",
        "IPAddress": endpoint.address,
        "Port": endpoint.port,
        "ResourcePath": "/health",
        "RequestInterval": 10,
        "FailureThreshold": 3,
    }


def _change(world: "World", zone_id: str, records: Sequence[Record]) -> None:
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
    _ask(world, "ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
