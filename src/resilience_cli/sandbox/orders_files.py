"""The config files of the reference application, made for one sandbox: the examples with its addresses and ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .application import Pace
from .orders_resources import SERVING, Routing

WEIGHTED, LATENCY = "resil.yaml", "orders-latency.yaml"


@dataclass(frozen=True)
class Addresses:
    """Where this sandbox's world is."""

    regional: Mapping[str, str]
    cluster: Mapping[str, str]
    resolver: str


def write_configs(directory: Path, routing: Routing, addresses: Addresses, pace: Pace) -> None:
    """Both shapes, with their runs kept inside the directory, looking at as much of the past as the world is quick."""
    weighted, latency = _example("resil-weighted.yaml"), _example("resil-latency.yaml")
    _route(weighted, routing, routing.endpoint_checks)
    _route(latency, routing, routing.control_checks)
    for region in SERVING:
        latency["routing"][0]["endpoints"][region]["routing_control"] = routing.controls[region]
    latency["arc"] = {
        "control_panel": routing.panel,
        "cluster": [{"region": region, "endpoint": url} for region, url in addresses.cluster.items()],
    }
    for name, config in ((WEIGHTED, weighted), (LATENCY, latency)):
        _place(config, addresses, f"state-{Path(name).stem}")
        _pace(config, pace)
        text = yaml.safe_dump(config, sort_keys=False, width=120)
        (directory / name).write_text(f"# The orders application in this sandbox.\n{text}", encoding="utf-8")


def _route(config: dict[str, Any], routing: Routing, checks: Mapping[str, str]) -> None:
    route = config["routing"][0]
    route["zone"] = routing.zone_id
    for region in SERVING:
        route["endpoints"][region]["health_check"] = checks[region]


def _place(config: dict[str, Any], addresses: Addresses, state: str) -> None:
    config["dns"] = {"resolver": addresses.resolver}
    config["state"] = {"store": "file", "path": state}
    for signal in config["signals"]:
        if signal["kind"] == "endpoint":
            signal["urls"] = {region: f"{url}/health" for region, url in addresses.regional.items()}


def _pace(config: dict[str, Any], pace: Pace) -> None:
    for signal in config["signals"]:
        if signal["kind"] == "metric":
            signal["period"] = f"{pace.alarm_s}s"
        if signal["kind"] == "canary":
            signal["max_age"] = f"{pace.canary_age_s}s"
    config["objectives"]["ttl"] = f"{pace.ttl}s"


def _example(name: str) -> dict[str, Any]:
    """An example by name: beside this module in an installed package, in the checkout's examples otherwise."""
    here = Path(__file__).resolve()
    places = (here.parent / "examples", here.parents[3] / "examples" / "orders")
    found = next(place / name for place in places if (place / name).is_file())
    config: dict[str, Any] = yaml.safe_load(found.read_text(encoding="utf-8"))
    return config
