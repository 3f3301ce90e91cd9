"""``resil drill``: rehearse in the sandbox, measured."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from . import options as o
from .composition import session

NOT_HELD = 5  # incomplete: something that must hold did not

Names = Annotated[list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Which; all if left out.")]
List = Annotated[bool, typer.Option("--list", help="List the scenarios there are.")]
Repeat = Annotated[int, typer.Option(min=1, max=100, help="Run each so often, with seeds that follow one another.")]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the page of one drill to FILE as well.")
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Rehearse this resil.yaml's app, in a twin of it; RESIL_CONFIG is not read for that."
    ),
]
Book = Annotated[
    Path | None,
    typer.Option("--runbook", help="A runbook in place of the app's own: for failback if named so, else failover."),
]
Seed = Annotated[int, typer.Option(min=0, help="Equal seeds give equal faults and equal orders.")]


def drill(
    ctx: typer.Context,
    scenarios: Names = None,
    list_: List = False,
    config: Config = None,
    runbook: Book = None,
    repeat: Repeat = 1,
    seed: Seed = 0,
    html: Html = None,
    output: o.ScreenOutput = "text",
) -> int:
    """Rehearse in a sandbox, measured.

    Every command runs as an operator would run it. With --config it is your own app that is moved: a twin of it, with
    every address replaced by one on this machine, and its Regions in the parts of us-west-2 (primary), us-east-1
    (standby) and us-east-2 (observer). With --output json, one JSON object a drill, each on a line.
    """
    from . import drilling

    if list_:
        return drilling.show_scenarios(session(ctx), config)
    names = scenarios or [scenario.name for scenario in drilling.playable(session(ctx), config)]
    if html is not None and (len(names) > 1 or repeat > 1):
        raise UsageError("--html is the page of one drill: name one scenario, without --repeat")
    held = [
        drilling.run(session(ctx), name, range(seed, seed + repeat), output, html, (config, runbook)) for name in names
    ]
    return 0 if all(held) else NOT_HELD


def register(app: typer.Typer) -> None:
    app.command()(drill)
