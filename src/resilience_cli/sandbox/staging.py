"""A scenario's world: the reference world at the scenario's pace, and the config and runbooks the commands read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..model.base import parse_duration
from ..model.scenario import Scenario, Staging
from .application import Pace
from .eyes import Look, Place
from .orders import World, build
from .orders_files import LATENCY, WEIGHTED
from .service import Call

WATCHING_PACE = 0.05
NAMES = {"weighted": "api.example.com.", "latency": "orders.example.com."}


class Staged(NamedTuple):
    """A scenario with its world, not started yet, the config its commands read, and the name its clients ask for.

    ``notes``: what is to be known of the world beforehand. ``look``: what a change of answers is seen by, where chance
    decides on each answer.
    """

    scenario: Scenario
    world: World
    config: Path
    name: str
    notes: tuple[str, ...] = ()
    look: Look | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Where clients are: in one network near each serving Region."""
        nearest = {region: subnet for subnet, region in reversed(tuple(self.world.layout.subnets.items()))}
        return tuple(Place(region, nearest[region]) for region in self.world.layout.serving)


def stage(scenario: Scenario, folder: Path, runbooks: Mapping[str, Path]) -> Staged:
    """The reference world. ``runbooks`` are the live ones, by verb: copied, with shorter watching times."""
    staging = scenario.world
    world = build(folder, propagation=0.0, moving=True, pace=pace_of(staging))
    if not staging.health_checks:
        _without_health_checks(world, NAMES[staging.shape])
    world.route53.propagation = staging.propagation
    _adapt(config_of(staging, folder), staging, runbooks)
    return Staged(scenario, world, config_of(staging, folder), NAMES[staging.shape])


def pace_of(staging: Staging) -> Pace:
    return Pace(ttl=staging.ttl, alarm_s=10, canary_age_s=10, detection_s=staging.detection)


def config_of(staging: Staging, folder: Path) -> Path:
    return folder / (LATENCY if staging.shape == "latency" else WEIGHTED)


def _without_health_checks(world: World, name: str) -> None:
    """The records of this name, as they are but for their health check."""
    zone = world.routing.zone_id
    listed = _ask(world, "ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]
    bare = [{k: v for k, v in r.items() if k != "HealthCheckId"} for r in listed if r["Name"] == name]
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in bare]
    _ask(world, "ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _ask(world: World, operation: str, **params: Any) -> dict[str, Any]:
    return world.route53.handle(Call("route53", operation, "us-east-1", "staging", params))


def _adapt(config: Path, staging: Staging, runbooks: Mapping[str, Path]) -> None:
    settings: dict[str, Any] = yaml.safe_load(config.read_text())
    route = settings["routing"][0]
    if staging.levers:
        route["levers"] = list(staging.levers)
    if not staging.health_checks:
        for endpoint in route["endpoints"].values():
            endpoint.pop("health_check", None)
    settings["runbooks"] = {verb: f"{verb}.yaml" for verb in runbooks}
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    for verb, source in runbooks.items():
        copy_runbook(source, config.parent / f"{verb}.yaml", staging)


def copy_runbook(source: Path, target: Path, staging: Staging) -> None:
    """The runbook at the drill's pace."""
    book = yaml.safe_load(source.read_text(encoding="utf-8-sig"))
    book["steps"] = [_in_time(scaled(step, WATCHING_PACE), staging.deadline) for step in book["steps"]]
    target.write_text(yaml.safe_dump(book, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _in_time(step: dict[str, Any], deadline: float | None) -> dict[str, Any]:
    return step if deadline is None else {**step, "timeout": deadline}


def scaled(step: dict[str, Any], pace: float) -> dict[str, Any]:
    """A runbook's step with its watching times scaled: how long to bake and wait, and how often to look."""
    found = dict(step)
    for key in ("for", "every", "bake"):
        if key in found:
            seconds = parse_duration(found[key])
            assert isinstance(seconds, int | float), "a runbook's times are durations"
            found[key] = seconds * pace
    if isinstance(found.get("ramp"), dict):
        found["ramp"] = scaled(found["ramp"], pace)
    if isinstance(found.get("steps"), list):
        found["steps"] = [scaled(inner, pace) for inner in found["steps"]]
    return found
