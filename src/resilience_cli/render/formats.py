"""Which renderer a ``--output`` word means. Every command's payload comes from here."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from ..model.facts import EndpointOverride
from ..model.plan import Decision
from . import Format
from .github import github
from .json_out import decision_json, dumps, run_json
from .junit import junit
from .markdown import markdown
from .screen import Look
from .text_plan import decision_screen
from .text_run import Ending, ending_screen

Overrides = Sequence[EndpointOverride]


def decision_payload(
    decision: Decision,
    form: Format,
    look: Look,
    overrides: Overrides = (),
    rehearsed: Ending | None = None,
    *,
    expires_at: datetime | None = None,
) -> str:
    """A plan, refusal or nothing-to-do; with ``rehearsed``, how its dry run ended.

    ``expires_at``: when the caller's credentials end, for a plan that may take longer.
    """
    match form:
        case "text":
            told = decision_screen(decision, look, overrides, expires_at)
            return told + ("\nREHEARSAL, nothing was changed\n" + ending_screen(rehearsed, look) if rehearsed else "")
        case "json":
            document = decision_json(decision, overrides, expires_at)
            return dumps(document | {"rehearsal": run_json(rehearsed, overrides)} if rehearsed else document)
        case "junit":
            return junit(decision, rehearsed, overrides)
        case "markdown":
            return markdown(decision, rehearsed, overrides)
        case "github":
            return github(decision, rehearsed, overrides)
        case _:
            assert_never(form)


def ending_payload(ending: Ending, form: Format, look: Look, overrides: Overrides = ()) -> str:
    """How a run ended."""
    match form:
        case "text":
            return ending_screen(ending, look, overrides)
        case "json":
            return dumps(run_json(ending, overrides))
        case "junit":
            return junit(None, ending, overrides)
        case "markdown":
            return markdown(None, ending, overrides)
        case "github":
            return github(None, ending, overrides)
        case _:
            assert_never(form)
