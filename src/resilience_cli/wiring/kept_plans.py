"""Plans kept in files: what was reviewed is what runs."""

import json
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from ..errors import Stale, UsageError
from ..model.plan import Plan
from ..model.runbook import Runbook


class KeptPlan(NamedTuple):
    """A plan with the runbook it was made with."""

    plan: Plan
    runbook: Runbook


def save_plan(kept: KeptPlan, path: Path) -> None:
    """Write the plan with its digest and its runbook, for ``apply``."""
    plan, runbook = (value.model_dump(mode="json", by_alias=True) for value in kept)
    text = json.dumps({"schema": 1, "digest": kept.plan.digest, "plan": plan, "runbook": runbook}, indent=2)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def load_plan(path: Path) -> KeptPlan:
    """Read a kept plan. Raises Stale where it is not the plan its digest names: it was edited by hand."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        kept = KeptPlan(Plan.model_validate(saved["plan"]), Runbook.model_validate(saved["runbook"]))
        digest = saved["digest"]
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", hint="resil plan --out FILE makes one") from error
    except (ValueError, ValidationError, LookupError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: is not a plan of resil", hint="resil plan --out FILE makes one") from error
    if digest != kept.plan.digest:
        raise Stale(
            f"{path}: the plan does not match its digest {digest}; it was edited", hint="make it again: resil plan"
        )
    return kept
