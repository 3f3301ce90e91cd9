"""The application that really runs: an order service a Region, and canaries that ask it.

Its past, until the world starts, is told as good; from there on every metric and canary run is measured.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from ..model.traffic import Serving
from .application import Regional, Stores
from .canary_probes import Books, Canary, CanaryProbes
from .echo import Echo
from .layout import Watcher
from .orders_signals import HISTORY_S, Signals
from .regional import on_one_port
from .regional_service import RegionalService


class MeasuredSignals(Signals):
    """Tells the past once, and no more after that. ``failing`` is what the services were told to do."""

    def __init__(self, stores: Stores, break_canaries: Callable[[bool], None]) -> None:
        super().__init__(stores.layout, stores.cloudwatch, stores.synthetics, stores.tables)
        self._break = break_canaries
        self._echo = Echo(stores.layout, stores.cloudwatch.metrics)

    def seed(self, now: float) -> None:
        super().seed(now)
        self._echo.tell(now - HISTORY_S, now)

    def pulse(self, now: float) -> None:
        """Services and canaries publish by themselves; what a user's own metrics say is an echo of that."""
        self._echo.pulse(now)

    def set_failing(self, region: str, share: float, now: float) -> None:
        self.failing[region] = share

    def set_canaries(self, mode: str, now: float) -> None:
        self.canaries = mode
        self._break(mode == "broken")
        self._set_running(mode != "stop")


class MovingApplication:
    """The Application."""

    def __init__(self, stores: Stores) -> None:
        self._now, self._sandbox = stores.now, stores.sandbox
        self._services = on_one_port(
            stores.layout.addresses,
            lambda region, address, port: RegionalService(region, address, port, stores.sandbox.url, stores.directory),
        )
        books = Books(stores.synthetics, stores.cloudwatch.metrics, stores.sandbox.lock, stores.now)
        canaries = [self._canary(watcher) for watcher in stores.layout.canaries]
        self._probes = CanaryProbes(canaries, books, self._is_cut_off)
        self.signals: Signals = MeasuredSignals(stores, self._break)
        self._turning = threading.Lock()

    @property
    def endpoints(self) -> Mapping[str, Regional]:
        return self._services

    @property
    def services(self) -> Mapping[str, RegionalService]:
        return self._services

    def start(self) -> None:
        """Both processes at once, as each takes a while. What fails to start leaves none of them."""
        with ExitStack() as undo:
            for service in self._services.values():
                undo.callback(service.stop)
                service.start()
            for service in self._services.values():
                service.await_ready()
            undo.pop_all()
        self._probes.start()

    def stop(self) -> None:
        self._probes.stop()
        for service in self._services.values():
            service.stop()

    def fail(self, region: str, share: float) -> None:
        self.behave(region, Serving(failing=share))

    def behave(self, region: str, serving: Serving) -> None:
        with self._turning:
            self._services[region].behave(serving)
            self.signals.set_failing(region, serving.failing, self._now())

    def _canary(self, watcher: Watcher) -> Canary:
        service = self._services[watcher.of]
        return Canary(watcher.name, watcher.region, watcher.of, service.address, service.port)

    def _is_cut_off(self, region: str) -> bool:
        """The observer serves nothing, and so is not cut off by what a service does."""
        service = self._services.get(region)
        return service is not None and service.serving.is_cut_off

    def _break(self, broken: bool) -> None:
        self._probes.broken = broken
