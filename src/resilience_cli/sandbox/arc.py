"""ARC routing controls: the things themselves and the rules about changing them, shared by five endpoints.

The two APIs over it are in ``arc_config`` (control plane, us-west-2) and ``arc_cluster`` (data plane). What a rule
allows is a pure question, ``satisfied``; ``RoutingControls.change`` asks it of every rule before anything is set.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .service import AwsError

ENDPOINT_REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2")
ON, OFF = "On", "Off"


@dataclass
class Control:
    arn: str
    name: str
    panel: str
    state: str = OFF


@dataclass(frozen=True)
class RuleConfig:
    """ATLEAST ``threshold`` on, AND: all on, OR: any on; ``inverted`` negates it (API: RuleConfig)."""

    type: Literal["ATLEAST", "AND", "OR"]
    threshold: int = 1
    inverted: bool = False


@dataclass(frozen=True)
class SafetyRule:
    """An assertion rule, or a gating rule where ``gating`` is not empty.

    ``controls`` are the asserted or target controls: those whose changes the rule looks at.
    """

    arn: str
    name: str
    panel: str
    config: RuleConfig
    controls: tuple[str, ...]
    gating: tuple[str, ...] = ()
    wait_period_ms: int = 5000


@dataclass(frozen=True)
class Cluster:
    arn: str
    name: str
    endpoints: Mapping[str, str] = field(default_factory=dict)


def satisfied(rule: SafetyRule, state_of: Callable[[str], str]) -> bool:
    """Whether the rule's criterion holds: an assertion over its own controls, a gate over the gating ones."""
    over = rule.gating or rule.controls
    on = sum(state_of(arn) == ON for arn in over)
    needed = {"ATLEAST": rule.config.threshold, "AND": len(over), "OR": 1}[rule.config.type]
    return (on >= needed) is not rule.config.inverted


class RoutingControls:
    """One cluster, its control panels, routing controls and safety rules."""

    def __init__(self, now: Callable[[], float], account: str = "123456789012", cluster: str = "orders") -> None:
        self._now = now
        self.account = account
        self._prefix = f"arn:aws:route53-recovery-control::{account}"
        self.cluster = Cluster(f"{self._prefix}:cluster/{cluster}-0000-4000-8000-000000000001", cluster)
        self.panels: dict[str, str] = {}
        self.controls: dict[str, Control] = {}
        self.rules: dict[str, SafetyRule] = {}
        self._changed: dict[str, float] = {}

    def set_endpoints(self, endpoints: Mapping[str, str]) -> None:
        self.cluster = Cluster(self.cluster.arn, self.cluster.name, dict(endpoints))

    def add_panel(self, name: str) -> str:
        arn = f"{self._prefix}:controlpanel/{len(self.panels) + 1:032x}"
        self.panels[arn] = name
        return arn

    def add_control(self, panel: str, name: str, state: str = OFF) -> str:
        arn = f"{panel}/routingcontrol/{len(self.controls) + 1:016x}"
        self.controls[arn] = Control(arn, name, panel, state)
        return arn

    def add_rule(
        self,
        panel: str,
        name: str,
        config: RuleConfig,
        controls: Sequence[str],
        *,
        gating: Sequence[str] = (),
        wait_period_ms: int = 5000,
    ) -> str:
        """An assertion rule over ``controls``, or with ``gating`` a gating rule with ``controls`` as its targets."""
        arn = f"{panel}/safetyrule/{len(self.rules) + 1:016x}"
        self.rules[arn] = SafetyRule(arn, name, panel, config, tuple(controls), tuple(gating), wait_period_ms)
        return arn

    def state(self, arn: str) -> str:
        return self.control(arn).state

    def control(self, arn: str) -> Control:
        control = self.controls.get(arn)
        if control is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"Routing control {arn} does not exist",
                resourceId=arn,
                resourceType="AWS::Route53RecoveryControl::RoutingControl",
            )
        return control

    def change(self, wanted: Mapping[str, str], overridden: Sequence[str] = ()) -> None:
        """Set all the states or none. Refused by any rule that is not overridden and looks at one of the controls."""
        for arn in wanted:
            self.control(arn)
        for rule in self.rules.values():
            if rule.arn not in overridden and not set(rule.controls).isdisjoint(wanted):
                self._check(rule, wanted)
        changing = [arn for arn, state in wanted.items() if self.state(arn) != state]
        for arn in changing:
            self.controls[arn].state = wanted[arn]
            self._changed[arn] = self._now()

    def _check(self, rule: SafetyRule, wanted: Mapping[str, str]) -> None:
        """The wait period first: within it any request on the rule's controls fails (API: WaitPeriodMs)."""
        newest = max((self._changed.get(arn, float("-inf")) for arn in rule.controls), default=float("-inf"))
        if (self._now() - newest) * 1000 < rule.wait_period_ms:
            raise _refusal(
                rule,
                f"is in its wait period: no change within {rule.wait_period_ms} ms of the last one. Try again.",
            )
        after = (lambda arn: wanted.get(arn) or self.state(arn)) if not rule.gating else self.state
        if not satisfied(rule, after):
            kind = "gating" if rule.gating else "assertion"
            raise _refusal(rule, f"({kind}) would not be met by this change.")


def _refusal(rule: SafetyRule, why: str) -> AwsError:
    """A safety rule's refusal contains the rule's ARN (developer guide, "Override safety rules")."""
    return AwsError(
        "ConflictException",
        f"Safety rule {rule.name} [{rule.arn}] {why}",
        resourceId=rule.arn,
        resourceType="AWS::Route53RecoveryControl::SafetyRule",
    )
