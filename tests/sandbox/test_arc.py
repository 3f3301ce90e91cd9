"""The sandbox's ARC routing controls, asked directly: safety rules, the wait period, five endpoints over one truth."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_cli.sandbox.arc import ENDPOINT_REGIONS, RoutingControls, RuleConfig
from resilience_cli.sandbox.arc_cluster import ArcCluster
from resilience_cli.sandbox.arc_config import ArcConfig
from resilience_cli.sandbox.service import AwsError, Call

NOON = 1_792_238_400.0


class Arc:
    """Two controls, both on, and the Guidance's rule: at least one of them on."""

    def __init__(self, wait_period_ms: int = 0) -> None:
        self.now = NOON
        self.routing = RoutingControls(lambda: self.now)
        self.routing.set_endpoints({region: f"http://{region}" for region in ENDPOINT_REGIONS})
        self.panel = self.routing.add_panel("orders")
        self.west = self.routing.add_control(self.panel, "us-west-2", "On")
        self.east = self.routing.add_control(self.panel, "us-east-1", "On")
        self.rule = self.routing.add_rule(
            self.panel,
            "at-least-one",
            RuleConfig("ATLEAST", 1),
            [self.west, self.east],
            wait_period_ms=wait_period_ms,
        )
        self.cluster = ArcCluster(self.routing, lambda: self.now)
        self.config = ArcConfig(self.routing)

    def __call__(self, operation: str, endpoint: str = "us-east-1", **params: Any) -> dict[str, Any]:
        self.now += 0.5  # slower than the throttle
        call = Call("route53-recovery-cluster", operation, "us-east-1", "AKIA", params, endpoint)
        return self.cluster.handle(call)

    def set(self, *override: str, endpoint: str = "us-east-1", **states: str) -> None:
        entries = [{"RoutingControlArn": getattr(self, n), "RoutingControlState": s} for n, s in states.items()]
        self(
            "UpdateRoutingControlStates",
            endpoint,
            UpdateRoutingControlStateEntries=entries,
            SafetyRulesToOverride=list(override),
        )

    def states(self) -> tuple[str, str]:
        return self.routing.state(self.west), self.routing.state(self.east)


def refused(code: str) -> Any:
    return pytest.raises(AwsError, match=code)


def test_a_change_is_seen_through_every_endpoint() -> None:
    arc = Arc()
    arc.set(west="Off", endpoint="eu-west-1")
    for region in ENDPOINT_REGIONS:
        answer = arc("GetRoutingControlState", region, RoutingControlArn=arc.west)
        assert answer["RoutingControlState"] == "Off"
        assert answer["RoutingControlName"] == "us-west-2"
    (west, _) = arc("ListRoutingControls", ControlPanelArn=arc.panel)["RoutingControls"]
    assert west["ControlPanelName"] == "orders"
    assert west["RoutingControlState"] == "Off"


def test_an_assertion_rule_refuses_by_its_arn_and_changes_nothing() -> None:
    arc = Arc()
    with pytest.raises(AwsError) as error:
        arc.set(west="Off", east="Off")
    assert error.value.code == "ConflictException"
    assert arc.rule in error.value.message
    assert arc.states() == ("On", "On")


def test_several_states_change_together_or_not_at_all() -> None:
    arc = Arc()
    arc.set(west="Off")
    arc.set(west="On", east="Off")
    assert arc.states() == ("On", "Off")
    with pytest.raises(AwsError):
        arc(
            "UpdateRoutingControlStates",
            UpdateRoutingControlStateEntries=[
                {"RoutingControlArn": arc.east, "RoutingControlState": "On"},
                {"RoutingControlArn": "arn:gone", "RoutingControlState": "On"},
            ],
        )
    assert arc.states() == ("On", "Off")


def test_a_rule_can_be_overridden_by_its_arn_only() -> None:
    arc = Arc()
    with pytest.raises(AwsError) as error:
        arc.set(arc.rule + "x", west="Off", east="Off")
    assert error.value.code == "ValidationException"
    arc.set(arc.rule, west="Off", east="Off")
    assert arc.states() == ("Off", "Off")


def test_within_the_wait_period_changes_fail_and_reads_go_on() -> None:
    arc = Arc(wait_period_ms=5000)
    arc.set(west="Off")
    with pytest.raises(AwsError) as error:
        arc.set(west="On")
    assert error.value.code == "ConflictException"
    assert "wait period" in error.value.message
    assert arc.rule in error.value.message
    assert arc("GetRoutingControlState", RoutingControlArn=arc.west)["RoutingControlState"] == "Off"
    arc.now += 5
    arc.set(west="On")
    assert arc.states() == ("On", "On")


def test_setting_what_is_already_so_starts_no_wait_period() -> None:
    arc = Arc(wait_period_ms=5000)
    arc.set(west="On")
    arc.set(west="Off")
    assert arc.states() == ("Off", "On")


