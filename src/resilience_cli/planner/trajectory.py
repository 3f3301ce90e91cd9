"""The path a plan takes, simulated before its first write. Pure.

The invariant, for every state after a plan's first write: somebody decides where traffic goes (never all-zero, never
all forced unhealthy), and at least one Region that is not known to be bad receives it. And the end is what was meant.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .. import simulate
from ..assess import verdict_on
from ..model.app import App, Route
from ..model.effects import Effect
from ..model.facts import Facts
from ..model.readings import Judged, Verdict


class Breach(NamedTuple):
    """Where the invariant would break. ``absolute``: all-zero and its like, which nobody may override."""

    why: str
    absolute: bool


def states(facts: Facts, effects: Sequence[Effect]) -> list[Facts]:
    """The facts after each effect, in order."""
    found = []
    for effect in effects:
        facts = simulate.apply(effect, facts)
        found.append(facts)
    return found


def breaches(app: App, facts: Facts, effects: Sequence[Effect], verdicts: Sequence[Verdict]) -> list[Breach]:
    """Every breach on the way, first things first; none for a plan that changes nothing."""
    found: list[Breach] = []
    for number, state in enumerate(states(facts, effects), 1):
        for route in app.routing:
            if simulate.zone_of(route, state) is None:
                continue
            name, nobody = route.record.name, simulate.fails_open(app, route, state)
            if nobody:
                found.append(Breach(f"after change {number}, {name}: {nobody}", True))
                continue
            regions = simulate.receiving(app, route, state) - {""}
            if all(verdict_on(verdicts, region) is Judged.IMPAIRED for region in regions):
                whom = ", ".join(sorted(regions)) or "no Region"
                found.append(Breach(f"after change {number}, {name} is answered only with {whom}, impaired", False))
    return found


def shortfalls(
    route: Route, app: App, end: Facts, source: Sequence[str], target: Sequence[str], rtypes: Sequence[str]
) -> list[str]:
    """Where the end is not what was meant: a Region left that still receives, or a target that would get nothing.

    It happens when a record's own health check overrules the lever: Route 53 passes over an unhealthy target, and
    answers with an unhealthy record that has no other beside it. ``rtypes``: the record types to look at.
    """
    found = []
    for rtype in rtypes:
        name = route.record.name if rtype == route.record.type else f"{rtype} {route.record.name}"
        receiving = simulate.receiving(app, route, end, rtype)
        still = sorted((receiving | simulate.receiving(app, route, simulate.recovered(end), rtype)) & set(source))
        nothing = sorted((set(target) & simulate.regions_named(route, end, rtype)) - receiving)
        if still:
            found.append(f"{name} would still be answered with {', '.join(still)}")
        if nothing:
            found.append(f"{name} would not be answered with {', '.join(nothing)}")
    return found
