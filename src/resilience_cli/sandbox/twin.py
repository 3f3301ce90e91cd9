"""The twin of a user's app: a world filled from their resil.yaml, in which their own runbooks are rehearsed.

Nothing outside this machine is in it: every endpoint, probe URL, resolver and ARC endpoint of the file is replaced by
one on loopback. Account, zones, record sets, health checks, routing controls, alarms, canaries, metrics and tables are
there under the names the file gives them; what an alarm or a metric measures is the sandbox's order services.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import yaml

from .. import routing
from ..errors import UsageError
from ..model.app import App, Canaries, Endpoints, Replication, Route
from ..model.scenario import Scenario
from .blueprint import Blueprint
from .layout import Layout
from .orders import World, build
from .orders_files import WEIGHTED, Addresses
from .orders_resources import Routing, make_alarm, make_canaries, make_tables
from .service import AwsError
from .staging import Staged, copy_runbook, pace_of
from .twin_config import RUNBOOKS, paced, placed
from .twin_layout import layout_of, measured_route, sample_alarms
from .twin_routing import make_twin_routing
from .twin_scenario import is_split, recast

ORDERS = "Orders"  # where the sandbox's order services keep what clients order


@dataclass(frozen=True)
class Own:
    """A user's own files: the app as read from resil.yaml, and a runbook for each verb."""

    app: App
    runbooks: Mapping[str, Path]


@dataclass(frozen=True)
class Twin:
    """The Blueprint of an app's twin."""

    app: App
    layout: Layout

    def populate(self, world: World) -> Routing:
        made = make_twin_routing(world, self.app)
        tables = dict.fromkeys(name for spec in self.app.signals_of(Replication) for name in spec.tables)
        make_tables(world.sandbox.moto.ask, world.tables, tuple(tables | {ORDERS: None}), self.layout.serving)
        make_canaries(world.synthetics, self.layout.canaries)
        self._make_alarms(world)
        regional = {region: endpoint.url for region, endpoint in world.endpoints.items()}
        addresses = Addresses(regional, world.arc.cluster.endpoints, world.dns)
        text = yaml.safe_dump(placed(self.app, self.layout, addresses), sort_keys=False, allow_unicode=True)
        (world.directory / WEIGHTED).write_text(text, encoding="utf-8")
        return made

    def _make_alarms(self, world: World) -> None:
        """In its own Region an alarm watches the share of failed requests, elsewhere the canary that looks there."""
        for region, name, of in sample_alarms(self.app):
            metric: tuple[str, str, Mapping[str, str]] = ("AWS/ApiGateway", "5XXError", {"ApiName": "orders"})
            limit = ("GreaterThanThreshold", 0.05)
            if region != of:
                canary = next(watcher for watcher in self.layout.watching(of) if watcher.region == region)
                metric = ("CloudWatchSynthetics", "SuccessPercent", {"CanaryName": canary.name})
                limit = ("LessThanThreshold", 90.0)
            make_alarm(world.cloudwatch, (region, name), metric, limit, world.pace.alarm_s)


def stage_twin(scenario: Scenario, own: Own, folder: Path) -> Staged:
    """The scenario with the app's Regions in its parts, and the app's twin, not started yet.

    Raises UsageError for what cannot be rehearsed.
    """
    played = recast(scenario, own.app)
    pace = pace_of(played.world)
    pace = replace(pace, ttl=max(1, min(pace.ttl, int(own.app.objectives.ttl))))
    app = paced(own.app, played.world, pace)
    twin: Blueprint = Twin(app, layout_of(app))
    try:
        world = build(folder, propagation=0.0, moving=True, pace=pace, blueprint=twin)
    except AwsError as refusal:
        raise UsageError(
            f"the twin of {app.app} could not be made: {refusal.code}: {refusal.message}",
            hint="Route 53 itself would refuse such records; check routing in resil.yaml",
        ) from refusal
    world.route53.propagation = played.world.propagation
    for verb, target in RUNBOOKS.items():
        copy_runbook(own.runbooks[verb], folder / target, played.world)
    route = measured_route(app)
    look = partial(_shares, world, route) if is_split(route) else None
    return Staged(played, world, folder / WEIGHTED, route.record.name, tuple(_notes(own, world.layout)), look)


def _shares(world: World, route: Route) -> dict[str, dict[str | None, Fraction]]:
    """What share of the answers each record has now, by place: where more than one has some, an answer tells little."""
    zones = {zone.id: world.route53.published(zone.id) for zone in world.route53.zones()}
    record, zone = route.record, world.routing.zone_id
    found: dict[str, dict[str | None, Fraction]] = {}
    for _, nearest in world.layout.locations:
        shares = routing.answer(zones, zone, record.name, record.type, world.checks.healthy, nearest)
        found[nearest[0]] = {share.path[0].set_identifier: share.fraction for share in shares}
    return found


def _notes(own: Own, layout: Layout) -> Iterator[str]:
    """What in the twin is not as in the user's files, in words."""
    app = own.app
    yield f"the twin of {app.app}, {_listed(own.runbooks)}; each address in its resil.yaml is replaced by one here"
    invented = [watcher.name for watcher in layout.canaries if watcher.name.startswith("drill-observe-")]
    configured = {endpoint.client_subnet for route in app.routing for endpoint in route.endpoints.values()}
    if subnets := [subnet for subnet in layout.subnets if subnet not in configured]:
        yield f"invented: client_subnet {', '.join(subnets)}"
    if invented:
        yield f"invented, to look from outside: canaries {', '.join(invented)}"
    if alarms := sample_alarms(app):
        yield f"{len(alarms)} sample alarm(s) on the share of failed requests stand for the app's"
    if any(app.signals_of(Endpoints)):
        yield "probes ask the sandbox's services for /health and expect 200"
    if not any(app.signals_of(Canaries)):
        yield "no canary is configured: a standby without traffic is judged by probes alone"


def _listed(runbooks: Mapping[str, Path]) -> str:
    return ", ".join(f"{verb} by {path.name}" for verb, path in runbooks.items())
