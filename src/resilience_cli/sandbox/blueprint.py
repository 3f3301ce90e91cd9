"""What a world is made of: its layout, and how it is filled. ``Reference`` is AWS's orders application.

A user's own app has a blueprint of its own: ``twin``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .layout import Layout
from .orders_files import Addresses, write_configs
from .orders_resources import (
    REFERENCE,
    Routing,
    make_alarms,
    make_canaries,
    make_health_history,
    make_routing,
    make_tables,
)

if TYPE_CHECKING:
    from .orders import World


class Blueprint(Protocol):
    """``populate`` makes the resources through the stores' own operations, and writes the config files."""

    @property
    def layout(self) -> Layout: ...
    def populate(self, world: "World") -> Routing: ...


@dataclass(frozen=True)
class Reference:
    """The orders application in both shapes. ``wait_period_ms``: the safety rule's."""

    wait_period_ms: int = 1000
    layout: Layout = REFERENCE

    def populate(self, world: "World") -> Routing:
        ttl, port = world.pace.ttl, world.endpoints[self.layout.primary].port
        routing = make_routing(world.route53.handle, world.arc, port, self.wait_period_ms, ttl)
        make_tables(world.sandbox.moto.ask, world.tables)
        make_canaries(world.synthetics, self.layout.canaries)
        make_alarms(world.cloudwatch, world.pace.alarm_s)
        make_health_history(world.health, world.now())
        regional = {region: endpoint.url for region, endpoint in world.endpoints.items()}
        addresses = Addresses(regional, world.arc.cluster.endpoints, world.dns)
        write_configs(world.directory, routing, addresses, world.pace)
        return routing
