"""The composition root: the only place that knows core and adapters, and puts them together for each command.

The AWS SDK is imported inside the functions that need it: ``validate``, ``schema`` and ``--help`` do without.
"""

import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

from pydantic import ValidationError

from . import execute, planner
from .adapters.journal_file import FileJournal
from .adapters.memory import Agrees, MemoryJournal, MemoryWorld, RehearsalClock
from .adapters.terminal import SystemClock
from .adapters.yaml_files import load_app, load_runbook
from .errors import Stale, UsageError
from .execute import Author, Pace, Stage
from .journal import fold, prior_switches
from .model.app import App
from .model.drill import DrillEvent, DrillResult
from .model.facts import Facts
from .model.plan import Decision, Intent, NothingToDo, Plan, Refusal
from .model.run import EXIT_CODES, Entry, Outcome, Run
from .model.runbook import Runbook
from .model.status import Status
from .observe import gather
from .ports import Clock, Operator, World
from .survey import survey

if TYPE_CHECKING:
    from .adapters.aws.world import AwsWorld
    from .sandbox.calls import Entry as CallEntry

DEFAULT_CONFIG = Path("resil.yaml")
Verb = Literal["failover", "failback"]
Exports = list[tuple[str, str]]


class Access(StrEnum):
    """What a command may do to AWS. READS puts the write guard into the SDK before the first client exists."""

    READS = "reads"
    WRITES = "writes"


@dataclass(frozen=True)
class Setup:
    """What every command works with. ``typed_at`` is when the command began."""

    app: App
    config_path: Path
    journal: FileJournal
    clock: Clock
    typed_at: datetime
    world: Callable[[], World]
    pace: Pace

    def runbook(self, verb: Verb, path: Path | None = None) -> Runbook:
        """The runbook named on the command line, else in resil.yaml, else the one shipped with resil."""
        return load_runbook(path or self.runbook_path(verb))

    def runbook_path(self, verb: Verb) -> Path:
        named = getattr(self.app.runbooks, verb)
        return self.config_path.parent / named if named else shipped_runbooks() / f"{verb}.yaml"


class Decided(NamedTuple):
    """A decision and the facts it was made on."""

    decision: Decision
    facts: Facts


def shipped_runbooks() -> Path:
    """The folder of the live runbooks: inside an installed wheel, or at the top of a checkout."""
    package = Path(__file__).parent
    inside = package / "runbooks"
    return inside if inside.is_dir() else package.parents[1] / "runbooks"


def open_app(config: Path | None, access: Access = Access.READS) -> Setup:
    """Load resil.yaml and make ready. Nothing is asked of AWS yet, and its SDK is not imported yet."""
    clock = SystemClock()
    typed_at = clock.now()
    path = config or DEFAULT_CONFIG
    app = load_app(path)
    world: list[AwsWorld] = []

    def aws() -> World:
        if not world:
            world.append(_aws_world(app, clock, access))
        return world[0]

    return Setup(app, path, FileJournal(state_directory(app, path), app.app), clock, typed_at, aws, _pace())


def _aws_world(app: App, clock: Clock, access: Access) -> "AwsWorld":
    from .adapters.aws import write_guard
    from .adapters.aws.session import Sessions
    from .adapters.aws.world import AwsWorld

    match access:
        case Access.READS:
            write_guard.install()
        case Access.WRITES:
            pass
    return AwsWorld(Sessions(), app, now=clock.now)


def state_directory(app: App, config: Path) -> Path:
    """Where journals live: ``state.path`` from the config's folder, else $XDG_STATE_HOME/resil, else the user's own."""
    if app.state.path is not None:
        return config.parent / Path(app.state.path).expanduser()
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "resil"


def _pace() -> Pace:
    """``RESIL_POLL_S``: seconds between looks while waiting (default 2, which keeps well under Route 53's rate)."""
    text = os.environ.get("RESIL_POLL_S", "")
    try:
        seconds = float(text) if text else Pace().poll_s
    except ValueError:
        seconds = -1.0
    if not 0.05 <= seconds <= 60:
        raise UsageError(f"RESIL_POLL_S={text}: not a number of seconds from 0.05 to 60")
    return Pace(poll_s=seconds)


