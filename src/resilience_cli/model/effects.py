"""Intended changes, in our words: a closed union. Each knows before and after, its plane and its IAM actions.

An effect carries exactly what it expects to find, so that writing it can be a compare-and-swap.
"""

from typing import Annotated, Literal

from pydantic import Field

from .base import Region, Value
from .records import CheckSwitch, RecordSet

Plane = Literal["data", "control"]


class WeightsEffect(Value):
    """Rewrite whole groups (name and type) of weighted records in one atomic batch: DELETE(before) + CREATE(after).

    ``groups`` may hold several groups of the same name (A with AAAA and HTTPS) that move together.
    """

    kind: Literal["weights"] = "weights"
    zone_id: str
    zone_name: str
    before: tuple[RecordSet, ...]
    after: tuple[RecordSet, ...]


class CheckChange(Value):
    """One health check's switches. ``version`` is the HealthCheckVersion the change was planned on."""

    id: str
    region: Region
    version: int
    before: CheckSwitch
    after: CheckSwitch


class CheckEffect(Value):
    """Force one health check unhealthy (Disabled and Inverted), or put its switches back: one write."""

    kind: Literal["health-check"] = "health-check"
    check: CheckChange


ControlState = Literal["On", "Off"]


class ControlChange(Value):
    arn: str
    region: Region
    before: ControlState
    after: ControlState


class ControlsEffect(Value):
    """Set ARC routing controls in one call of at most ten. ``avoid``: the Region being left, asked last."""

    kind: Literal["routing-control"] = "routing-control"
    controls: tuple[ControlChange, ...]
    override_rules: tuple[str, ...] = ()
    avoid: Region | None = None


Effect = Annotated[WeightsEffect | CheckEffect | ControlsEffect, Field(discriminator="kind")]


class Receipt(Value):
    """What AWS gave for an accepted write. ``change_id`` is polled until INSYNC; None: complete as it is."""

    change_id: str | None = None
    request_id: str = ""
    endpoint: str = ""


PLANE: dict[str, Plane] = {"weights": "control", "health-check": "control", "routing-control": "data"}
IAM_ACTIONS: dict[str, tuple[str, ...]] = {
    "weights": ("route53:ChangeResourceRecordSets", "route53:GetChange", "route53:ListResourceRecordSets"),
    "health-check": ("route53:UpdateHealthCheck", "route53:GetHealthCheck"),
    "routing-control": (
        "route53-recovery-cluster:UpdateRoutingControlStates",
        "route53-recovery-cluster:ListRoutingControls",
    ),
}
