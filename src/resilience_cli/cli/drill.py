"""``resil drill``: rehearse in the sandbox, measured."""

from typing import Annotated

import typer

from . import options as o
from .composition import session

NOT_PASSED = 1

Scenarios = Annotated[list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Which; all if left out.")]


def drill(ctx: typer.Context, scenarios: Scenarios = None, output: o.ScreenOutput = "text") -> int:
    """Rehearse in a sandbox, measured.

    Every command runs as an operator would run it. With --output json, one JSON object a scenario, each on a line.
    """
    from ..model.drill import DrillResult
    from ..render.json_out import drill_line
    from ..render.text_drill import drill_event, drill_screen

    wiring, terminal = session(ctx).wiring, session(ctx).terminal
    passed = True
    for scenario in scenarios or wiring.scenarios():
        for event in wiring.drill(scenario):
            if not isinstance(event, DrillResult):
                terminal.tell(drill_event(event) + "\n")
                continue
            terminal.payload(drill_line(event) if output == "json" else drill_screen(event, terminal.look()))
            passed = passed and event.passed
    return 0 if passed else NOT_PASSED


def register(app: typer.Typer) -> None:
    app.command()(drill)
