"""What the commands call: ``wiring``, as a Protocol. It is imported when a command runs, not for ``--help``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import typer

if TYPE_CHECKING:
    from ..model.drill import DrillEvent, DrillResult
    from ..model.facts import Facts
    from ..model.plan import Intent, Plan
    from ..model.report import Report
    from ..model.run import Entry, Run
    from ..model.scenario import Scenario
    from ..model.status import Status
    from ..ports import Operator
    from ..sandbox.calls import Entry as CallEntry
    from ..wiring import Access, Decided, Files, KeptPlan, Page
    from .terminal import Terminal

How = Literal["typed", "yes", "digest"]
Ready = Callable[[list[tuple[str, str]], tuple[str, ...]], None]  # the sandbox's exports and notes
Setup = Any  # wiring's own: the app with its World, journal and clock; the CLI hands it back unopened


class Wiring(Protocol):
    """The composition root, as far as the commands use it."""

    def open_app(self, config: Path | None, access: Access, prefer: Sequence[str] = ()) -> Setup: ...
    def validate(self, config: Path | None, runbook: Path | None) -> list[str]: ...
    def status(self, setup: Setup) -> Status: ...
    def decide(
        self, setup: Setup, intent: Intent, runbook: Path | None, waiting: Callable[[str], None] | None = None
    ) -> Decided: ...
    def run(self, setup: Setup, plan: Plan, facts: Facts, operator: Operator, how: How) -> Iterator[Entry]: ...
    def rehearse(self, setup: Setup, plan: Plan, facts: Facts) -> Iterator[Entry]: ...
    def save_plan(self, kept: KeptPlan, path: Path) -> None: ...
    def load_plan(self, path: Path) -> KeptPlan: ...
    def recheck(self, setup: Setup, kept: KeptPlan) -> Decided: ...
    def resume(self, setup: Setup, run_id: str | None, operator: Operator, how: How) -> Iterator[Entry]: ...
    def list_runs(self, setup: Setup) -> list[Run]: ...
    def damaged_runs(self, setup: Setup) -> list[str]: ...
    def newest_run(self, setup: Setup) -> Run: ...
    def show_run(self, setup: Setup, run_id: str) -> Run: ...
    def drill_report(self, result: DrillResult) -> Report: ...
    def report(self, setup: Setup, run_id: str | None) -> Report: ...
    def keep_page(self, setup: Setup, run_id: str) -> Page: ...
    def explain_exit(self, run: Run) -> tuple[int, str]: ...
    def scenarios(self, config: Path | None) -> list[Scenario]: ...
    def drill(self, name: str, seed: int, files: Files) -> Iterator[DrillEvent | DrillResult]: ...
    def sandbox_up(self, *, detach: bool, port: int, dns_port: int, propagation: float, ready: Ready) -> None: ...
    def sandbox_down(self) -> bool: ...
    def sandbox_calls(self, *, writes: bool) -> list[CallEntry]: ...


class Session:
    """What every command is given: the terminal, and wiring once it is asked for."""

    def __init__(self, terminal: Terminal, wiring: Wiring | None = None) -> None:
        self.terminal = terminal
        self._wiring = wiring

    def open(self, config: Path | None, *, writes: bool, prefer: Sequence[str] = ()) -> Setup:
        """The app. Without ``writes`` the SDK itself refuses whatever would change something.

        Nothing is asked of AWS by opening, so that an app may be opened to learn what to prefer, and opened again.
        ``prefer``: the Regions traffic is to go to, whose STS is asked first.
        """
        from ..wiring import Access

        return self.wiring.open_app(config, Access.WRITES if writes else Access.READS, prefer)

    @property
    def wiring(self) -> Wiring:
        if self._wiring is None:
            from .. import wiring

            self._wiring = wiring
        return self._wiring


def session(ctx: typer.Context) -> Session:
    return cast(Session, ctx.find_root().obj)
