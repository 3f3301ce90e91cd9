"""A drill as it goes, and how it ended: did it hold, how long clients waited, what became of the orders."""

from collections.abc import Iterator
from typing import assert_never

from rich.console import RenderableType

from ..model.drill import Asked, CommandRun, DrillEvent, DrillResult, Moved, Note
from .plain import clean
from .screen import Look, indented, labelled, line, to_text
from .words import host, seconds


def drill_event(event: DrillEvent) -> str:
    """What just happened: a line, and for a command the screen that its operator would see."""
    told = clean(_told(event))
    if not isinstance(event, CommandRun):
        return told
    screen = f"{event.stderr.rstrip()}\n{event.stdout.rstrip()}".strip("\n")
    return f"\n$ {' '.join(event.argv)}\n{screen}\n{told}\n"


def _told(event: DrillEvent) -> str:
    match event:
        case Asked():
            answers = ", ".join(f"near {near}: {answer or 'unknown'}" for near, answer in event.answers.items())
            return f"{event.when}: {host(event.name)} answers {answers}"
        case CommandRun():
            writes = f"{len(event.writes)} writes" if event.writes else "no writes"
            return f"[exit {event.exit_code} after {seconds(event.seconds)}, {writes}]"
        case Moved():
            first, every = seconds(event.first_answer_s), seconds(event.every_answer_s)
            return f"{event.command}: first answer moved after {first}, every answer after {every}"
        case Note():
            return event.text
        case _:
            assert_never(event)


def drill_screen(result: DrillResult, look: Look) -> str:
    return to_text(_result(result), look)


def _result(result: DrillResult) -> Iterator[RenderableType]:
    word, style = ("PASSED", "bold green") if result.passed else ("NOT PASSED", "bold red")
    ratio = "-" if result.ratio is None else f"{result.ratio:.2f}"
    yield line((word, style), f" {result.scenario}")
    yield indented(line(f"recovered in {seconds(result.rto_s)}; floor {seconds(result.floor_s)}, ratio {ratio}"))
    orders = {name: count for name, count in result.orders.model_dump().items() if count is not None}
    if orders:
        yield indented(
            line("orders: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in orders.items()))
        )
    for failure in result.failures:
        yield indented(labelled("did not hold", failure, "red"))
