"""The runs an app has had, folded from their journals, and what each asks for next."""

from contextlib import suppress

from ..errors import UsageError
from ..journal import fold
from ..model.run import EXIT_CODES, Outcome, Run
from .setup import Setup


def list_runs(setup: Setup) -> list[Run]:
    """Every run of the app, oldest first."""
    return [fold(entries) for run_id in setup.journal.runs() if (entries := setup.journal.entries(run_id))]


def readable_runs(setup: Setup) -> list[Run]:
    """The runs whose journals can be read. A damaged one must not keep an operator from acting; ``runs list`` tells."""
    found = []
    for run_id in setup.journal.runs():
        with suppress(UsageError):
            found.append(show_run(setup, run_id))
    return found


def unfinished(runs: list[Run]) -> str:
    """The newest run, if it can be resumed. Older ones are history: a later run has moved on from them."""
    return runs[-1].run if runs and runs[-1].resumable else ""


def show_run(setup: Setup, run_id: str) -> Run:
    return fold(setup.journal.entries(run_id))


def explain_exit(run: Run) -> tuple[int, str]:
    """The exit code a run's outcome owns, and the next command to type."""
    match run.outcome:
        case Outcome.DONE:
            return EXIT_CODES[run.outcome], "resil status"
        case Outcome.REFUSED | Outcome.STALE:
            return EXIT_CODES[run.outcome], "resil status"
        case Outcome.INCOMPLETE | Outcome.UNKNOWN | Outcome.INTERRUPTED:
            return EXIT_CODES[run.outcome], f"resil runs resume {run.run}"
        case Outcome.RUNNING:
            return EXIT_CODES[Outcome.INTERRUPTED], f"resil runs resume {run.run}"
