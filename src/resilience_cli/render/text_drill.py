"""A drill as it goes, and how it ended: did it hold, how long clients waited, what became of the orders."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import assert_never

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..model.drill import Asked, CommandRun, DrillEvent, DrillResult, Note
from ..model.scenario import Scenario
from ..model.traffic import Outage
from .plain import clean
from .screen import Column, Look, cell, columns, indented, labelled, line, to_text
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
            moved = (
                "" if event.changed_s is None else f", the name server's answers moved after {event.changed_s:.1f} s"
            )
            return f"[exit {event.exit_code} after {seconds(event.seconds)}, {writes}{moved}]"
        case Note():
            return event.text
        case _:
            assert_never(event)


def drill_screen(result: DrillResult, look: Look) -> str:
    return to_text(_result(result, look), look)


def _result(result: DrillResult, look: Look) -> Iterator[RenderableType]:
    word, style = ("PASSED", "bold green") if result.passed else ("NOT PASSED", "bold red")
    yield line((word, style), f" {result.scenario}: {result.title}")
    yield from (indented(labelled("did not hold", failure, "red")) for failure in result.failures)
    yield from (indented(labelled("went wrong", told)) for told in _faults(result))
    yield indented(line(_recovery(result)))
    yield from (indented(line(_outage(outage))) for outage in result.seen.outages)
    orders = {name: count for name, count in result.orders.model_dump().items() if count is not None}
    if orders:
        counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in orders.items())
        yield indented(labelled("orders", counted))
    if result.seen.loss is not None and result.seen.loss.rpo_s is not None:
        yield indented(
            labelled("RPO", f"{result.seen.loss.rpo_s:.2f} s: the oldest order that was missing at takeover")
        )
    spent = {name.removesuffix("_s"): s for name, s in result.seen.timings.model_dump().items() if s is not None}
    if spent:
        yield indented(labelled("spent", ", ".join(f"{name} {s:.1f} s" for name, s in spent.items())))
    yield from (indented(labelled("guard", guard)) for guard in result.seen.guards)
    yield from _chart(result, look)


def _faults(result: DrillResult) -> Iterator[str]:
    for fault in result.seen.faults:
        until = "" if fault.until_s is None else f" to {fault.until_s:g} s"
        yield f"{fault.what}, from {fault.from_s:g} s{until}"


def _recovery(result: DrillResult) -> str:
    if result.rto_s is None:
        return "no recovery was measured: no failover moved the answers"
    if result.floor_s is None or result.seen.floor is None:
        return f"RTO {result.rto_s:.2f} s as clients felt it"
    floor = result.seen.floor
    if result.ratio is None:
        return f"no client felt an outage; one would have lasted {result.floor_s:.2f} s at the least"
    slow = max((floor.ttl_left_s, "TTL left in a cache"), (floor.drain_s, "a kept connection"))
    made = f"{floor.propagation_s:.2f} s propagation + {slow[0]:.2f} s {slow[1]}"
    return f"RTO {result.rto_s:.2f} s as clients felt it; floor {result.floor_s:.2f} s ({made}); ratio {result.ratio}"


def _outage(outage: Outage) -> str:
    lasted = "not over by the end" if outage.seconds is None else f"{outage.seconds:.1f} s"
    return f"outage near {outage.place}: {lasted}, {outage.failed} requests failed"


BLOCKS = ".:-=+*#%@"


def _chart(result: DrillResult, look: Look) -> Iterator[RenderableType]:
    """Each Region's share of the requests by second, and the share that failed, in characters any terminal has."""
    seconds = result.seen.traffic
    regions = sorted({region for second in seconds for region in second.shares})
    if not seconds or not regions:
        return
    each = max(1, -(-len(seconds) // max(look.width - 18, 20)))
    yield indented(line(("share of requests", "bold"), f", {each} s a character, '{BLOCKS[-1]}' is all of them"))
    rows = [(region, _row([second.shares.get(region, 0.0) for second in seconds], each), "") for region in regions]
    failed = [second.failed / second.requests if second.requests else 0.0 for second in seconds]
    chart = Table.grid(padding=(0, 1, 0, 0))
    for name, row, style in [*rows, ("failed", _row(failed, each), "red")]:
        chart.add_row(Text(clean(name), style=style), Text(f"|{row}|", style=style, no_wrap=True))
    yield indented(chart)


def _row(values: Sequence[float], each: int) -> str:
    parts = [values[start : start + each] for start in range(0, len(values), each)]
    means = [sum(part) / len(part) for part in parts]
    return "".join(BLOCKS[0 if mean == 0 else max(1, round(mean * (len(BLOCKS) - 1)))] for mean in means)


def scenario_list(scenarios: Sequence[Scenario], look: Look) -> str:
    """The scenarios there are, those that are not run unless they are named with the reason."""
    titles = [Column("scenario"), Column("what happens", folds=True)]
    return to_text([columns(titles, ([cell(s.name), cell(_title(s))] for s in scenarios))], look)


def _title(scenario: Scenario) -> str:
    if scenario.needs:
        return f"{scenario.title} (needs {scenario.needs}; run by name only)"
    return f"{scenario.title} (by name only: {scenario.by_name_only})" if scenario.by_name_only else scenario.title


def spread_screen(results: Sequence[DrillResult], look: Look) -> str:
    """Least, median and most of several drills of one scenario."""
    figures: dict[str, list[float | int | None]] = {
        "RTO, s": [r.rto_s for r in results],
        "floor, s": [r.floor_s for r in results],
        "ratio": [r.ratio for r in results],
        "failed requests": [r.orders.failed for r in results],
        "orders lost": [r.orders.lost for r in results],
    }
    rows = []
    for name, found in figures.items():
        known = [float(value) for value in found if value is not None]
        if known:
            told = (min(known), median(known), max(known))
            rows.append([cell(name), cell(str(len(known))), *(cell(f"{value:.2f}") for value in told)])
    title = line((f"{results[0].scenario}: {len(results)} drills", "bold"))
    heads = [Column("figure"), Column("measured"), Column("least"), Column("median"), Column("most")]
    return to_text([title, indented(columns(heads, rows))], look)
