"""The reference world: AWS's orders application, whole, in a sandbox: its AWS, DNS, Regional endpoints and signals.

``build`` makes it with every port bound, ``World.start`` lets it run. ``impair`` and ``recover`` are the switches:
they turn a Region's endpoint, canaries, error metrics and so its alarms and health check bad, and good again. In a
moving world they turn the order service only; the rest shows it as soon as it has been measured.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import dns.edns
import dns.message
import dns.rdatatype

from ..model.records import Zone
from .application import QUICK, Make, Pace, Stores, ToldApplication
from .arc import ENDPOINT_REGIONS, RoutingControls
from .arc_cluster import ArcCluster
from .arc_config import ArcConfig
from .authority import Authority
from .blueprint import Blueprint, Reference
from .cloudwatch import CloudWatch
from .faults import Faults
from .health import Health
from .health_checks import AlarmState, HealthChecks
from .layout import Layout
from .moving import MovingApplication
from .nameserver import NameServer
from .orders_control import Parts, Switches
from .orders_files import WEIGHTED
from .orders_resources import CALLER, DYNAMODB
from .replication import Replication
from .replication_copies import Copies
from .replication_courier import Courier
from .replication_ledger import Clock
from .route53 import Route53
from .server import Sandbox
from .service import Service
from .sts import Sts
from .synthetics import Synthetics
from .tables import GlobalTables

PULSE_S = 1.0
INTERVAL, TIMEOUT, PROBE_MIN_S = 0.25, 1.0, 0.25  # a sound endpoint on a busy machine needs some time to answer


def build(
    directory: Path,
    port: int = 0,
    dns_port: int = 0,
    propagation: float = 1.0,
    *,
    wait_period_ms: int = 1000,
    moving: bool = False,
    pace: Pace | None = None,
    clock: Callable[[], float] = time.time,
    blueprint: Blueprint | None = None,
) -> "World":
    """The world with its ports bound and its config files written into ``directory``.

    ``propagation``: seconds until a Route 53 change is INSYNC. ``wait_period_ms``: the safety rule's; the Guidance
    has 5000, shorter here so that a drill need not wait for it. ``moving``: with order services and canaries that
    really run instead of an application whose signals are told; see ``application``. ``blueprint``: another
    application than the reference.
    """
    directory.mkdir(parents=True, exist_ok=True)
    pace = pace or (QUICK if moving else Pace())
    with ExitStack() as undo:
        make: Make = MovingApplication if moving else ToldApplication
        blueprint = blueprint or Reference(wait_period_ms)
        world = World(undo, (port, dns_port), clock, Stage(directory, pace, make, blueprint.layout))
        world.populate(blueprint)
        world.route53.propagation = propagation
        undo.pop_all()
        return world


class Stage(NamedTuple):
    """Where a world lives, how quick it is, what stands for the application in it, and who is who."""

    directory: Path
    pace: Pace
    make: Make
    layout: Layout


class World:
    """The stores, servers and threads of the reference application. One process holds one at a time."""

    def __init__(self, undo: ExitStack, ports: tuple[int, int], clock: Callable[[], float], stage: Stage) -> None:
        self.now, self.directory, self.pace, self.layout = clock, stage.directory, stage.pace, stage.layout
        account = self.layout.account
        self._stopping = threading.Event()
        self.faults = Faults()
        self.cloudwatch = CloudWatch(self.faults.clock(clock, "cloudwatch"), account)
        self.synthetics = Synthetics(self.faults.clock(clock, "synthetics"), account)
        self.health = Health(self.faults.clock(clock, "health"))
        self.arc = RoutingControls(clock, account)
        self.arc_cluster = ArcCluster(self.arc, clock)
        self.route53 = Route53(clock, 0.0)
        self.tables = GlobalTables(self.cloudwatch.metrics, lambda call: self.sandbox.moto.ask(call, DYNAMODB))
        self.sandbox = self._sandbox(ports[0], clock)
        undo.callback(self.sandbox.stop)
        clocks = Clock(clock)
        self.replication = Replication(self.tables, Copies(clocks), self.cloudwatch.metrics, clocks)
        self.sandbox.moto.settled = self.replication.collect
        self.sandbox.pages["/_resil/ledger"] = self._ledger
        self.courier = Courier(self.replication, self.sandbox.lock)
        self.arc.set_endpoints({region: self.sandbox.serve_endpoint(region) for region in ENDPOINT_REGIONS})
        stores = Stores(
            self.layout, self.cloudwatch, self.synthetics, self.tables, self.sandbox, clock, stage.directory
        )
        self.application = stage.make(stores)
        undo.callback(self.application.stop)
        self.endpoints, self.signals = self.application.endpoints, self.application.signals
        self.checks = self._checks()
        self.authority = self._authority()
        self.nameserver = NameServer(self.authority, port=ports[1], faults=self.faults)
        undo.callback(self.nameserver.stop)
        self._switches = Switches(
            Parts(
                self.cloudwatch,
                self.health,
                self.tables,
                self.arc_cluster,
                self.signals,
                self.replication,
                self.faults,
                self.layout.serving,
                self.impair,
                self.application.behave,
                self.now,
            )
        )
        self._pulse = threading.Thread(target=self._beat, name="orders-pulse", daemon=True)

    def _sandbox(self, port: int, clock: Callable[[], float]) -> Sandbox:
        config = ArcConfig(self.arc, self._checks_of)
        services: list[Service] = [
            self.route53,
            self.cloudwatch,
            self.health,
            self.synthetics,
            config,
            self.arc_cluster,
            self.tables,
            Sts(self.layout.account),
        ]
        return Sandbox(services, port=port, control=self.control, clock=clock, faults=self.faults)

    def _authority(self) -> Authority:
        return Authority(
            zones=self._answered_zones,
            published=self.route53.published,
            healthy=self.checks.healthy,
            external={name: [self.layout.addresses[region]] for name, region in self.layout.external.items()},
            locations=self.layout.locations,
            nearest=self.layout.serving,
            alias_ttl=self.pace.ttl,
        )

    def _answered_zones(self) -> tuple[Zone, ...]:
        """The zones the name server answers for: inside a VPC its resolver answers for private ones as for public."""
        zones = self.route53.zones()
        return tuple(z.model_copy(update={"private": False}) for z in zones) if self.layout.inside else zones

    def _checks(self) -> HealthChecks:
        """Three probes in a row decide (``orders_resources``): where a time is set for it, each has a third of that."""
        each = (self.pace.detection_s or 3 * INTERVAL) / 3
        return HealthChecks(
            self.route53.health_checks,
            metric_state=self._metric_state,
            control_on=self._control_on,
            interval=each,
            timeout=TIMEOUT if self.pace.detection_s is None else max(each, PROBE_MIN_S),
        )

    def populate(self, blueprint: Blueprint) -> None:
        """Make the application's resources and history, and write its config files."""
        self.routing = blueprint.populate(self)
        self.route53.checks.health_of = self.checks.healthy
        self.route53.checks.words_of = self.checks.observation
        self.route53.resolve = self._resolve
        self.signals.seed(self.now())

    @property
    def dns(self) -> str:
        return f"{self.nameserver.host}:{self.nameserver.port}"

    def exports(self) -> dict[str, str]:
        """What a shell needs in its environment to use this world as its AWS."""
        return {
            "AWS_ENDPOINT_URL": self.sandbox.url,
            "AWS_ACCESS_KEY_ID": CALLER,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": self.layout.primary,
            "RESIL_CONFIG": str((self.directory / WEIGHTED).resolve()),
            "RESIL_DNS": self.dns,
        }

    def start(self) -> None:
        """The application last but for those who look at it: it asks AWS, and is not to be found bad for being late."""
        self.nameserver.start()
        self.courier.start()
        self.sandbox.start()
        self.application.start()
        self.checks.start()
        self._pulse.start()

    def stop(self) -> None:
        """Ends every thread and closes every port; a second call does nothing."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._pulse.is_alive():
            self._pulse.join()
        self.application.stop()
        self.courier.stop()
        self.sandbox.stop()
        self.nameserver.stop()
        self.checks.stop()

    def impair(self, region: str, share: float = 1.0) -> None:
        """From now on this share of the Region's requests fails, and everything that observes it shows that."""
        with self.sandbox.lock:
            self.application.fail(region, share)

    def recover(self, region: str) -> None:
        self.impair(region, 0.0)

    def control(self, wish: dict[str, Any]) -> dict[str, Any]:
        """The switches over HTTP: see ``orders_control.Switches``."""
        with self.sandbox.lock:
            return self._switches.turn(wish)

    def _ledger(self, query: Mapping[str, str]) -> dict[str, Any]:
        """``GET /_resil/ledger?table=Orders``: what ``model.ledger.Ledger`` reads."""
        with self.sandbox.lock:
            extract = self.replication.extract(query.get("table"))
        return extract.as_json()

    def _beat(self) -> None:
        while not self._stopping.wait(PULSE_S):
            with self.sandbox.lock:
                self.signals.pulse(self.now())

    def _metric_state(self, region: str, name: str) -> AlarmState:
        with self.sandbox.lock:
            return self.cloudwatch.alarms.metric_state(region, name) or "INSUFFICIENT_DATA"

    def _control_on(self, arn: str) -> bool:
        control = self.arc.controls.get(arn)
        return control is not None and control.state == "On"

    def _checks_of(self, arn: str) -> list[str]:
        configs = self.route53.health_checks()
        return sorted(check for check, config in configs.items() if config.get("RoutingControlArn") == arn)

    def _resolve(self, zone_id: str, name: str, rtype: str, asker: str | None) -> tuple[str, ...]:
        """TestDNSAnswer's answer: what the name server says to that asker. Public zones of one name are one here."""
        del zone_id
        query = dns.message.make_query(name, rtype)
        if asker is not None:
            query.use_edns(0, options=[dns.edns.ECSOption(asker)])
        wanted = dns.rdatatype.from_text(rtype)
        answers = self.authority.respond(query).answer
        return tuple(value.to_text() for found in answers if found.rdtype == wanted for value in found)
