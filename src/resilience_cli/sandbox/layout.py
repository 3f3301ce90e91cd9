"""Who is who in a world: its serving Regions with their addresses, where clients are, and who watches what.

The reference world has one layout (``orders_resources.REFERENCE``); the twin of a user's app has one made from its
resil.yaml (``twin_layout``).
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..model.app import Metric
from .authority import Location


class Watcher(NamedTuple):
    """A canary: the Region it runs in, its name, and the serving Region it watches."""

    region: str
    name: str
    of: str


@dataclass(frozen=True)
class Layout:
    """``addresses``: of the Regional endpoints, by serving Region, the primary first. ``subnets``: client networks,
    each with the serving Region it is nearest to. ``external``: names outside the zones, with the Region each leads to.

    ``metrics``: published besides those of the order services themselves; see ``echo``. ``inside``: the name server
    answers as the VPC's resolver does, so for private zones too.
    """

    account: str
    addresses: Mapping[str, str]
    subnets: Mapping[str, str]
    canaries: tuple[Watcher, ...]
    external: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    inside: bool = False

    @property
    def serving(self) -> tuple[str, ...]:
        return tuple(self.addresses)

    @property
    def primary(self) -> str:
        return self.serving[0]

    @property
    def locations(self) -> tuple[Location, ...]:
        """The name server's: from each client network its own Region is nearest, then the others as they stand."""
        return tuple(
            (ipaddress.ip_network(subnet), (region, *(other for other in self.serving if other != region)))
            for subnet, region in self.subnets.items()
        )

    def watching(self, region: str) -> tuple[Watcher, ...]:
        """The canaries that look at a serving Region."""
        return tuple(canary for canary in self.canaries if canary.of == region)
