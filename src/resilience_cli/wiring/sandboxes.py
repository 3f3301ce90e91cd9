"""The sandbox and its drills, behind the optional extra they need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from ..adapters.yaml_files import load_app, load_runbook, load_scenario
from ..errors import UsageError
from .setup import Verb, runbook_path

if TYPE_CHECKING:
    from ..model.drill import DrillEvent, DrillResult
    from ..model.scenario import Scenario
    from ..sandbox.calls import Entry as CallEntry

Exports = list[tuple[str, str]]
VERBS: tuple[Verb, ...] = ("failover", "failback")


class Files(NamedTuple):
    """A user's own files for a drill: their resil.yaml, and a runbook in place of that app's."""

    config: Path | None = None
    runbook: Path | None = None


def scenarios(config: Path | None = None) -> list[Scenario]:
    """The drills there are, by name; with a user's resil.yaml those that their app can play."""
    known = [load_scenario(path) for path in sorted(_folder().glob("*.yaml"))]
    if config is None:
        return known
    app = load_app(config)
    _rehearsal()  # the extra is there, or it is said what is missing
    from ..sandbox.twin_scenario import lacks

    return [scenario for scenario in known if not lacks(scenario, app)]


def drill(name: str, seed: int = 0, files: Files | None = None) -> Iterator[DrillEvent | DrillResult]:
    """Rehearse in a sandbox of its own, measured. The last thing that comes is the DrillResult.

    ``name``: of a scenario shipped with resil, or a file that holds one.
    Without a resil.yaml in ``files`` it is the reference application that is moved. The user's files are read before
    anything starts: InvalidFile with all that is wrong in one of them.
    """
    files = files or Files()
    scenario = _scenario(name)
    app = load_app(files.config) if files.config else None
    books = {verb: runbook_path(verb, app, files.config) for verb in VERBS}
    if files.runbook is not None:
        books[_verb_of(files.runbook)] = files.runbook
    for book in books.values():
        load_runbook(book)
    events: Iterator[DrillEvent | DrillResult] = _rehearsal().rehearse(scenario, books, seed, app)
    return events


def _scenario(name: str) -> Scenario:
    """The scenario of this name, or of a user's own file."""
    known = {path.stem: path for path in sorted(_folder().glob("*.yaml"))}
    if name not in known and Path(name).suffix in (".yaml", ".yml"):
        return load_scenario(Path(name))
    if name not in known:
        near = get_close_matches(name, known, n=3) or known
        raise UsageError(f"there is no drill {name}", hint=f"did you mean {' or '.join(near)}?")
    return load_scenario(known[name])


def _verb_of(runbook: Path) -> Verb:
    """Which way a runbook goes: back if it is named so, else over."""
    return "failback" if "failback" in load_runbook(runbook).name.lower() else "failover"


def _folder() -> Path:
    return Path(__file__).parents[1] / "sandbox" / "scenarios"


def _rehearsal() -> ModuleType:
    """The sandbox's rehearsal. Raises UsageError where the extra it needs is not installed."""
    try:
        from ..sandbox import rehearsal
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the sandbox needs {error.name}, which is not installed", hint="pip install 'resil[sandbox]'"
        ) from error
    return rehearsal


def sandbox_up(
    *, detach: bool, port: int, dns_port: int, propagation: float, ready: Callable[[Exports, tuple[str, ...]], None]
) -> None:
    """Start the sandbox; ``ready`` gets its exports and notes. Without ``detach`` it is served until interrupted."""
    from ..sandbox import daemon

    def announce(up: daemon.Up) -> None:
        ready(daemon.exports(up.state), up.notes)

    _rehearsal()  # the extra is there, or it is said what is missing
    options = daemon.Options(port, dns_port, propagation)
    if detach:
        announce(daemon.up(options, os.environ))
        return
    from ..sandbox.orders import build

    daemon.serve(options, os.environ, build, announce, daemon.until_signal())


def sandbox_down() -> bool:
    """Stop the sandbox. False where none was running."""
    from ..sandbox import daemon

    return daemon.down(os.environ)


def sandbox_calls(*, writes: bool) -> list[CallEntry]:
    """What was asked of the running sandbox, oldest first."""
    from ..sandbox import daemon

    return daemon.calls(os.environ, writes_only=writes)
