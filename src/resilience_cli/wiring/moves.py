"""Look, decide, run, rehearse, resume: the core put to work on one app."""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, assert_never

from .. import execute, planner
from ..adapters.memory import Agrees, MemoryJournal, MemoryWorld, RehearsalClock
from ..assess import is_enough
from ..errors import Refused, Stale, UsageError
from ..execute import Author, Stage
from ..execute.verifying import CONTROL_PLANE_S
from ..journal import prior_switches
from ..model.app import App, LeverKind
from ..model.facts import Facts, Topic
from ..model.plan import Decision, GuardName, Intent, Mode, NothingToDo, Plan, Refusal, Says
from ..model.run import EffectState, Entry, Run
from ..model.runbook import Runbook, ShiftTraffic
from ..model.status import Status
from ..observe import Enough, gather
from ..planner.guards import pinned_account
from ..planner.resuming import objections
from ..ports import Operator, World
from ..survey import survey
from .journals import list_runs, newest_run, show_run, unfinished
from .kept_plans import KeptPlan
from .setup import Setup

How = Literal["typed", "yes", "digest"]


class Decided(NamedTuple):
    """A decision, the facts it was made on, and the runbook it was made with."""

    decision: Decision
    facts: Facts
    runbook: Runbook


def observe(setup: Setup, enough: Enough | None = None) -> Facts:
    """One bounded look at everything resil.yaml names."""
    prior = prior_switches(list_runs(setup))
    return gather(setup.world(), setup.app, setup.clock, prior_switches=prior, enough=enough)


def status(setup: Setup) -> Status:
    return survey(setup.app, observe(setup), unfinished(list_runs(setup)))


Waiting = Callable[[str], None]
ROUTED = frozenset({Topic.RECORDS, Topic.CHECKS, Topic.CONTROLS})


def decide(setup: Setup, intent: Intent, runbook: Path | None = None, waiting: Waiting | None = None) -> Decided:
    """Observe and plan; changes nothing.

    With ``waiting``, which is told why, an emergency that no lever could be read for looks again, for as long as the
    runbook gives its shift: a control plane that is failing may yet answer.
    """
    book = setup.runbook(intent.verb, runbook)
    end = setup.clock.monotonic() + max(step.timeout for step in book.steps if isinstance(step, ShiftTraffic))
    while True:
        decided = _decide(setup, intent, book)
        left = end - setup.clock.monotonic()
        if waiting is None or left <= 0 or not (why := _blind(decided)):
            return decided
        waiting(f"{why}; looking again, for {left:.0f} s at the most (nothing has been changed)")
        setup.clock.sleep(min(setup.pace.poll_s, left))


def _blind(decided: Decided) -> str:
    """Why an emergency is refused for no more than that where traffic goes could not be read; else nothing."""
    decision = decided.decision
    if not isinstance(decision, Refusal) or decision.mode is not Mode.EMERGENCY:
        return ""
    if {guard.name for guard in decision.guards if guard.says is Says.NO} != {GuardName.TRAJECTORY}:
        return ""
    return next((each.why for each in decided.facts.unread if each.topic in ROUTED and not each.missing), "")


def _decide(setup: Setup, intent: Intent, runbook: Runbook) -> Decided:
    """An emergency does not wait for answers that could not change its plan; what it did not wait for stays listed."""
    facts = observe(setup, _enough(setup, intent.to) if intent.mode is Mode.EMERGENCY and intent.to else None)
    return Decided(planner.plan(setup.app, runbook, intent, facts), facts, runbook)


def _enough(setup: Setup, target: str) -> Enough:
    """Route 53's control plane is not waited for long either where another lever moves the traffic."""
    start = setup.clock.monotonic()

    def enough(facts: Facts) -> bool:
        waited = setup.clock.monotonic() - start >= CONTROL_PLANE_S
        spared = (Topic.RECORDS, Topic.CHECKS) if waited and _moves_without_route53(setup.app) else ()
        return is_enough(setup.app, facts, {target}, spared)

    return enough


def _moves_without_route53(app: App) -> bool:
    return all(route.levers[:1] == (LeverKind.ROUTING_CONTROL,) for route in app.routing)


