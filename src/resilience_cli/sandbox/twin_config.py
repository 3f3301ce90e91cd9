"""A user's resil.yaml with every address in it replaced by its twin's, and its watching at the drill's pace. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, assert_never
from urllib.parse import urlsplit

from ..errors import UsageError
from ..model.app import Alarms, App, Canaries, Endpoints, Expect, HealthEvents, Metric, Replication, Route, SignalSpec
from ..model.scenario import Staging
from .application import Pace
from .arc import ENDPOINT_REGIONS
from .layout import Layout
from .orders_files import Addresses

STATE = "state"
RUNBOOKS = {"failover": "failover.yaml", "failback": "failback.yaml"}
_ADDRESS = re.compile(r"\b(?:https?|wss?)://[^\s\"']+|\barn:aws[a-z-]*:(?:sns|sqs|lambda|states|ssm|events):\S+")


def paced(app: App, staging: Staging, pace: Pace) -> App:
    """The app as the drill watches it: as much of the past as the world is quick, the scenario's levers in its own
    place. Its names, ids and shares stay as they are written."""
    signals = tuple(_paced(spec, pace) for spec in app.signals)
    routing = app.routing
    if staging.levers:
        routing = tuple(route.model_copy(update={"levers": staging.levers}) for route in app.routing)
    return App.model_validate(_plain(app.model_copy(update={"signals": signals, "routing": routing})))


def _paced(spec: SignalSpec, pace: Pace) -> SignalSpec:
    match spec:
        case Metric():
            return spec.model_copy(update={"period": float(pace.alarm_s)})
        case Canaries():
            return spec.model_copy(update={"max_age": float(pace.canary_age_s)})
        case HealthEvents() | Alarms() | Endpoints() | Replication():
            return spec
        case _:
            assert_never(spec)


def placed(app: App, layout: Layout, addresses: Addresses) -> dict[str, Any]:
    """The whole of the twin's resil.yaml, as plain data. Raises UsageError for an address that has no twin."""
    subnets: dict[str, str] = {}
    for subnet, region in layout.subnets.items():
        subnets.setdefault(region, subnet)
    update = {
        "routing": tuple(_placed_route(route, subnets) for route in app.routing),
        "signals": tuple(_placed_signal(spec, addresses.regional) for spec in app.signals),
        "dns": app.dns.model_copy(update={"resolver": addresses.resolver}),
        "state": app.state.model_copy(update={"path": STATE}),
        "runbooks": app.runbooks.model_copy(update=RUNBOOKS),
    }
    if app.arc is not None:
        update["arc"] = app.arc.model_copy(update={"cluster": tuple(_cluster(app, addresses.cluster))})
    settings = _plain(app.model_copy(update=update))
    if outside := list(_outside(settings, "")):
        raise UsageError(f"no twin of {', '.join(outside)}", hint="a drill contacts nothing but this machine")
    return settings


def _placed_route(route: Route, subnets: Mapping[str, str]) -> Route:
    endpoints = {
        region: endpoint.model_copy(update={"client_subnet": endpoint.client_subnet or subnets[region]})
        for region, endpoint in route.endpoints.items()
    }
    return route.model_copy(update={"endpoints": endpoints})


def _placed_signal(spec: SignalSpec, regional: Mapping[str, str]) -> SignalSpec:
    """A probe goes to the order service that stands for the Region, which answers as sound ones do: 200."""
    if not isinstance(spec, Endpoints):
        return spec
    urls = {region: f"{regional[region]}/health" for region in spec.urls if region in regional}
    return spec.model_copy(update={"urls": urls, "expect": Expect(within=spec.expect.within)})


def _cluster(app: App, endpoints: Mapping[str, str]) -> Iterator[dict[str, str]]:
    assert app.arc is not None, "asked only of apps with a cluster"
    for endpoint in app.arc.cluster:
        if endpoint.region not in endpoints:
            there = ", ".join(ENDPOINT_REGIONS)
            raise UsageError(f"arc.cluster names an endpoint in {endpoint.region}; ARC's clusters have them in {there}")
        yield {"region": endpoint.region, "endpoint": endpoints[endpoint.region]}


def _outside(value: object, path: str) -> Iterator[str]:
    """What in the twin's resil.yaml would still be outside this machine, and where it stands."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _outside(inner, f"{path}.{key}".lstrip("."))
        case list():
            for number, inner in enumerate(value):
                yield from _outside(inner, f"{path}[{number}]")
        case str():
            yield from (f"{found} ({path})" for found in _ADDRESS.findall(value) if not _is_here(found))
        case _:
            pass


def _is_here(address: str) -> bool:
    return (urlsplit(address).hostname or "").startswith("127.")


def _plain(app: App) -> dict[str, Any]:
    return app.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False)
