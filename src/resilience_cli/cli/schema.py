"""``resil schema``: JSON Schema for editors."""

from typing import Annotated, Literal

import typer

from .composition import session

Subject = Annotated[Literal["config", "runbook"], typer.Argument(help="Of which file.")]


def schema(ctx: typer.Context, subject: Subject = "config") -> int:
    """Print the JSON Schema of the YAML files."""
    from ..render.json_out import dumps
    from ..render.schema import schema_json

    session(ctx).terminal.payload(dumps(schema_json(subject)))
    return 0


def register(app: typer.Typer) -> None:
    app.command()(schema)
