"""The control plane of ARC routing control (route53-recovery-control-config, in us-west-2): read-only here."""

from collections.abc import Callable, Sequence
from typing import Any

from .arc import RoutingControls, SafetyRule
from .operations import Answer, Operation, page, paged, perform
from .service import AwsError, Call

REGION = "us-west-2"
DEPLOYED = "DEPLOYED"


class ArcConfig:
    """The Service. ``health_checks`` gives the ids of the Route 53 health checks of a routing control."""

    name = "route53-recovery-control-config"

    def __init__(
        self, routing: RoutingControls, health_checks: Callable[[str], Sequence[str]] = lambda _arn: ()
    ) -> None:
        self._routing = routing
        self.health_checks = health_checks
        self._operations: dict[str, Operation] = {
            "DescribeCluster": self._describe_cluster,
            "ListClusters": self._list_clusters,
            "DescribeControlPanel": self._describe_panel,
            "ListControlPanels": self._list_panels,
            "DescribeRoutingControl": self._describe_control,
            "ListRoutingControls": self._list_controls,
            "DescribeSafetyRule": self._describe_rule,
            "ListSafetyRules": self._list_rules,
            "ListAssociatedRoute53HealthChecks": self._list_health_checks,
        }

    def handle(self, call: Call) -> Answer:
        return perform(self._operations, call)

    def _describe_cluster(self, call: Call) -> Answer:
        self._check_cluster(call.params["ClusterArn"])
        return {"Cluster": self._cluster()}

    def _list_clusters(self, call: Call) -> Answer:
        return _page(call, "Clusters", [self._cluster()])

    def _describe_panel(self, call: Call) -> Answer:
        return {"ControlPanel": self._panel(self._known_panel(call))}

    def _list_panels(self, call: Call) -> Answer:
        if (cluster := call.params.get("ClusterArn")) is not None:
            self._check_cluster(cluster)
        return _page(call, "ControlPanels", [self._panel(arn) for arn in self._routing.panels])

    def _describe_control(self, call: Call) -> Answer:
        return {"RoutingControl": self._control(self._known_control(call))}

    def _list_controls(self, call: Call) -> Answer:
        panel = self._known_panel(call)
        controls = [self._control(control.arn) for control in self._routing.controls.values() if control.panel == panel]
        return _page(call, "RoutingControls", controls)

    def _describe_rule(self, call: Call) -> Answer:
        arn = call.params["SafetyRuleArn"]
        if arn not in self._routing.rules:
            raise _missing("Safety rule", arn)
        rule = self._routing.rules[arn]
        return {"GatingRule" if rule.gating else "AssertionRule": self._rule(rule)}

    def _list_rules(self, call: Call) -> Answer:
        panel = self._known_panel(call)
        rules = [
            {"GATING" if rule.gating else "ASSERTION": self._rule(rule)}
            for rule in self._routing.rules.values()
            if rule.panel == panel
        ]
        return _page(call, "SafetyRules", rules)

    def _list_health_checks(self, call: Call) -> Answer:
        return _page(call, "HealthCheckIds", list(self.health_checks(self._known_control(call))))

    def _check_cluster(self, arn: str) -> None:
        if arn != self._routing.cluster.arn:
            raise _missing("Cluster", arn)

    def _known_panel(self, call: Call) -> str:
        arn: str = call.params["ControlPanelArn"]
        if arn not in self._routing.panels:
            raise _missing("Control panel", arn)
        return arn

    def _known_control(self, call: Call) -> str:
        arn: str = call.params["RoutingControlArn"]
        if arn not in self._routing.controls:
            raise _missing("Routing control", arn)
        return arn

    def _cluster(self) -> Answer:
        cluster = self._routing.cluster
        return {
            "ClusterArn": cluster.arn,
            "ClusterEndpoints": [{"Region": region, "Endpoint": url} for region, url in cluster.endpoints.items()],
            "Name": cluster.name,
            "Status": DEPLOYED,
            "Owner": self._routing.account,
            "NetworkType": "IPV4",
        }

    def _panel(self, arn: str) -> Answer:
        return {
            "ClusterArn": self._routing.cluster.arn,
            "ControlPanelArn": arn,
            "DefaultControlPanel": False,
            "Name": self._routing.panels[arn],
            "RoutingControlCount": sum(control.panel == arn for control in self._routing.controls.values()),
            "Status": DEPLOYED,
            "Owner": self._routing.account,
        }

    def _control(self, arn: str) -> Answer:
        control = self._routing.controls[arn]
        return {
            "ControlPanelArn": control.panel,
            "Name": control.name,
            "RoutingControlArn": arn,
            "Status": DEPLOYED,
            "Owner": self._routing.account,
        }

    def _rule(self, rule: SafetyRule) -> Answer:
        config = rule.config
        controls: dict[str, Any] = {"AssertedControls": list(rule.controls)}
        if rule.gating:
            controls = {"GatingControls": list(rule.gating), "TargetControls": list(rule.controls)}
        return controls | {
            "ControlPanelArn": rule.panel,
            "Name": rule.name,
            "RuleConfig": {"Type": config.type, "Threshold": config.threshold, "Inverted": config.inverted},
            "SafetyRuleArn": rule.arn,
            "Status": DEPLOYED,
            "WaitPeriodMs": rule.wait_period_ms,
            "Owner": self._routing.account,
        }


def _page(call: Call, key: str, items: list[Any]) -> Answer:
    limit = int(call.params.get("MaxResults") or 1000)
    if not 1 <= limit <= 1000:
        raise AwsError("ValidationException", "MaxResults must be between 1 and 1000")
    part, following = page(
        items, limit, call.params.get("NextToken"), AwsError("ValidationException", "NextToken is not valid")
    )
    return paged(key, part, following)


def _missing(kind: str, arn: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{kind} {arn} does not exist", 404)
