"""The sandbox and its drills, behind the optional extra they need."""

import os
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..adapters.yaml_files import load_scenario
from ..errors import UsageError
from ..model.drill import DrillEvent, DrillResult
from ..model.scenario import Scenario
from .setup import shipped_runbooks

if TYPE_CHECKING:
    from ..sandbox.calls import Entry as CallEntry

Exports = list[tuple[str, str]]


def scenarios() -> list[Scenario]:
    """The drills there are, by name."""
    return [load_scenario(path) for path in sorted(_folder().glob("*.yaml"))]


def drill(name: str, seed: int = 0) -> Iterator[DrillEvent | DrillResult]:
    """Rehearse in a sandbox of its own, measured. The last thing that comes is the DrillResult."""
    known = sorted(path.stem for path in _folder().glob("*.yaml"))
    if name not in known:
        near = get_close_matches(name, known, n=3) or known
        raise UsageError(f"there is no drill {name}", hint=f"did you mean {' or '.join(near)}?")
    scenario = load_scenario(_folder() / f"{name}.yaml")
    books = sorted(shipped_runbooks().glob("*.yaml"))
    events: Iterator[DrillEvent | DrillResult] = _rehearsal().rehearse(scenario, books, seed)
    return events


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


def sandbox_calls(*, writes: bool) -> list["CallEntry"]:
    """What was asked of the running sandbox, oldest first."""
    from ..sandbox import daemon

    return daemon.calls(os.environ, writes_only=writes)
