"""Route 53's nouns: hosted zones, record sets and health checks, as the API gives them.

A record set keeps *every* field of the API's ``ResourceRecordSet``: those resil reads have a name here, the
others travel in ``rest`` untouched, so that a rewritten record differs in nothing but what was meant.
Names are absolute and lower-case with the final dot, as Route 53 returns them.
"""

from enum import StrEnum
from typing import Literal

from .base import Region, Value


class Policy(StrEnum):
    """A routing policy (developer guide, "Choosing a routing policy"). OTHER: one that resil does not move."""

    SIMPLE = "simple"
    WEIGHTED = "weighted"
    LATENCY = "latency"
    FAILOVER = "failover"
    OTHER = "other"


class Health(StrEnum):
    """What a health check says; UNKNOWN where it could not be read. Never guess."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class AliasTarget(Value):
    zone_id: str
    dns_name: str
    evaluate_target_health: bool


class RecordSet(Value):
    """One ``ResourceRecordSet``. ``rest``: canonical JSON of the API fields that have no name here ("" = none)."""

    name: str
    type: str
    set_identifier: str | None = None
    weight: int | None = None
    region: Region | None = None
    failover: Literal["PRIMARY", "SECONDARY"] | None = None
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: AliasTarget | None = None
    health_check_id: str | None = None
    rest: str = ""

    @property
    def policy(self) -> Policy:
        """Which policy this record set belongs to, read off the fields it carries."""
        if self.weight is not None:
            return Policy.WEIGHTED
        if self.region is not None:
            return Policy.LATENCY
        if self.failover is not None:
            return Policy.FAILOVER
        return Policy.OTHER if self.set_identifier is not None else Policy.SIMPLE


class CheckSwitch(Value):
    """The two switches of a health check. Disabled reads as healthy; Disabled *and* Inverted as unhealthy for good."""

    disabled: bool = False
    inverted: bool = False


FORCED_UNHEALTHY = CheckSwitch(disabled=True, inverted=True)


class HealthCheck(Value):
    """A Route 53 health check: its configuration as far as resil reads it, and its health as last observed."""

    id: str
    version: int
    type: str
    switch: CheckSwitch = CheckSwitch()
    routing_control_arn: str | None = None
    children: tuple[str, ...] = ()
    threshold: int | None = None
    health: Health = Health.UNKNOWN


class Zone(Value):
    """A hosted zone. Two zones of one name (public and private) are told apart by ``id``."""

    id: str
    name: str
    private: bool = False
    name_servers: tuple[str, ...] = ()


def fqdn(name: str) -> str:
    """``API.example.com`` -> ``api.example.com.``"""
    return name.lower().rstrip(".") + "."
