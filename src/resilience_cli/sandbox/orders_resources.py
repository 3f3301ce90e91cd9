"""The reference application's resources: what AWS's Guidance deploys, made through the stores' own operations.

Both shapes stand side by side: weighted records for ``api.example.com``, and the Guidance's own latency alias records
behind ARC routing controls for ``orders.example.com``. Sources: the Guidance's templates and the design's section 2.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .arc import RoutingControls, RuleConfig
from .cloudwatch import CloudWatch
from .health import Health, HealthEvent
from .layout import Layout, Watcher
from .service import Call
from .synthetics import Synthetics
from .tables import GlobalTable, GlobalTables

PRIMARY, STANDBY, OBSERVER = "us-west-2", "us-east-1", "us-east-2"
SERVING = (PRIMARY, STANDBY)
ACCOUNT, CALLER = "123456789012", "AKIAIOSFODNN7EXAMPLE"
ADDRESSES = {PRIMARY: "127.0.2.1", STANDBY: "127.0.1.1"}
TABLES = ("Customers", "Products", "Orders")
GATEWAYS = {
    PRIMARY: "d-west.execute-api.us-west-2.amazonaws.com",
    STANDBY: "d-east.execute-api.us-east-1.amazonaws.com",
}
# Hosted zone ids of Regional API Gateway endpoints (AWS General Reference, "Amazon API Gateway endpoints").
GATEWAY_ZONES = {PRIMARY: "Z2OJLYMUO9EFXC", STANDBY: "Z1UJRXOUMOOFQ8"}
OWN_CANARY = "orders-canary"
DYNAMODB = "DynamoDB_20120810"

Handle = Callable[[Call], dict[str, Any]]


def observing_canary(region: str) -> str:
    """The observer's canary that looks at a serving Region from outside."""
    return f"orders-observe-{region}"


REFERENCE = Layout(
    account=ACCOUNT,
    addresses=ADDRESSES,
    subnets={"198.51.100.0/24": PRIMARY, "203.0.113.0/24": STANDBY},
    canaries=tuple(
        watcher
        for region in SERVING
        for watcher in (Watcher(region, OWN_CANARY, region), Watcher(OBSERVER, observing_canary(region), region))
    ),
    external={name: region for region, name in GATEWAYS.items()},
)


@dataclass(frozen=True)
class Routing:
    """The ids the world's files need: by serving Region where there are two."""

    zone_id: str
    endpoint_checks: Mapping[str, str]
    control_checks: Mapping[str, str]
    controls: Mapping[str, str]
    panel: str
    rule: str


def make_routing(route53: Handle, arc: RoutingControls, port: int, wait_period_ms: int, ttl: int = 60) -> Routing:
    """Zone, health checks, routing controls (both On) with their safety rule, and the records of both shapes."""
    panel = arc.add_panel("orders")
    controls = {region: arc.add_control(panel, f"orders-{region}", "On") for region in SERVING}
    rule = arc.add_rule(
        panel, "orders-at-least-one", RuleConfig("ATLEAST", 1), list(controls.values()), wait_period_ms=wait_period_ms
    )
    zone = _ask(route53, "route53", "CreateHostedZone", "us-east-1", Name="example.com.", CallerReference="orders")
    zone_id = str(zone["HostedZone"]["Id"]).rpartition("/")[2]
    endpoint_checks = {region: _check(route53, f"endpoint-{region}", _endpoint(region, port)) for region in SERVING}
    control_checks = {
        region: _check(
            route53, f"control-{region}", {"Type": "RECOVERY_CONTROL", "RoutingControlArn": controls[region]}
        )
        for region in SERVING
    }
    records = [_weighted(region, endpoint_checks[region], ttl) for region in SERVING]
    records += [_latency(region, control_checks[region]) for region in SERVING]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]}
    _ask(route53, "route53", "ChangeResourceRecordSets", "us-east-1", HostedZoneId=zone_id, ChangeBatch=batch)
    return Routing(zone_id, endpoint_checks, control_checks, controls, panel, rule)


def _check(route53: Handle, reference: str, config: Mapping[str, Any]) -> str:
    answer = _ask(
        route53, "route53", "CreateHealthCheck", "us-east-1", CallerReference=reference, HealthCheckConfig=dict(config)
    )
    return str(answer["HealthCheck"]["Id"])


