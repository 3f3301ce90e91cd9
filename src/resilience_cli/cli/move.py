"""What failover, failback, plan and apply share: decide, show, get consent, follow the run, say how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from ..errors import Interrupted, UsageError
from .composition import Session
from .consent import Agreement, Consent, agree, consent_of
from .options import Format
from .request import Request, intent_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..model.run import Entry, Run
    from ..render.text_run import Ending
    from ..wiring import Decided

REFUSED, PENDING = 3, 9


@dataclass(frozen=True)
class Report:
    """How the result is written, and whether pending changes have an exit code of their own."""

    output: Format
    detailed: bool = False


def move(session: Session, request: Request, agreement: Agreement, report: Report) -> int:
    """failover and failback, for real or as a dry run."""
    consent = None if agreement.dry_run else consent_of(session, agreement)
    setup = _open(session, request, writes=consent is not None)
    if consent is None:
        return _dry_run(session, setup, _decide(session, setup, request), report)
    decided = _decide(session, setup, request, lambda why: session.terminal.tell(f"{why}\n"))
    return _carry_out(session, setup, decided, consent, report)


def plan(session: Session, request: Request, out: Path | None, report: Report) -> int:
    """Decide and show; keep the plan where asked."""
    from ..model.plan import Plan
    from ..wiring import KeptPlan

    setup = _open(session, request, writes=False)
    decided = _decide(session, setup, request)
    if out is not None and isinstance(decided.decision, Plan):
        session.wiring.save_plan(KeptPlan(decided.decision, decided.runbook), out)
        session.terminal.tell(f"the plan is in {out}; to carry it out: resil apply {out}\n")
    elif out is not None:
        session.terminal.tell(f"there is no plan to keep: {out} was not written\n")
    return _show(session, decided, report)


def apply(session: Session, file: Path, config: Path | None, agreement: Agreement, report: Report) -> int:
    """Carry out a kept plan, after the same plan came of fresh facts."""
    consent = None if agreement.dry_run else consent_of(session, agreement)
    kept = session.wiring.load_plan(file)
    setup = session.open(config, writes=consent is not None, prefer=kept.plan.target)
    if kept.plan.app != setup.app.app:
        raise UsageError(f"{file}: is a plan for {kept.plan.app}; the config is for {setup.app.app}")
    decided = session.wiring.recheck(setup, kept)
    if consent is None:
        return _dry_run(session, setup, decided, report)
    return _carry_out(session, setup, decided, consent, report)


def resume(session: Session, setup: Any, run: Run, consent: Consent, report: Report) -> int:
    """Show how far the run came, get consent, and go on with it."""
    from ..render.formats import ending_payload
    from ..render.text_run import Ending

    terminal, wiring = session.terminal, session.wiring
    so_far = Ending(run, *wiring.explain_exit(run))
    terminal.tell(ending_payload(so_far, "text", terminal.look(terminal.stderr), setup.world().overrides()) + "\n")
    if not run.resumable:
        raise UsageError(f"run {run.run} is {run.outcome}: there is nothing to resume", hint="resil status")
    operator = agree(session, run.plan, consent, proposed=False)
    return _finish(session, setup, wiring.resume(setup, run.run, operator, consent.how), report, run)


def _open(session: Session, request: Request, *, writes: bool) -> Any:
    """The app, its credentials asked for first where traffic is to go: home is the primary, as the config says."""
    to = request.to or session.open(request.config, writes=writes).app.regions.primary
    return session.open(request.config, writes=writes, prefer=(to,))


def _decide(session: Session, setup: Any, request: Request, waiting: Callable[[str], None] | None = None) -> Decided:
    return session.wiring.decide(setup, intent_of(request, setup.app.regions.serving), request.runbook, waiting)


def _show(session: Session, decided: Decided, report: Report, rehearsed: Ending | None = None) -> int:
    """Write a decision as the payload; its exit code."""
    from ..model.plan import NothingToDo, Plan, Refusal
    from ..render.formats import decision_payload

    terminal, decision = session.terminal, decided.decision
    overrides, expires_at = decided.facts.overrides, _expiry(decided)
    look = terminal.look()
    terminal.payload(decision_payload(decision, report.output, look, overrides, rehearsed, expires_at=expires_at))
    match decision:
        case Plan():
            code = rehearsed.exit_code if rehearsed else 0
            return PENDING if report.detailed and code == 0 else code
        case Refusal():
            return REFUSED
        case NothingToDo():
            return 0
        case _:
            assert_never(decision)


def _dry_run(session: Session, setup: Any, decided: Decided, report: Report) -> int:
    """Rehearse the plan in memory and show both; a decision that is no plan is shown as it is."""
    from ..journal import fold
    from ..model.plan import Plan
    from ..render.text_run import Ending

    if not isinstance(decided.decision, Plan):
        return _show(session, decided, report)
    run = fold(list(session.wiring.rehearse(setup, decided.decision, decided.facts)))
    return _show(session, decided, report, Ending(run, session.wiring.explain_exit(run)[0]))


def _carry_out(session: Session, setup: Any, decided: Decided, consent: Consent, report: Report) -> int:
    """Show the plan, get consent, run it, and say how it ended."""
    from ..model.plan import Plan
    from ..render.expiry import too_short
    from ..render.formats import decision_payload

    plan = decided.decision
    if not isinstance(plan, Plan):
        return _show(session, decided, report)
    terminal, expires_at = session.terminal, _expiry(decided)
    look = terminal.look(terminal.stderr)
    terminal.tell(decision_payload(plan, "text", look, decided.facts.overrides, expires_at=expires_at) + "\n")
    operator = agree(session, plan, consent, proposed=plan.proposed, warning=too_short(plan, expires_at))
    return _finish(session, setup, session.wiring.run(setup, plan, decided.facts, operator, consent.how), report)


def _expiry(decided: Decided) -> datetime | None:
    return decided.facts.caller.expires_at if decided.facts.caller else None


def _finish(session: Session, setup: Any, entries: Iterator[Entry], report: Report, resumed: Run | None = None) -> int:
    """Follow the run to its end, then tell it from its journal: what is written there is what is true."""
    from ..render.formats import ending_payload
    from ..render.text_run import Ending

    terminal, wiring = session.terminal, session.wiring
    run = wiring.show_run(setup, _follow(session, entries, resumed))
    ending = Ending(run, *wiring.explain_exit(run))
    page = wiring.keep_page(setup, run.run)
    terminal.tell(f"report: {page.path}\n" if page.path else f"note: there is no report: {page.trouble}\n")
    terminal.payload(ending_payload(ending, report.output, terminal.look(), setup.world().overrides()))
    return ending.exit_code


def _follow(session: Session, entries: Iterator[Entry], resumed: Run | None) -> str:
    """Tell each entry as it comes. Returns the run's id."""
    from ..model.run import Planned
    from ..render.text_run import progress

    run_id, plan = (resumed.run, resumed.plan) if resumed else ("", None)
    try:
        for entry in entries:
            if isinstance(entry, Planned):
                run_id, plan = entry.run, entry.plan
            session.terminal.tell(progress(entry, plan) + "\n")
    except KeyboardInterrupt as interrupt:
        hint = f"resil runs resume {run_id}".rstrip()
        raise Interrupted("interrupted; the journal tells how far it came", hint=hint) from interrupt
    return run_id