def test_a_gating_rule_lets_its_targets_change_only_while_its_gate_is_open() -> None:
    arc = Arc()
    gate = arc.routing.add_control(arc.panel, "gate")
    rule = arc.routing.add_rule(
        arc.panel, "gated", RuleConfig("AND"), [arc.west, arc.east], gating=[gate], wait_period_ms=0
    )
    with refused("gated"):
        arc.set(west="Off")
    arc("UpdateRoutingControlState", RoutingControlArn=gate, RoutingControlState="On")
    arc.set(west="Off")
    assert arc.states() == ("Off", "On")
    described = arc.config.handle(
        Call("route53-recovery-control-config", "DescribeSafetyRule", "us-west-2", "AKIA", {"SafetyRuleArn": rule})
    )
    assert described["GatingRule"]["GatingControls"] == [gate]


@given(
    kind=st.sampled_from(["ATLEAST", "AND", "OR"]),
    threshold=st.integers(0, 2),
    inverted=st.booleans(),
    west=st.sampled_from(["On", "Off"]),
    east=st.sampled_from(["On", "Off"]),
)
def test_a_rule_allows_exactly_what_its_words_say(
    kind: Any, threshold: int, inverted: bool, west: str, east: str
) -> None:
    arc = Arc()
    del arc.routing.rules[arc.rule]
    arc.routing.add_rule(arc.panel, "r", RuleConfig(kind, threshold, inverted), [arc.west, arc.east], wait_period_ms=0)
    on = [west, east].count("On")
    met = {"ATLEAST": on >= threshold, "AND": on == 2, "OR": on >= 1}[kind] != inverted
    if met:
        arc.set(west=west, east=east)
        assert arc.states() == (west, east)
    else:
        with refused("Safety rule r"):
            arc.set(west=west, east=east)
        assert arc.states() == ("On", "On")


def test_an_endpoint_that_is_switched_off_says_so_and_the_others_go_on() -> None:
    arc = Arc()
    arc.cluster.down = {"us-east-1", "us-west-2"}
    with pytest.raises(AwsError) as error:
        arc.set(west="Off", endpoint="us-west-2")
    assert error.value.code == "EndpointTemporarilyUnavailableException"
    arc.set(west="Off", endpoint="ap-southeast-2")
    assert arc.states() == ("Off", "On")


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "ValidationException"),
        ([{"RoutingControlArn": "x", "RoutingControlState": "Off"}] * 11, "ServiceLimitExceededException"),
        ([{"RoutingControlArn": "x", "RoutingControlState": "Off"}], "ResourceNotFoundException"),
        ([{"RoutingControlArn": "x", "RoutingControlState": "Off"}] * 2, "ValidationException"),
        ([{"RoutingControlArn": "x", "RoutingControlState": "Ajar"}], "ValidationException"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(entries: list[Any], code: str) -> None:
    with pytest.raises(AwsError) as error:
        Arc()("UpdateRoutingControlStates", UpdateRoutingControlStateEntries=entries)
    assert error.value.code == code


def test_more_than_three_changes_a_second_at_one_endpoint_are_throttled() -> None:
    arc = Arc()
    params = {"RoutingControlArn": arc.west, "RoutingControlState": "On"}
    for endpoint in ("us-east-1", "us-east-1", "us-east-1", "eu-west-1"):
        arc.cluster.handle(Call("x", "UpdateRoutingControlState", "us-east-1", "AKIA", params, endpoint))
    with pytest.raises(AwsError) as error:
        arc.cluster.handle(Call("x", "UpdateRoutingControlState", "us-east-1", "AKIA", params, "us-east-1"))
    assert error.value.code == "ThrottlingException"


def test_the_control_plane_lists_what_there_is() -> None:
    arc = Arc()

    def ask(operation: str, **params: Any) -> dict[str, Any]:
        return arc.config.handle(Call("route53-recovery-control-config", operation, "us-west-2", "AKIA", params))

    (cluster,) = ask("ListClusters")["Clusters"]
    assert len(ask("DescribeCluster", ClusterArn=cluster["ClusterArn"])["Cluster"]["ClusterEndpoints"]) == 5
    (panel,) = ask("ListControlPanels", ClusterArn=cluster["ClusterArn"])["ControlPanels"]
    assert panel["RoutingControlCount"] == 2
    controls = ask("ListRoutingControls", ControlPanelArn=arc.panel)["RoutingControls"]
    assert [control["Name"] for control in controls] == ["us-west-2", "us-east-1"]
    (rule,) = ask("ListSafetyRules", ControlPanelArn=arc.panel)["SafetyRules"]
    assert rule["ASSERTION"]["AssertedControls"] == [arc.west, arc.east]
    arc.config.health_checks = lambda arn: ["hc-1"] if arn == arc.west else []
    assert ask("ListAssociatedRoute53HealthChecks", RoutingControlArn=arc.west)["HealthCheckIds"] == ["hc-1"]
    with pytest.raises(AwsError) as error:
        ask("DescribeRoutingControl", RoutingControlArn="arn:gone")
    assert error.value.code == "ResourceNotFoundException"
