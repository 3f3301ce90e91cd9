"""The options that several commands share, said once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Format = Literal["text", "json", "junit", "markdown", "github"]
Screen = Literal["text", "json"]
ModeWord = Literal["auto", "planned", "emergency"]

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="RESIL_CONFIG", help="The app's resil.yaml.  [default: ./resil.yaml]"),
]
Runbook = Annotated[Path | None, typer.Option("--runbook", help="A runbook to use instead of the app's own.")]
Output = Annotated[Format, typer.Option("--output", "-o", help="How the result is written on stdout.")]
ScreenOutput = Annotated[Screen, typer.Option("--output", "-o", help="How the result is written on stdout.")]
To = Annotated[str | None, typer.Option("--to", metavar="REGION", help="The Region that takes the traffic.")]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="REGION", help="The Region to leave; needed where more than two Regions serve."),
]
Mode = Annotated[
    ModeWord,
    typer.Option("--mode", help="planned: all gates hold. emergency: the source is given up. auto: by its health."),
]
Override = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="GUARD", help="Go on although this guard says no; may be repeated."),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; goes into the journal.")]
Exercise = Annotated[bool, typer.Option("--exercise", help="Label the run as an exercise.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="The whole of it but the writes.")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree beforehand to the plan, whatever it is.")]
Approve = Annotated[
    str | None,
    typer.Option("--approve", metavar="DIGEST", help="Agree beforehand to exactly this plan: its digest."),
]
Detailed = Annotated[
    bool, typer.Option("--detailed-exitcode", help="With a plan or dry run: exit 9 when there is something to change.")
]
