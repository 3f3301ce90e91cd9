"""A run's report, and its page beside the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ResilError, UsageError
from ..model.app import App
from ..model.run import Entry, Planned
from .journals import explain_exit
from .setup import Setup

if TYPE_CHECKING:
    from ..model.drill import DrillResult
    from ..model.report import Report


class Page(NamedTuple):
    """Where a run's page is, or why it could not be made."""

    path: Path | None
    trouble: str = ""


def report(setup: Setup, run_id: str | None = None) -> Report:
    """What can be told of a run (default the newest), be its journal cut or damaged."""
    known = run_id or _newest(setup)
    entries, trouble = setup.journal.salvage(known)
    return _build(setup.app, known, entries, trouble)


def drill_report(result: DrillResult) -> Report:
    """A drill's report: what its clients saw, and the first run that came of it, if one did."""
    assert result.app is not None, "a drill brings its app along"
    first = next(iter(result.journal), None)
    run = first.run if isinstance(first, Planned) else ""
    return _build(result.app, run, result.journal, drill=result)


def _build(app: App, run: str, entries: Sequence[Entry], trouble: str = "", drill: DrillResult | None = None) -> Report:
    from ..render.report import Source, build, clients_of

    return build(
        Source(
            run=run,
            app=app.app,
            entries=entries,
            explain=explain_exit,
            trouble=trouble,
            objectives=app.objectives,
            regions=_regions(app),
            serving=app.regions.serving,
            clients=clients_of(drill) if drill is not None else None,
        )
    )


def keep_page(setup: Setup, run_id: str) -> Page:
    """Write a run's page beside its journal. Never raises: the run has ended as it ended, page or no page."""
    from ..render.report import page

    try:
        return Page(setup.journal.keep_page(run_id, page(report(setup, run_id))))
    except ResilError as error:
        return Page(None, error.message)
    except Exception as error:  # a bug in the page must not become the outcome of the run
        return Page(None, f"the page of run {run_id} could not be made: {error!r}")


def _newest(setup: Setup) -> str:
    runs = setup.journal.runs()
    if not runs:
        raise UsageError("there are no runs yet")
    return runs[-1]


def _regions(app: App) -> Mapping[str, str]:
    """Which Region each record's set identifier stands for."""
    return {
        endpoint.set_identifier: region
        for route in app.routing
        for region, endpoint in route.endpoints.items()
        if endpoint.set_identifier is not None
    }