def _endpoint(region: str, port: int) -> dict[str, Any]:
    return {
        "Type": "HTTP",
        "IPAddress": ADDRESSES[region],
        "Port": port,
        "ResourcePath": "/health",
        "RequestInterval": 10,
        "FailureThreshold": 3,
    }


def _weighted(region: str, check: str, ttl: int) -> dict[str, Any]:
    return {
        "Name": "api.example.com.",
        "Type": "A",
        "SetIdentifier": f"orders-{region}",
        "Weight": 100 if region == PRIMARY else 0,
        "TTL": ttl,
        "ResourceRecords": [{"Value": ADDRESSES[region]}],
        "HealthCheckId": check,
    }


def _latency(region: str, check: str) -> dict[str, Any]:
    target = {
        "HostedZoneId": GATEWAY_ZONES[region],
        "DNSName": f"{GATEWAYS[region]}.",
        "EvaluateTargetHealth": False,
    }
    return {
        "Name": "orders.example.com.",
        "Type": "A",
        "SetIdentifier": f"orders-{region}",
        "Region": region,
        "AliasTarget": target,
        "HealthCheckId": check,
    }


def make_tables(
    ask: Callable[[Call, str], dict[str, Any]],
    tables: GlobalTables,
    names: Sequence[str] = TABLES,
    regions: tuple[str, ...] = SERVING,
) -> None:
    """Global tables: an ordinary table in each serving Region, joined by ``tables``."""
    for name in names:
        for region in regions:
            params = {
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            }
            ask(Call("dynamodb", "CreateTable", region, CALLER, params), DYNAMODB)
        tables.add(GlobalTable(name, regions))


def make_canaries(synthetics: Synthetics, canaries: Sequence[Watcher]) -> None:
    for canary in canaries:
        synthetics.create(canary.region, canary.name)


def make_alarms(cloudwatch: CloudWatch, period_s: int = 60) -> None:
    """A metric alarm on the API and one on the function, their composite in each Region, canary alarms outside."""
    for region in SERVING:
        rates = [
            ("orders-api-5xx", "AWS/ApiGateway", "5XXError", {"ApiName": "orders"}),
            ("orders-create-errors", "AWS/Lambda", "Errors", {"FunctionName": "OrderCreateFn"}),
        ]
        for name, namespace, metric, dimensions in rates:
            make_alarm(
                cloudwatch, (region, name), (namespace, metric, dimensions), ("GreaterThanThreshold", 0.05), period_s
            )
        rule = "ALARM(orders-api-5xx) AND ALARM(orders-create-errors)"
        _ask(cloudwatch.handle, "cloudwatch", "PutCompositeAlarm", region, AlarmName="orders-impaired", AlarmRule=rule)
        canary = observing_canary(region)
        watched = ("CloudWatchSynthetics", "SuccessPercent", {"CanaryName": canary})
        make_alarm(cloudwatch, (OBSERVER, f"orders-canary-{region}"), watched, ("LessThanThreshold", 90.0), period_s)


def make_alarm(
    cloudwatch: CloudWatch,
    alarm: tuple[str, str],
    metric: tuple[str, str, Mapping[str, str]],
    limit: tuple[str, float],
    period_s: int,
) -> None:
    """One metric alarm on an Average, by its Region and name."""
    region, name = alarm
    namespace, metric_name, dimensions = metric
    comparison, threshold = limit
    _ask(
        cloudwatch.handle,
        "cloudwatch",
        "PutMetricAlarm",
        region,
        AlarmName=name,
        Namespace=namespace,
        MetricName=metric_name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Statistic="Average",
        Period=period_s,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator=comparison,
    )


def make_health_history(health: Health, now: float) -> None:
    """One issue of three weeks ago, long closed: history that must not be taken for news."""
    code = "AWS_DYNAMODB_OPERATIONAL_ISSUE"
    started = now - 21 * 86400
    health.put(
        HealthEvent(
            arn=f"arn:aws:health:{PRIMARY}::event/DYNAMODB/{code}/{code}_00000",
            service="DYNAMODB",
            code=code,
            region=PRIMARY,
            started=started,
            updated=started + 7200,
            ended=started + 7200,
            description="Increased error rates. The issue has been resolved.",
        )
    )


def _ask(handle: Handle, service: str, operation: str, region: str, **params: Any) -> dict[str, Any]:
    return handle(Call(service, operation, region, CALLER, params))
