"""What ``resil drill`` does once its words are understood: follow a drill, show its result, and a spread of several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .composition import Session

if TYPE_CHECKING:
    from ..model.drill import DrillResult
    from ..model.scenario import Scenario

Files = tuple[Path | None, Path | None]  # the user's own resil.yaml and runbook


def show_scenarios(session: Session, config: Path | None = None) -> int:
    from ..render.text_drill import scenario_list

    session.terminal.payload(scenario_list(session.wiring.scenarios(config), session.terminal.look()))
    return 0


def playable(session: Session, config: Path | None) -> list[Scenario]:
    """The scenarios that can be run. Those that the user's app cannot play are told."""
    fit = session.wiring.scenarios(config)
    if left := [each.name for each in session.wiring.scenarios(None) if each not in fit]:
        session.terminal.tell(f"not with {config}: {', '.join(left)}; resil drill --config {config} NAME says why\n")
    if named := [each.name for each in fit if not each.is_default]:
        session.terminal.tell(f"by name only: {', '.join(named)}; resil drill --list says why\n")
    return [each for each in fit if each.is_default]


def run(
    session: Session,
    name: str,
    seeds: Sequence[int],
    output: str,
    html: Path | None = None,
    files: Files = (None, None),
) -> bool:
    """One scenario, once a seed. True if it held every time."""
    from ..render.text_drill import spread_screen

    results = [_once(session, name, seed, output, files) for seed in seeds]
    if len(results) > 1 and output == "text":
        session.terminal.payload(spread_screen(results, session.terminal.look()))
    if html is not None:
        _write_page(session, results[-1], html)
    return all(result.passed for result in results)


def _write_page(session: Session, result: DrillResult, html: Path) -> None:
    from ..render.report import page
    from .runs import write_page

    write_page(html, page(session.wiring.drill_report(result)))
    session.terminal.tell(f"report: {html}\n")


def _once(session: Session, name: str, seed: int, output: str, files: Files) -> DrillResult:
    from ..model.drill import DrillResult
    from ..render.json_out import drill_line
    from ..render.text_drill import drill_event, drill_screen
    from ..wiring import Files as OwnFiles

    terminal = session.terminal
    for event in session.wiring.drill(name, seed, OwnFiles(*files)):
        if isinstance(event, DrillResult):
            terminal.payload(drill_line(event) if output == "json" else drill_screen(event, terminal.look()))
            return event
        terminal.tell(drill_event(event) + "\n")
    raise AssertionError("unreachable: a drill ends with its result")
