"""Who agrees to a plan: a person who types the app's name, ``--yes``, or ``--approve`` with the plan's digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Stale, UsageError
from .composition import How, Session

if TYPE_CHECKING:
    from ..model.plan import Plan
    from ..ports import Operator


@dataclass(frozen=True)
class Agreement:
    """The flags that agree beforehand, as given."""

    yes: bool = False
    approve: str | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Consent:
    """How the plan will be agreed to."""

    how: How
    digest: str | None = None


def consent_of(session: Session, agreement: Agreement) -> Consent:
    """Said before anything is read: without a terminal, agreement must come along."""
    if agreement.yes and agreement.approve is not None:
        raise UsageError("--yes and --approve exclude each other", hint="--approve agrees to one plan, --yes to any")
    if agreement.approve is not None:
        _check_digest(agreement.approve)
        return Consent("digest", agreement.approve)
    if agreement.yes:
        return Consent("yes")
    if not session.terminal.is_interactive:
        raise UsageError(
            "there is no terminal to ask on",
            hint="agree beforehand: --yes, or --approve DIGEST for exactly one plan (--dry-run shows its digest)",
        )
    return Consent("typed")


def _check_digest(text: str) -> None:
    from ..adapters.terminal import SHORTEST_DIGEST

    if len(text) < SHORTEST_DIGEST or set(text.lower()) - set("0123456789abcdef"):
        raise UsageError(f"{text} is no digest", hint=f"a plan shows its own: {SHORTEST_DIGEST} or more hex digits")


def agree(session: Session, plan: Plan, consent: Consent, *, proposed: bool, warning: str = "") -> Operator:
    """The operator who agreed to this plan. Raises where nobody did.

    ``proposed``: an emergency nobody asked for by its name; then ``--yes``, which agrees to anything, is not enough.
    ``warning``: what a person should know before they type.
    """
    from ..adapters.terminal import Preapproved, TerminalOperator, is_digest_of

    if consent.how == "digest":
        if not is_digest_of(plan, consent.digest or ""):
            raise Stale(
                f"the plan has the digest {plan.digest}, not the one that was approved: nothing was changed",
                hint="read the plan above; to agree to it, approve its digest",
            )
        return Preapproved(consent.digest)
    if consent.how == "yes":
        if proposed:
            raise UsageError(
                "this is an emergency that resil proposes: --yes alone does not agree to it, nothing was changed",
                hint="name it, --mode emergency; or approve its digest; or agree on a terminal",
            )
        return Preapproved()
    operator = TerminalOperator(session.terminal.stderr, session.terminal.stdin)
    preface = f"Note: {warning}.\n" if warning else ""
    if not operator.approves(plan, f"{preface}This will change where traffic goes."):
        raise UsageError("not agreed: nothing was changed")
    return operator