def validate(config: Path | None, runbook: Path | None = None) -> list[str]:
    """Read resil.yaml and its runbooks, offline. Returns what was read; raises InvalidFile with every problem."""
    from .errors import InvalidFile, Problem

    path = config or DEFAULT_CONFIG
    read: list[str] = []
    problems: list[Problem] = []
    books = [runbook] if runbook else []
    try:
        app = load_app(path)
        read.append(f"{path}: app {app.app}, {len(app.routing)} routed name(s), {len(app.signals)} signal(s)")
        named = [app.runbooks.failover, app.runbooks.failback]
        books += [path.parent / name for name in named if name and not runbook]
    except InvalidFile as error:
        problems += error.problems
    for book in books or [shipped_runbooks() / "failover.yaml", shipped_runbooks() / "failback.yaml"]:
        try:
            read.append(f"{book}: runbook {load_runbook(book).name}")
        except InvalidFile as error:
            problems += error.problems
    if problems:
        raise InvalidFile(tuple(problems))
    return read


def observe(setup: Setup) -> Facts:
    """One bounded look at everything resil.yaml names."""
    return gather(setup.world(), setup.app, setup.clock, prior_switches=prior_switches(_readable_runs(setup)))


def status(setup: Setup) -> Status:
    return survey(setup.app, observe(setup), _unfinished(_readable_runs(setup)))


def _unfinished(runs: list[Run]) -> str:
    """The newest run, if it can be resumed. Older ones are history: a later run has moved on from them."""
    return runs[-1].run if runs and runs[-1].resumable else ""


def decide(setup: Setup, intent: Intent, runbook: Path | None = None) -> Decided:
    """Observe and plan; changes nothing."""
    book = setup.runbook(intent.verb, runbook)
    facts = observe(setup)
    return Decided(planner.plan(setup.app, book, intent, facts), facts)


def recheck(setup: Setup, plan: Plan, runbook: Path | None = None) -> Decided:
    """Plan the same intent again on fresh facts. Raises Stale where another plan comes of it, or none is needed."""
    again = decide(setup, plan.intent, runbook)
    match again.decision:
        case Plan(digest=digest) if digest == plan.digest:
            return again
        case Refusal():
            return again
        case Plan(digest=digest):
            now = f"made now it would be {digest[:12]}"
        case NothingToDo(why=why):
            now = f"there is nothing to do any more ({why})"
        case _:
            assert_never(again.decision)
    raise Stale(f"the plan {plan.digest[:12]} is stale: {now}; nothing was changed", hint="resil plan makes a new one")


def run(setup: Setup, plan: Plan, operator: Operator, how: Literal["typed", "yes", "digest"]) -> Iterator[Entry]:
    """Carry out an approved plan. The last entry is Closed."""
    stage = Stage(setup.app, plan, setup.world(), setup.clock, operator, setup.pace)
    return execute.start(stage, setup.journal, _new_run(setup, plan), _author(setup, stage.world, how))


def rehearse(setup: Setup, plan: Plan, facts: Facts) -> Iterator[Entry]:
    """The same run in a world of memory, starting from the facts the plan was made on. Nothing leaves the process."""
    clock = RehearsalClock(setup.clock.now())
    stage = Stage(setup.app, plan, MemoryWorld(facts), clock, Agrees(), setup.pace)
    author = Author("rehearsal", socket.gethostname(), "yes", setup.typed_at)
    return execute.start(stage, MemoryJournal(), f"{_stamp(setup)}-rehearsal", author)


def resume(setup: Setup, run_id: str | None, operator: Operator) -> Iterator[Entry]:
    """Go on with a run (default the newest), with the plan its journal holds."""
    known = show_run(setup, run_id) if run_id else next(iter(reversed(list_runs(setup))), None)
    if known is None:
        raise UsageError("there is no run to resume", hint="resil runs list")
    if not known.resumable:
        raise UsageError(f"run {known.run} is {known.outcome}: there is nothing to resume", hint="resil status")
    stage = Stage(setup.app, known.plan, setup.world(), setup.clock, operator, setup.pace)
    return execute.resume(stage, setup.journal, known.run, _author(setup, stage.world, "yes"))


