"""``resil validate``: config and runbooks, offline."""

from typing import Annotated, Literal

import typer

from ..errors import InvalidFile
from . import options as o
from .composition import session

Where = Annotated[
    Literal["text", "github"], typer.Option("--output", "-o", help="github: problems as annotations on their lines.")
]


def validate(ctx: typer.Context, output: Where = "text", config: o.Config = None, runbook: o.Runbook = None) -> int:
    """Check resil.yaml and its runbooks, offline.

    Problems come as file:line, each with a hint; nothing is asked of AWS.
    """
    terminal = session(ctx).terminal
    try:
        read = session(ctx).wiring.validate(config, runbook)
    except InvalidFile as error:
        if output == "github":
            from ..render.github import github_problems

            terminal.payload(github_problems(error.problems))
        raise
    from ..render.plain import clean

    terminal.payload("".join(f"ok: {clean(text)}\n" for text in read))
    return 0


def register(app: typer.Typer) -> None:
    app.command()(validate)
