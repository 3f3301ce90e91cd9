"""``resil failback``."""

import typer

from . import options as o
from .composition import session


def failback(
    ctx: typer.Context,
    mode: o.Mode = "auto",
    override: o.Override = None,
    reason: o.Reason = None,
    exercise: o.Exercise = False,
    dry_run: o.DryRun = False,
    yes: o.Yes = False,
    approve: o.Approve = None,
    detailed_exitcode: o.Detailed = False,
    output: o.Output = "text",
    config: o.Config = None,
    runbook: o.Runbook = None,
) -> int:
    """Take the traffic home, as resil.yaml declares it.

    Every lever found away from home is put back, in steps where the lever allows it.
    """
    from . import move
    from .consent import Agreement
    from .request import Request

    request = Request("failback", config, runbook, None, None, mode, tuple(override or ()), reason, exercise=exercise)
    return move.move(session(ctx), request, Agreement(yes, approve, dry_run), move.Report(output, detailed_exitcode))


def register(app: typer.Typer) -> None:
    app.command()(failback)
