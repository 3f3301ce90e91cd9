"""``resil sandbox``: a local two-Region AWS to play with."""

import shlex
from typing import Annotated

import typer

from . import options as o
from .composition import session

Detach = Annotated[bool, typer.Option("--detach", help="Leave it running and return once it is ready.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="For AWS; 0 takes a free one.")]
DnsPort = Annotated[int, typer.Option("--dns-port", min=0, max=65535, help="For its name server; 0 takes a free one.")]
Propagation = Annotated[
    float, typer.Option("--propagation", metavar="SECONDS", min=0, help="How long a record change takes to be INSYNC.")
]
Writes = Annotated[bool, typer.Option("--writes", help="Only what changes something.")]


def up(
    ctx: typer.Context,
    detach: Detach = False,
    port: Port = 0,
    dns_port: DnsPort = 0,
    propagation: Propagation = 1.0,
) -> int:
    """Start it, and print export lines once it is ready.

    For a shell of its own: eval "$(resil sandbox up --detach)"
    """
    terminal = session(ctx).terminal

    def ready(exports: list[tuple[str, str]], notes: tuple[str, ...]) -> None:
        terminal.payload("".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports))
        terminal.tell("".join(f"{note}\n" for note in notes))
        if detach:
            terminal.tell("sandbox is up; try: resil status\n")

    session(ctx).wiring.sandbox_up(detach=detach, port=port, dns_port=dns_port, propagation=propagation, ready=ready)
    return 0


def down(ctx: typer.Context) -> int:
    """Stop it."""
    was_running = session(ctx).wiring.sandbox_down()
    session(ctx).terminal.tell("the sandbox is stopped\n" if was_running else "no sandbox was running\n")
    return 0


def calls(ctx: typer.Context, writes: Writes = False, output: o.ScreenOutput = "text") -> int:
    """Show what was asked of it.

    One request a line: time, service, operation, Region, caller, outcome.
    """
    from ..render.text_calls import calls_json, calls_text

    found = session(ctx).wiring.sandbox_calls(writes=writes)
    session(ctx).terminal.payload(calls_json(found) if output == "json" else calls_text(found))
    return 0


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="A local two-Region AWS to play with.", no_args_is_help=True, rich_markup_mode=None)
    for command in (up, down, calls):
        group.command()(command)
    app.add_typer(group, name="sandbox")