def _new_run(setup: Setup, plan: Plan) -> str:
    return f"{_stamp(setup)}-{plan.intent.verb}-{secrets.token_hex(2)}"


def _stamp(setup: Setup) -> str:
    return setup.typed_at.strftime("%Y%m%dT%H%M%SZ")


def _author(setup: Setup, world: World, how: Literal["typed", "yes", "digest"]) -> Author:
    caller = os.environ.get("USER") or os.environ.get("LOGNAME") or "unknown"
    urls = tuple(f"{override.service} {override.url}" for override in world.overrides())
    return Author(caller, socket.gethostname(), how, setup.typed_at, urls)


def list_runs(setup: Setup) -> list[Run]:
    """Every run of the app, oldest first."""
    return [fold(entries) for run_id in setup.journal.runs() if (entries := setup.journal.entries(run_id))]


def _readable_runs(setup: Setup) -> list[Run]:
    """The runs whose journals can be read. A damaged one must not keep an operator from acting; ``runs list`` tells."""
    found = []
    for run_id in setup.journal.runs():
        with suppress(UsageError):
            found.append(show_run(setup, run_id))
    return found


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


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan with its digest, for ``apply``."""
    text = json.dumps({"schema": 1, "digest": plan.digest, "plan": plan.model_dump(mode="json")}, indent=2)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def load_plan(path: Path) -> Plan:
    """Read a saved plan. Raises Stale where it is not the plan its digest names: it was edited by hand."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        plan = Plan.model_validate(saved["plan"])
        digest = saved["digest"]
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", hint="resil plan --out FILE makes one") from error
    except (ValueError, ValidationError, LookupError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: is not a plan of resil", hint="resil plan --out FILE makes one") from error
    if digest != plan.digest:
        raise Stale(
            f"{path}: the plan does not match its digest {digest}; it was edited", hint="make it again: resil plan"
        )
    return plan


def scenarios() -> list[str]:
    """The drills there are."""
    return list(_walk().SHAPES)


def drill(scenario: str) -> Iterator[DrillEvent | DrillResult]:
    """Rehearse in a sandbox of its own, measured. The last thing that comes is the DrillResult."""
    walk = _walk()
    if scenario not in walk.SHAPES:
        near = get_close_matches(scenario, walk.SHAPES, n=1) or sorted(walk.SHAPES)
        raise UsageError(f"there is no drill {scenario}", hint=f"did you mean {', '.join(near)}?")
    events: Iterator[DrillEvent | DrillResult] = walk.drill(scenario, sorted(shipped_runbooks().glob("*.yaml")))
    return events


def _walk() -> ModuleType:
    """The sandbox's walk. Raises UsageError where the extra it needs is not installed."""
    try:
        from .sandbox import walk
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the sandbox needs {error.name}, which is not installed", hint="pip install 'resil[sandbox]'"
        ) from error
    return walk


def sandbox_up(
    *, detach: bool, port: int, dns_port: int, propagation: float, ready: Callable[[Exports, tuple[str, ...]], None]
) -> None:
    """Start the sandbox; ``ready`` gets its exports and notes. Without ``detach`` it is served until interrupted."""
    from .sandbox import daemon

    def announce(up: daemon.Up) -> None:
        ready(daemon.exports(up.state), up.notes)

    _walk()  # the extra is there, or it is said what is missing
    options = daemon.Options(port, dns_port, propagation)
    if detach:
        announce(daemon.up(options, os.environ))
        return
    from .sandbox.orders import build

    daemon.serve(options, os.environ, build, announce, daemon.until_signal())


def sandbox_down() -> bool:
    """Stop the sandbox. False where none was running."""
    from .sandbox import daemon

    return daemon.down(os.environ)


def sandbox_calls(*, writes: bool) -> list["CallEntry"]:
    """What was asked of the running sandbox, oldest first."""
    from .sandbox import daemon

    return daemon.calls(os.environ, writes_only=writes)
