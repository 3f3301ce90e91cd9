"""When the caller's credentials end, said where it matters: before a run that may need longer, and in ``status``.

Where less than SOON_S is left, the SDK has already tried to renew them (botocore's RefreshableCredentials does so
from 15 minutes before the end); where more is left it may still do so, for sources that it can ask again.
"""

from datetime import datetime

from ..model.plan import Plan

SHORTEST_RUN_S = 60.0
SOON_S = 15 * 60.0


def too_short(plan: Plan, expires_at: datetime | None) -> str:
    """What to say where credentials may end before the run does; "" where they don't, or it is not known when."""
    if expires_at is None:
        return ""
    left, needed = (expires_at - plan.observed_at).total_seconds(), expected_s(plan)
    if left >= needed:
        return ""
    cure = "renew them first" if left < SOON_S else "renew them first, unless they renew themselves"
    return f"{_told(left)}; the run may need {_span(needed, up=True)}: {cure}"


def ending_soon(expires_at: datetime | None, at: datetime) -> str:
    """What to say where credentials end within SOON_S; "" otherwise."""
    if expires_at is None:
        return ""
    left = (expires_at - at).total_seconds()
    return f"{_told(left)}: renew them" if left < SOON_S else ""


def expected_s(plan: Plan) -> float:
    """How long the plan's steps are expected to take. Not every step says, so that a run is never reckoned at less
    than SHORTEST_RUN_S."""
    return max(sum(step.expected_s or 0.0 for step in plan.steps if not step.skipped), SHORTEST_RUN_S)


def _told(left: float) -> str:
    return f"these credentials expire in {_span(left)}" if left > 0 else "these credentials have expired"


def _span(seconds: float, *, up: bool = False) -> str:
    """In whole minutes from two minutes on: what is left is not told longer, what is needed not shorter, than it is."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60) + (1 if up and seconds % 60 else 0)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"
