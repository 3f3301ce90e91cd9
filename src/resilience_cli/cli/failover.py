"""``resil failover``."""

import typer

from . import options as o
from .composition import session


def failover(
    ctx: typer.Context,
    to: o.To = None,
    source: o.From = None,
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
    """Move the traffic to another Region.

    Observe, plan, show, confirm, execute, verify.
    """
    from . import move
    from .consent import Agreement
    from .request import Request

    request = Request("failover", config, runbook, to, source, mode, tuple(override or ()), reason, exercise=exercise)
    return move.move(session(ctx), request, Agreement(yes, approve, dry_run), move.Report(output, detailed_exitcode))


def register(app: typer.Typer) -> None:
    app.command()(failover)
