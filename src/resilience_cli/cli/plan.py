"""``resil plan`` and ``resil apply``: what was reviewed is what runs, or it refuses as stale."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import UsageError
from . import options as o
from .composition import session

Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep the plan in FILE, for `resil apply`.")]
Back = Annotated[bool, typer.Option("--failback", help="Plan the way home.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A plan kept by `resil plan --out`.")]


def plan(
    ctx: typer.Context,
    to: o.To = None,
    failback: Back = False,
    source: o.From = None,
    mode: o.Mode = "auto",
    override: o.Override = None,
    reason: o.Reason = None,
    exercise: o.Exercise = False,
    out: Out = None,
    detailed_exitcode: o.Detailed = False,
    output: o.Output = "text",
    config: o.Config = None,
    runbook: o.Runbook = None,
) -> int:
    """Show what would be done, and keep it for apply.

    --to REGION for a failover, --failback for the way home. Changes nothing.
    """
    from . import move
    from .request import Request

    if failback and to is not None:
        raise UsageError("--to and --failback exclude each other", hint="home is declared in resil.yaml")
    if failback and source is not None:
        raise UsageError("--from and --failback exclude each other", hint="everything away from home comes back")
    if not failback and to is None:
        raise UsageError("which plan?", hint="--to REGION for a failover, --failback for the way home")
    verb: Literal["failover", "failback"] = "failback" if failback else "failover"
    request = Request(verb, config, runbook, to, source, mode, tuple(override or ()), reason, exercise=exercise)
    return move.plan(session(ctx), request, out, move.Report(output, detailed_exitcode))


def apply(
    ctx: typer.Context,
    file: File,
    dry_run: o.DryRun = False,
    yes: o.Yes = False,
    approve: o.Approve = None,
    detailed_exitcode: o.Detailed = False,
    output: o.Output = "text",
    config: o.Config = None,
) -> int:
    """Carry out a plan that was kept, by the runbook it was made with.

    The same plan must come of fresh facts, or it is refused as stale.
    """
    from . import move
    from .consent import Agreement

    agreement = Agreement(yes, approve, dry_run)
    return move.apply(session(ctx), file, config, agreement, move.Report(output, detailed_exitcode))


def register(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(apply)
