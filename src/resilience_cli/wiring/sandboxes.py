"""The sandbox and its drills, behind the optional extra they need."""

import os
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..model.drill import DrillEvent, DrillResult
from .setup import shipped_runbooks

if TYPE_CHECKING:
    from ..sandbox.calls import Entry as CallEntry

Exports = list[tuple[str, str]]


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
        from ..sandbox import walk
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the sandbox needs {error.name}, which is not installed", hint="pip install 'resil[sandbox]'"
        ) from error
    return walk


def sandbox_up(
    *, detach: bool, port: int, dns_port: int, propagation: float, ready: Callable[[Exports, tuple[str, ...]], None]
) -> None:
    """Start the sandbox; ``ready`` gets its exports and notes. Without ``detach`` it is served until interrupted."""
    from ..sandbox import daemon

    def announce(up: daemon.Up) -> None:
        ready(daemon.exports(up.state), up.notes)

    _walk()  # the extra is there, or it is said what is missing
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
