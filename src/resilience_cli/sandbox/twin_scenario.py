"""(scenario, a user's app) -> the scenario with the app's Regions in its parts, or why it cannot be rehearsed. Pure.

Scenarios are written for the reference application: us-west-2 is its primary, us-east-1 its standby, us-east-2 its
observer. The app's primary, first standby and observer take these parts in faults, commands and expectations. Of the
expectations those stay that hold for any app; how often an app's own runbook and levers write is theirs.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import UsageError
from ..model.app import App, Canaries, HealthEvents, LeverKind, Replication, Route
from ..model.fault import ArcEndpointsDown, ControlPlaneDown, Fault
from ..model.records import Policy
from ..model.scenario import Command, Scenario
from .orders_resources import OBSERVER, PRIMARY, STANDBY
from .twin_layout import measured_route

GLOBAL_SERVICES = ("route53", "health", "iam", "route53-recovery-control-config", "route53-recovery-cluster")
_PART = re.compile("|".join(map(re.escape, (PRIMARY, STANDBY, OBSERVER))))
_NEEDED_SIGNALS: Mapping[str, tuple[str, type[Canaries | HealthEvents | Replication]]] = {
    "canaries": ("canary", Canaries),
    "health_plan": ("health-events", HealthEvents),
    "health_event": ("health-events", HealthEvents),
    "lag_ms": ("replication", Replication),
    "stall": ("replication", Replication),
}
_PLAYED = ("lost", "services", "switches", "edits", "commands", "holds")


def recast(scenario: Scenario, app: App) -> Scenario:
    """The scenario as the app plays it. Raises UsageError with everything it lacks for that."""
    if missing := lacks(scenario, app):
        raise UsageError(
            f"{scenario.name} cannot be rehearsed with {app.app}: {'; '.join(missing)}",
            hint="resil drill --list shows the others",
        )
    parts = {PRIMARY: app.regions.primary, STANDBY: app.regions.standby[0], OBSERVER: app.regions.observer or OBSERVER}
    data = scenario.model_dump(mode="json", by_alias=True)
    played = {name: _recast(data[name], parts) for name in _PLAYED}
    faults = [_recast(told, parts) if _moves(fault) else told for fault, told in _paired(scenario, data)]
    found = Scenario.model_validate(data | played | {"faults": faults})
    route = measured_route(app)
    update = {
        "world": found.world.model_copy(update={"shape": _shape(found, route)}),
        "edits": tuple(
            e.model_copy(update={"set_identifier": _identifier(route, e.set_identifier)}) for e in found.edits
        ),
        "commands": tuple(_command(command, app) for command in found.commands),
        "holds": found.holds.model_copy(
            update={"answers": _answers(scenario.holds.answers, app, route), "ratio_at_most": None}
        ),
    }
    return found.model_copy(update=update)


def is_split(route: Route) -> bool:
    """Whether chance decides who is answered at home: more than one Region has a weight."""
    return isinstance(route.home, dict) and sum(share > 0 for share in route.home.values()) > 1 and _is_weighted(route)


def _is_weighted(route: Route) -> bool:
    return route.policy is Policy.WEIGHTED


def lacks(scenario: Scenario, app: App) -> tuple[str, ...]:
    """What the app would need to have for this scenario, in words; empty if it can play it."""
    return tuple(_lacks(scenario, app))


def _lacks(scenario: Scenario, app: App) -> Iterator[str]:
    yield from _lacking_levers(scenario, app)
    yield from _lacking_signals(scenario, app)
    if app.regions.observer is None and _names_observer(scenario):
        yield "it is about the observer Region, and regions.observer is not set"
    for route in app.routing:
        if route.policy is Policy.FAILOVER and len(route.endpoints) > 2:
            yield f"{route.record.name} is failover records for {len(route.endpoints)} Regions; Route 53 has two"


def _lacking_levers(scenario: Scenario, app: App) -> Iterator[str]:
    route = measured_route(app)
    name, first = route.record.name, route.levers[0]
    if _needs_arc(scenario) and first is not LeverKind.ROUTING_CONTROL:
        yield f"it needs ARC routing controls, and {name}'s first lever is {first}"
    for lever in scenario.world.levers:
        if without := [each.record.name for each in app.routing if lever not in each.levers]:
            yield f"it is about the lever {lever}, which {', '.join(without)} does not have"
    if _is_about_records(scenario) and _first_lever(scenario, route) != LeverKind.WEIGHTS:
        yield f"it is about changes of weighted records, and {name}'s first lever is {first}"


def _first_lever(scenario: Scenario, route: Route) -> str:
    return (*scenario.world.levers, *route.levers)[0]


def _lacking_signals(scenario: Scenario, app: App) -> Iterator[str]:
    for key in dict.fromkeys(key for switched in scenario.switches for key in switched.wish):
        kind, spec = _NEEDED_SIGNALS.get(key, ("", None))
        if spec is not None and not any(app.signals_of(spec)):
            yield f"it needs a signal of kind {kind}"
        if key == "canaries" and not _is_idle(app):
            yield "it is about a standby that only canaries and probes judge, and the app's has traffic at home"
        if key == "evaluation_state":
            yield "it is about an alarm of the reference application"


def _is_idle(app: App) -> bool:
    """Whether the first standby has none of the traffic at home."""
    homes = [route.home for route in app.routing]
    return all(home == "failover" or (isinstance(home, dict) and home[app.regions.standby[0]] == 0) for home in homes)


def _needs_arc(scenario: Scenario) -> bool:
    arc = any(
        isinstance(f, ArcEndpointsDown) or (isinstance(f, ControlPlaneDown) and f.plane == "arc-config")
        for f in scenario.faults
    )
    return arc or scenario.world.shape == "latency" or LeverKind.ROUTING_CONTROL in scenario.world.levers


def _is_about_records(scenario: Scenario) -> bool:
    aimed = [getattr(fault, "operation", ()) for fault in scenario.faults]
    return bool(scenario.edits) or any("ChangeResourceRecordSets" in operations for operations in aimed)


def _names_observer(scenario: Scenario) -> bool:
    return OBSERVER in scenario.model_dump_json()


def _paired(scenario: Scenario, data: Mapping[str, Any]) -> Iterator[tuple[Fault, Any]]:
    return zip(scenario.faults, data["faults"], strict=True)


def _moves(fault: Fault) -> bool:
    """Whether a fault's Regions are parts. ARC's endpoints and the homes of global services stay where they are."""
    services = getattr(fault, "service", ())
    return not isinstance(fault, ArcEndpointsDown) and not (services and set(services) <= set(GLOBAL_SERVICES))


def _recast(value: Any, parts: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _PART.sub(lambda found: parts[found[0]], value)
        case dict():
            return {_recast(key, parts): _recast(inner, parts) for key, inner in value.items()}
        case list():
            return [_recast(inner, parts) for inner in value]
        case _:
            return value


def _shape(scenario: Scenario, route: Route) -> str:
    """What the physical floor is reckoned by: only changes of records have to propagate to the name servers."""
    return "weighted" if _first_lever(scenario, route) == LeverKind.WEIGHTS else "latency"


def _identifier(route: Route, named: str) -> str:
    region = named.removeprefix("orders-")
    return route.endpoints[region].set_identifier or region if region in route.endpoints else named


def _command(command: Command, app: App) -> Command:
    """With three serving Regions the one to be left has to be named; words about the reference's resources are not
    the app's, nor are counts of writes, but for none."""
    run = command.run
    if run[0] == "failover" and len(app.regions.standby) > 1 and "--from" not in run:
        run = (*run, "--from", app.regions.primary)
    says = tuple(words for words in command.says if "orders" not in words)
    return command.model_copy(update={"run": run, "says": says, "writes": 0 if command.writes == 0 else None})


def _answers(expected: Mapping[str, str], app: App, route: Route) -> dict[str, str]:
    """Whom the name server must answer in the end, near each serving Region: at home, or away from the primary.

    Nothing is expected where chance decides, or where the scenario ends in neither.
    """
    ends = expected.get(PRIMARY)
    if ends not in (PRIMARY, STANDBY) or is_split(route):
        return {}
    away = ends == STANDBY
    home = _home(app, route)
    if home is not None:
        if home != app.regions.primary:
            return {}
        return dict.fromkeys(app.regions.serving, app.regions.standby[0] if away else home)
    own = {region: region for region in app.regions.serving}
    return own | ({app.regions.primary: app.regions.standby[0]} if away else {})


def _home(app: App, route: Route) -> str | None:
    """The Region that has all of the traffic at home; None where each place has its nearest."""
    if isinstance(route.home, dict):
        with_share = [region for region, share in route.home.items() if share > 0]
        return with_share[0] if len(with_share) == 1 else None
    return app.regions.primary if route.policy is Policy.FAILOVER else None
