"""``resil runs``: what was done before, its report, and going on with what was not finished."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from . import options as o
from .composition import Session, session

if TYPE_CHECKING:
    from ..model.run import Run

RunId = Annotated[str | None, typer.Argument(metavar="[RUN]", help="The run's id; the newest if left out.")]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the page to FILE (- is stdout), not beside the journal."),
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Write it as Markdown on stdout.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write it as JSON on stdout.")]


def list_(ctx: typer.Context, output: o.ScreenOutput = "text", config: o.Config = None) -> int:
    """List the app's runs, newest last."""
    from ..render.json_out import dumps, runs_json
    from ..render.text_run import Ending, runs_screen

    wiring, terminal = session(ctx).wiring, session(ctx).terminal
    setup = session(ctx).open(config, writes=False)
    runs = wiring.list_runs(setup)
    for damaged in wiring.damaged_runs(setup):
        terminal.tell(f"{damaged}\n")
    if output == "json":
        terminal.payload(dumps(runs_json(Ending(run, *wiring.explain_exit(run)) for run in runs)))
    else:
        terminal.payload(runs_screen(runs, terminal.look()))
    return 0


def show(ctx: typer.Context, run: RunId = None, output: o.Output = "text", config: o.Config = None) -> int:
    """Show one run.

    What was changed, how long it took, and what to do next.
    """
    from ..render.formats import ending_payload
    from ..render.text_run import Ending

    wiring, terminal = session(ctx).wiring, session(ctx).terminal
    found = _find(session(ctx), session(ctx).open(config, writes=False), run)
    ending = Ending(found, *wiring.explain_exit(found))
    terminal.payload(ending_payload(ending, output, terminal.look(), found.overrides))
    return 0


def resume(
    ctx: typer.Context,
    run: RunId = None,
    yes: o.Yes = False,
    approve: o.Approve = None,
    output: o.Output = "text",
    config: o.Config = None,
) -> int:
    """Go on with a run that was not finished.

    What is uncertain is settled by reading first.
    """
    from . import move
    from .consent import Agreement, consent_of

    here = session(ctx)
    consent = consent_of(here, Agreement(yes, approve))
    found = _find(here, here.open(config, writes=True), run)
    setup = here.open(config, writes=True, prefer=found.plan.target)  # where to is known only from the journal
    return move.resume(here, setup, found, consent, move.Report(output))


def report(
    ctx: typer.Context,
    run: RunId = None,
    html: Html = None,
    markdown: AsMarkdown = False,
    json: AsJson = False,
    config: o.Config = None,
) -> int:
    """Tell one run on a page: one HTML file that needs nothing else.

    Without an option the page beside the run's journal is made anew, and its path is written on stdout.
    """
    from ..render.report import page, prose, report_json

    if sum((html is not None, markdown, json)) > 1:
        raise UsageError("--html, --markdown and --json are three forms of one report: choose one")
    terminal, wiring = session(ctx).terminal, session(ctx).wiring
    setup = session(ctx).open(config, writes=False)
    told = wiring.report(setup, run)
    if markdown or json:
        terminal.payload(prose(told) if markdown else report_json(told))
    elif html is None:
        terminal.payload(f"{setup.journal.keep_page(told.run, page(told))}\n")
    elif str(html) == "-":
        terminal.payload(page(told))
    else:
        write_page(html, page(told))
        terminal.tell(f"report: {html}\n")
    return 0


def write_page(path: Path, text: str) -> None:
    """Raises UsageError where the disk refuses."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def _find(here: Session, setup: Any, run_id: str | None) -> "Run":
    return here.wiring.newest_run(setup) if run_id is None else here.wiring.show_run(setup, run_id)


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List, show, report and resume runs.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list")(list_)
    group.command()(show)
    group.command()(report)
    group.command()(resume)
    app.add_typer(group, name="runs")
