"""(a user's app) -> who is who in its twin: an address a serving Region, client networks, canaries. Pure.

What resil.yaml does not tell is invented, and told in the drill: client networks are documentation's (RFC 5737,
RFC 3849), and where an alarm or metric looks at a Region from outside, a canary there measures for it.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..errors import UsageError
from ..model.app import Alarms, App, Canaries, Metric, Route
from .layout import Layout, Watcher

INVENTED = ("198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24", *(f"2001:db8:{n:x}::/48" for n in range(1, 200)))
MEASURED = ("A", "CNAME")  # the record types whose name clients on loopback can follow to several Regions


class SampleAlarm(NamedTuple):
    """An alarm of the twin: the Region it lives in, its name, and the serving Region it is about."""

    region: str
    name: str
    of: str


def layout_of(app: App) -> Layout:
    """The layout of the app's twin. Raises UsageError for what cannot be on one machine."""
    serving = app.regions.serving
    canaries = [*_canaries(app)]
    return Layout(
        account=app.account,
        addresses={region: f"127.0.{number}.1" for number, region in enumerate(serving, start=1)},
        subnets=_subnets(app),
        canaries=(*canaries, *_invented_canaries(app, canaries)),
        metrics=tuple(app.signals_of(Metric)),
        inside=any(route.private for route in app.routing),
    )


def measured_route(app: App) -> Route:
    """The route whose name the drill's clients ask for: the first that they can follow."""
    fitting = next((route for route in app.routing if route.record.type in MEASURED), None)
    if fitting is None:
        raise UsageError("none of the routed names has an A or CNAME record: no client of a drill could follow it")
    return fitting


def _subnets(app: App) -> dict[str, str]:
    """Client network -> Region: the configured ones, those of the measured route first, and an invented one for each
    Region without."""
    found: dict[str, str] = {}
    first = measured_route(app)
    for route in (first, *(route for route in app.routing if route is not first)):
        for region in app.regions.serving:
            subnet = route.endpoints[region].client_subnet
            if subnet is not None and found.setdefault(subnet, region) != region:
                raise UsageError(f"client_subnet {subnet} is given for {found[subnet]} and for {region}")
    for region in app.regions.serving:
        if region not in found.values():
            found[next(_free(found))] = region
    order = app.regions.serving.index
    return dict(sorted(found.items(), key=lambda item: order(item[1])))


def _free(taken: dict[str, str]) -> Iterator[str]:
    networks = [ipaddress.ip_network(subnet) for subnet in taken]
    for text in INVENTED:
        candidate = ipaddress.ip_network(text)
        if not any(candidate.version == other.version and candidate.overlaps(other) for other in networks):
            yield text


def _canaries(app: App) -> Iterator[Watcher]:
    """Those in resil.yaml that watch a serving Region; others say nothing that decides."""
    for spec in app.signals_of(Canaries):
        for canary in spec.canaries:
            of = canary.of or canary.region
            if of in app.regions.serving:
                yield Watcher(canary.region, canary.name, of)


def _invented_canaries(app: App, known: Sequence[Watcher]) -> Iterator[Watcher]:
    pairs = {(watcher.region, watcher.of) for watcher in known}
    for region, of in dict.fromkeys(_outside_looks(app)):
        if (region, of) not in pairs:
            yield Watcher(region, f"drill-observe-{of}", of)


def _outside_looks(app: App) -> Iterator[tuple[str, str]]:
    """(Region looked from, serving Region looked at) of alarms and metrics."""
    looks = [(alarm.region, alarm.of) for alarm in sample_alarms(app)]
    for metric in app.signals_of(Metric):
        looks += [(metric.seen_from or region, region) for region in metric.regions or app.regions.serving]
    return (look for look in looks if look[0] != look[1] and look[1] in app.regions.serving)


def sample_alarms(app: App) -> tuple[SampleAlarm, ...]:
    """An alarm for each name in each Region it is read in; for a prefix, one of that prefix about each Region seen."""
    found: dict[tuple[str, str], SampleAlarm] = {}
    for spec in app.signals_of(Alarms):
        for region in spec.from_ or app.regions.all:
            for wanted in spec.names:
                for alarm in _samples(app, spec, region, wanted):
                    found.setdefault((region, alarm.name), alarm)
    return tuple(found.values())


def _samples(app: App, spec: Alarms, region: str, wanted: str) -> Iterator[SampleAlarm]:
    serving = app.regions.serving
    if not wanted.endswith("*"):
        yield SampleAlarm(region, wanted, _about(app, spec, region, wanted))
        return
    for of in (region,) if region in serving else serving:
        name = f"{wanted[:-1]}{of}"
        yield SampleAlarm(region, name, _mapped(spec, name) or of)


def _about(app: App, spec: Alarms, region: str, name: str) -> str:
    """The serving Region an alarm of a whole name is about. In a Region that serves nothing, the one in its name."""
    serving = app.regions.serving
    mapped = _mapped(spec, name)
    if mapped in serving:
        return str(mapped)
    return region if region in serving else next((r for r in serving if r in name), serving[0])


def _mapped(spec: Alarms, name: str) -> str | None:
    """What ``of`` says of this name; a key that ends in ``*`` is a prefix there too."""
    return next(
        (of for key, of in spec.of.items() if name == key or (key.endswith("*") and name.startswith(key[:-1]))), None
    )
