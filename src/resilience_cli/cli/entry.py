"""From the arguments to the exit code: the Typer app, and what each kind of ending says on stderr."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Annotated, Any, Protocol, cast

import typer

from .. import __version__
from ..errors import InvalidFile, ResilError
from .composition import Session, Wiring
from .terminal import Terminal

UNEXPECTED, USAGE, INTERRUPTED = 1, 2, 130


def build_app() -> typer.Typer:
    """All commands, in the order ``resil --help`` shows them."""
    from . import drill, failback, failover, plan, runs, sandbox, schema, status, validate

    app = typer.Typer(
        name="resil",
        help="Move a multi-Region AWS application's traffic out of a Region and back, and prove what was done.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_common)
    for command in (validate, status, failover, failback, plan, runs, drill, sandbox, schema):
        command.register(app)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        print(f"resil {__version__}")
        raise typer.Exit


def _common(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """What stands before the command."""


def run_main(
    arguments: Sequence[str] | None = None, terminal: Terminal | None = None, wiring: Wiring | None = None
) -> int:
    """Run one command and return its exit code. Never raises."""
    terminal = terminal or _here()
    try:
        with _signals_interrupt():
            code = build_app()(
                args=None if arguments is None else list(arguments),
                prog_name="resil",
                standalone_mode=False,
                obj=Session(terminal, wiring),
            )
    except BaseException as error:
        return _ended_by(error, terminal)
    if code == INTERRUPTED:  # Typer's word for Ctrl-C, or that of a run that was stopped
        terminal.tell("interrupted\n")
    return code if isinstance(code, int) else 0


def _here() -> Terminal:
    """The process's own streams; one that was closed (``>&-``) is None in Python, and swallows what is written."""
    stdin, stdout, stderr = (stream or io.StringIO() for stream in (sys.stdin, sys.stdout, sys.stderr))
    return Terminal(stdin, stdout, stderr, os.environ)


class _ClickError(Protocol):
    exit_code: int

    def show(self, file: IO[str] | None) -> None: ...


def _ended_by(error: BaseException, terminal: Terminal) -> int:
    """Say what ended the command, and which exit code that is."""
    if isinstance(error, ResilError):
        terminal.tell(_told(error))
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        terminal.tell("interrupted\n")
        return INTERRUPTED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else UNEXPECTED
    if hasattr(error, "format_message") and hasattr(error, "show"):  # Typer's own: usage
        cast(_ClickError, error).show(terminal.stderr)
        return USAGE
    if isinstance(error, typer.Abort):
        terminal.tell("stopped: nothing was changed by this command\n")
        return USAGE
    if not isinstance(error, Exception):
        raise error
    return _bug(error, terminal)


def _told(error: ResilError) -> str:
    from ..render.plain import clean

    if isinstance(error, InvalidFile):
        problems = "".join(f"{clean(problem)}\n" for problem in error.problems)
        return f"{problems}error: {len(error.problems)} problem{'s' if len(error.problems) > 1 else ''} found\n"
    lines = [clean(line) for line in error.message.splitlines()] or [type(error).__name__]
    hint = f"  {clean(error.hint)}\n" if error.hint else ""
    return f"error: {lines[0]}\n" + "".join(f"  {line}\n" for line in lines[1:]) + hint


def _bug(error: Exception, terminal: Terminal) -> int:
    """Something nobody foresaw. The message stays short; RESIL_DEBUG=1 shows where."""
    from ..render.plain import clean

    if terminal.environ.get("RESIL_DEBUG"):
        import traceback

        terminal.tell("".join(traceback.format_exception(error)))
    terminal.tell(
        f"error: a bug in resil: {type(error).__name__}: {clean(error)}\n"
        "  if a run was going on, `resil runs list` shows how far it came; RESIL_DEBUG=1 shows the traceback\n"
    )
    return UNEXPECTED


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP stop resil as Ctrl-C does: at once, with the journal kept. An ignored signal stays ignored."""
    before: Mapping[int, Any] = {}
    with suppress(ValueError):  # not the main thread: signals are someone else's
        before = {number: _interrupt_on(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt_on(number: signal.Signals) -> Any:
    before = signal.getsignal(number)
    if before is not signal.SIG_IGN:
        signal.signal(number, _interrupt)
    return before


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
