"""What stands for the application in a world, and how quick the world is.

A world is *told* or *moving*. Told (``ToldApplication``): small endpoints, and signals that say what a switch says,
about the past minutes too, so that a command can be tried at once. Moving (``moving.MovingApplication``): order
services with their tables behind them, and signals that are measured, so that what a drill sees has really happened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..model.traffic import Serving
from .cloudwatch import CloudWatch
from .layout import Layout
from .orders_signals import Signals
from .regional import bind
from .server import Sandbox
from .synthetics import Synthetics
from .tables import GlobalTables


@dataclass(frozen=True)
class Pace:
    """How quick a world is; the defaults are the reference application's own.

    ``ttl``: of the routed records, the aliases' included. ``alarm_s``: the period of alarms and of the metrics that
    the config looks at. ``canary_age_s``: when a canary's last run is no news any more. ``detection_s``: how long an
    endpoint fails before its health check says so; None: as soon as three probes of the sandbox's own have failed.
    """

    ttl: int = 60
    alarm_s: int = 60
    canary_age_s: int = 180
    detection_s: float | None = None


QUICK = Pace(alarm_s=10, canary_age_s=10)
"""A moving world's: nothing in it is told, so that what happens has to show in seconds."""


@dataclass(frozen=True)
class Stores:
    """What an application reports to, and where its processes write their logs."""

    layout: Layout
    cloudwatch: CloudWatch
    synthetics: Synthetics
    tables: GlobalTables
    sandbox: Sandbox
    now: Callable[[], float]
    directory: Path


class Regional(Protocol):
    """A Region's endpoint. Its port is bound before it answers."""

    region: str
    address: str

    @property
    def port(self) -> int: ...
    @property
    def url(self) -> str: ...


class Application(Protocol):
    """Made = its ports are bound; started = it answers; stopped = nothing is left, and a second stop does nothing."""

    signals: Signals

    @property
    def endpoints(self) -> Mapping[str, Regional]: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def fail(self, region: str, share: float) -> None:
        """From now on this share of the Region's requests fails, and no other fault of it is left."""
        ...

    def behave(self, region: str, serving: Serving) -> None:
        """From now on the Region's service behaves so. Raises ValueError where no service can."""
        ...


Make = Callable[[Stores], Application]


class ToldApplication:
    """Endpoints that know a share of failures, and signals that follow it."""

    def __init__(self, stores: Stores) -> None:
        self._endpoints = bind(stores.layout.addresses)
        self._now = stores.now
        self.signals = Signals(stores.layout, stores.cloudwatch, stores.synthetics, stores.tables)

    @property
    def endpoints(self) -> Mapping[str, Regional]:
        return self._endpoints

    def start(self) -> None:
        for endpoint in self._endpoints.values():
            endpoint.start()

    def stop(self) -> None:
        for endpoint in self._endpoints.values():
            endpoint.stop()

    def fail(self, region: str, share: float) -> None:
        self.signals.set_failing(region, share, self._now())
        self._endpoints[region].failing = share

    def behave(self, region: str, serving: Serving) -> None:
        raise ValueError(f"the service of {region} has its share of failures only, here, not {serving}")
