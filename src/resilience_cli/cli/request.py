"""What was asked for in words -> an Intent; words that do not serve are told with the nearest ones that do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import UsageError
from .options import ModeWord

if TYPE_CHECKING:
    from ..model.plan import Intent, Override


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line, before anything was read."""

    verb: Literal["failover", "failback"]
    config: Path | None
    runbook: Path | None
    to: str | None = None
    source: str | None = None
    mode: ModeWord = "auto"
    overrides: Sequence[str] = ()
    reason: str | None = None
    exercise: bool = False


def intent_of(request: Request, serving: Sequence[str]) -> Intent:
    from ..model.plan import Intent, Mode

    if request.verb == "failover" and request.to is None:
        raise UsageError("failover needs --to REGION", hint=f"the serving Regions are {', '.join(serving)}")
    for option, region in (("--to", request.to), ("--from", request.source)):
        if region is not None and region not in serving:
            near = get_close_matches(region, serving, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"{option} {region}: not a serving Region of this app", hint=f"{hint}they are {', '.join(serving)}"
            )
    if request.to is not None and request.to == request.source:
        raise UsageError(f"--to and --from both name {request.to}")
    return Intent(
        verb=request.verb,
        to=request.to,
        source=request.source,
        mode=Mode(request.mode),
        overrides=_overrides(request),
        exercise=request.exercise,
    )


def _overrides(request: Request) -> tuple[Override, ...]:
    """``GUARD`` or ``GUARD=SUBJECT``, each with the reason. A guard is overridden by its name or not at all."""
    from ..model.plan import GuardName, Override

    reason = (request.reason or "").strip()
    if request.overrides and not reason:
        raise UsageError("--override needs --reason TEXT", hint="the reason goes into the journal")
    if reason and not request.overrides:
        raise UsageError("--reason goes with --override GUARD")
    known = [guard.value for guard in GuardName]
    found = []
    for text in request.overrides:
        name, _, subject = text.partition("=")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"{name} is not a guard", hint=f"{hint}they are {', '.join(known)}")
        found.append(Override(guard=GuardName(name), reason=reason, subject=subject))
    return tuple(found)
