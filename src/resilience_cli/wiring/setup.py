"""What every command works with: the app, its journals, a clock and a way to its World.

The AWS SDK is imported only when the World is first asked for: ``validate``, ``schema`` and ``--help`` do without.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..adapters.journal_file import FileJournal
from ..adapters.terminal import SystemClock
from ..adapters.yaml_files import load_app, load_runbook
from ..errors import InvalidFile, Problem, UsageError
from ..execute import Pace
from ..model.app import App
from ..model.runbook import Runbook
from ..ports import Clock, World

if TYPE_CHECKING:
    from ..adapters.aws.world import AwsWorld

DEFAULT_CONFIG = Path("resil.yaml")
Verb = Literal["failover", "failback"]


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
        return runbook_path(verb, self.app, self.config_path)


def runbook_path(verb: Verb, app: App | None, config: Path | None) -> Path:
    """Where the app's runbook is: as resil.yaml names it, from its folder, else the one shipped with resil."""
    named = getattr(app.runbooks, verb) if app else None
    return config.parent / named if named and config else shipped_runbooks() / f"{verb}.yaml"


def shipped_runbooks() -> Path:
    """The folder of the live runbooks: inside an installed wheel, or at the top of a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "runbooks"
    return inside if inside.is_dir() else package.parents[1] / "runbooks"


def open_app(config: Path | None, access: Access = Access.READS, prefer: Sequence[str] = ()) -> Setup:
    """Load resil.yaml and make ready. Nothing is asked of AWS yet, and its SDK is not imported yet.

    ``prefer``: Regions whose STS is asked first, such as the one traffic is to go to; default the standbys.
    """
    clock = SystemClock()
    typed_at = clock.now()
    path = config or DEFAULT_CONFIG
    app = load_app(path)
    world: list[AwsWorld] = []

    def aws() -> World:
        if not world:
            world.append(_aws_world(app, clock, access, prefer))
        return world[0]

    return Setup(
        app, path, FileJournal(state_directory(app, path) / app.account, app.app), clock, typed_at, aws, _pace()
    )


def _aws_world(app: App, clock: Clock, access: Access, prefer: Sequence[str]) -> "AwsWorld":
    from ..adapters.aws import write_guard
    from ..adapters.aws.caller import sts_order
    from ..adapters.aws.session import Sessions
    from ..adapters.aws.world import AwsWorld

    match access:
        case Access.READS:
            write_guard.install()
        case Access.WRITES:
            pass
    return AwsWorld(Sessions(sts_regions=sts_order(app, prefer)), app, now=clock.now)


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"state.path {path}: {error}") from error


def state_directory(app: App, config: Path) -> Path:
    """Where journals live: ``state.path`` from the config's folder, else $XDG_STATE_HOME/resil, else the user's own."""
    if app.state.path is not None:
        return config.parent / _expanded(app.state.path)
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
