"""``resil status``: one screen, once or again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from .composition import session

if TYPE_CHECKING:
    from ..model.status import Status

IMPAIRED, UNKNOWN, AWAY = 10, 11, 12

Watch = Annotated[bool, typer.Option("--watch", help="Look again and again, until interrupted.")]
Every = Annotated[float, typer.Option("--every", metavar="SECONDS", min=1, help="With --watch: how often.")]
Check = Annotated[
    bool,
    typer.Option("--check", help="Exit 10 if a serving Region is impaired, 11 if unknown, 12 if traffic is not home."),
]


def status(
    ctx: typer.Context,
    watch: Watch = False,
    every: Every = 10.0,
    check: Check = False,
    output: o.ScreenOutput = "text",
    config: o.Config = None,
) -> int:
    """Show where traffic goes, and what to do next.

    The verdict on each Region and why, every signal with its age, the data at risk, the lever, the next command.
    """
    wiring, terminal = session(ctx).wiring, session(ctx).terminal
    setup = session(ctx).open(config, writes=False)
    while True:
        seen = wiring.status(setup)
        clear = watch and output == "text" and terminal.stdout_is_terminal
        terminal.payload(("\x1b[H\x1b[2J" if clear else "") + _shown(seen, output, ctx))
        if not watch:
            return _checked(seen) if check else 0
        setup.clock.sleep(every)


def _shown(seen: Status, output: o.Screen, ctx: typer.Context) -> str:
    if output == "json":
        from ..render.json_out import dumps, status_json

        return dumps(status_json(seen))
    from ..render.text_status import status_screen

    return status_screen(seen, session(ctx).terminal.look())


def _checked(seen: Status) -> int:
    """What monitoring should know, worst first. What could not be read, or is another account's, is never fine."""
    from ..model.readings import Judged

    if seen.account_problem and seen.caller is not None:
        return UNKNOWN  # whatever was seen, it is another account's
    verdicts = {region.verdict for region in seen.regions if region.role != "observer"}
    if Judged.IMPAIRED in verdicts:
        return IMPAIRED
    if Judged.UNKNOWN in verdicts or seen.at_home is None or seen.account_problem:
        return UNKNOWN
    return 0 if seen.at_home else AWAY


def register(app: typer.Typer) -> None:
    app.command()(status)
