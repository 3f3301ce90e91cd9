"""Whether what is left of an earlier plan may still be done in the world as it is now. Pure."""

from collections.abc import Sequence
from typing import assert_never

from ..assess import assess
from ..model.app import App
from ..model.effects import CheckEffect, ControlsEffect, Effect, WeightsEffect
from ..model.facts import Facts
from .trajectory import breaches


def objections(app: App, facts: Facts, effects: Sequence[Effect], left: Sequence[Effect]) -> list[str]:
    """Why an earlier plan must not be gone on with in the world as it is now; none where it may.

    ``effects`` are all of the plan's, for what was done already is verified by what resil.yaml routes; ``left`` are
    those still to be done.
    """
    routed = {route.record.name for route in app.routing}
    controls = {endpoint.routing_control for route in app.routing for endpoint in route.endpoints.values()}
    strangers: set[str] = set()
    for effect in effects:
        match effect:
            case WeightsEffect():
                strangers |= {record.name for record in effect.after} - routed
            case ControlsEffect():
                strangers |= {change.arn for change in effect.controls} - controls
            case CheckEffect():
                pass
            case _:
                assert_never(effect)
    if strangers:
        return [f"resil.yaml no longer routes {', '.join(sorted(strangers))}"]
    return [breach.why for breach in breaches(app, facts, left, assess(app, facts))]
