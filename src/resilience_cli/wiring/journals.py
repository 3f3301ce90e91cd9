"""The runs an app has had, folded from their journals, and what each asks for next."""

from contextlib import suppress

from ..errors import UsageError
from ..journal import fold
from ..model.run import EXIT_CODES, Outcome, Run
from .setup import Setup


def list_runs(setup: Setup) -> list[Run]:
    """The runs whose journals can be read, oldest first. A damaged one must not keep an operator from acting."""
    found = []
    for run_id in setup.journal.runs():
        with suppress(UsageError):
            found.append(show_run(setup, run_id))
    return found


def damaged_runs(setup: Setup) -> list[str]:
    """What is wrong with each journal that can't be read, one sentence a run."""
    found = []
    for run_id in setup.journal.runs():
        try:
            show_run(setup, run_id)
        except UsageError as problem:
            found.append(f"run {run_id}: {problem.message}")
    return found


def newest_run(setup: Setup) -> Run:
    """Raises UsageError where there is none, or its journal can't be read: an older one is never taken for it."""
    ids = setup.journal.runs()
    if not ids:
        raise UsageError("there are no runs yet")
    return show_run(setup, ids[-1])


def unfinished(runs: list[Run]) -> str:
    """The newest run, if it can be resumed. Older ones are history: a later run has moved on from them."""
    return runs[-1].run if runs and runs[-1].resumable else ""


def show_run(setup: Setup, run_id: str) -> Run:
    return fold(setup.journal.entries(run_id))


def explain_exit(run: Run) -> tuple[int, str]:
    """The exit code a run's outcome owns, and the next command to type."""
    outcome = Outcome.INTERRUPTED if run.outcome is Outcome.RUNNING else run.outcome
    return EXIT_CODES[outcome], f"resil runs resume {run.run}" if run.resumable else "resil status"