def recheck(setup: Setup, kept: KeptPlan) -> Decided:
    """Plan the same intent again, by the same runbook, on fresh facts.

    Raises Stale where another plan comes of it, or none is needed.
    """
    again = _decide(setup, kept.plan.intent, kept.runbook)
    match again.decision:
        case Plan(digest=digest) if digest == kept.plan.digest:
            return again
        case Refusal():
            return again
        case Plan(digest=digest):
            now = f"made now it would be {digest[:12]}"
        case NothingToDo(why=why):
            now = f"there is nothing to do any more ({why})"
        case _:
            assert_never(again.decision)
    raise Stale(
        f"the plan {kept.plan.digest[:12]} is stale: {now}; nothing was changed", hint="resil plan makes a new one"
    )


def run(setup: Setup, plan: Plan, facts: Facts, operator: Operator, how: How) -> Iterator[Entry]:
    """Carry out an approved plan, its evidence kept in the journal. The last entry is Closed."""
    stage = Stage(setup.app, plan, setup.world(), setup.clock, operator, setup.pace, seen=facts)
    return execute.start(stage, setup.journal, _new_run(setup, plan), _author(setup, stage.world, how, facts), facts)


def rehearse(setup: Setup, plan: Plan, facts: Facts) -> Iterator[Entry]:
    """The same run in a world of memory, starting from the facts the plan was made on. Nothing leaves the process."""
    clock = RehearsalClock(setup.clock.now())
    stage = Stage(setup.app, plan, MemoryWorld(facts), clock, Agrees(), setup.pace)
    author = Author("rehearsal", socket.gethostname(), "yes", setup.typed_at)
    return execute.start(stage, MemoryJournal(), f"{_stamp(setup)}-rehearsal", author, facts)


def resume(setup: Setup, run_id: str | None, operator: Operator, how: How = "yes") -> Iterator[Entry]:
    """Go on with a run (default the newest), with the plan its journal holds."""
    known = show_run(setup, run_id) if run_id else newest_run(setup)
    execute.require_resumable(known)
    if later := _moved_since(setup, known):
        raise UsageError(
            f"run {known.run} was overtaken: {later.run} has moved traffic since",
            hint="resil status; then make a new plan",
        )
    stage = Stage(setup.app, known.plan, setup.world(), setup.clock, operator, setup.pace)
    facts = _look_before_resuming(setup, known)
    return execute.resume(stage, setup.journal, known.run, _author(setup, stage.world, how, facts))


def _moved_since(setup: Setup, run: Run) -> Run | None:
    """A later run that changed something: what this one was planned on may look the same, and is another world."""
    return next((later for later in list_runs(setup) if later.run > run.run and later.changed), None)


def _look_before_resuming(setup: Setup, run: Run) -> Facts:
    """Fresh facts for what is left of the plan. Raises Refused where it must not be done now."""
    plan = run.plan
    emergency = plan.mode is Mode.EMERGENCY

    def enough(facts: Facts) -> bool:
        return emergency and is_enough(setup.app, facts, plan.target)

    topics = frozenset(Topic) - {Topic.ANSWERS}
    facts = gather(setup.world(), setup.app, setup.clock, topics=topics, enough=enough)
    guard = pinned_account(setup.app, facts)
    if guard.says is Says.NO:
        raise Refused(f"run {run.run} was not resumed: {guard.why}", hint=guard.cure)
    left = [
        effect
        for planned, step in zip(plan.steps, run.steps, strict=True)
        for effect, state in zip(planned.effects, step.effects, strict=True)
        if state is not EffectState.CONFIRMED
    ]
    if reasons := objections(setup.app, facts, plan.effects, left):
        raise Refused(f"run {run.run} was not resumed: {'; '.join(reasons)}", hint="resil status")
    return facts


def _new_run(setup: Setup, plan: Plan) -> str:
    return f"{_stamp(setup)}-{plan.intent.verb}-{secrets.token_hex(2)}"


def _stamp(setup: Setup) -> str:
    return setup.typed_at.strftime("%Y%m%dT%H%M%SZ")


def _author(setup: Setup, world: World, how: How, facts: Facts) -> Author:
    """Who AWS says it is, and who the machine says it is."""
    person = os.environ.get("USER") or os.environ.get("LOGNAME")
    arn = facts.caller.arn if facts.caller else None
    caller = f"{arn} ({person})" if arn and person else arn or person or "unknown"
    urls = tuple(f"{override.service} {override.url}" for override in world.overrides())
    return Author(caller, socket.gethostname(), how, setup.typed_at, urls)
