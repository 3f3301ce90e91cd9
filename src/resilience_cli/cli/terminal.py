"""The three streams and the environment: what may be shown on them, and how to write without breaking a run.

The payload goes to stdout, everything for humans to stderr. A reader that went away (a closed pipe, a lost ssh
session) must not stop a run half-way: writing for humans never raises.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from ..errors import ResilError

if TYPE_CHECKING:
    from ..render.screen import Look

WIDEST = 160


@dataclass(frozen=True)
class Terminal:
    """Where resil is run from."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked: questions go to stderr, answers come from stdin."""
        return _is_terminal(self.stdin) and _is_terminal(self.stderr)

    @property
    def stdout_is_terminal(self) -> bool:
        return _is_terminal(self.stdout)

    def look(self, stream: TextIO | None = None) -> Look:
        """What ``stream`` (default stdout) can show: NO_COLOR, TERM=dumb, COLUMNS and its encoding are honoured."""
        from ..render.screen import Look

        stream = stream or self.stdout
        in_color = _is_terminal(stream) and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"
        return Look(width=self._width(stream), color=in_color, unicode=_is_unicode(stream))

    def payload(self, text: str) -> None:
        """Write to stdout. A reader that has gone is no error: ``resil status | head -1`` is quiet."""
        try:
            self.stdout.write(text if _is_unicode(self.stdout) else _ascii(text))
            self.stdout.flush()
        except BrokenPipeError:
            _silence(self.stdout)
        except OSError as error:
            _silence(self.stdout)
            raise ResilError(f"the result could not be written: {error.strerror}") from error

    def tell(self, text: str) -> None:
        """Write to stderr, if anyone is still there."""
        try:
            self.stderr.write(text if _is_unicode(self.stderr) else _ascii(text))
            self.stderr.flush()
        except (OSError, ValueError):
            _silence(self.stderr)

    def _width(self, stream: TextIO) -> int:
        told = self.environ.get("COLUMNS", "")
        if told.isascii() and told.isdigit() and int(told[:9]) > 0:
            return min(int(told[:9]), WIDEST)
        try:
            return min(os.get_terminal_size(stream.fileno()).columns or 80, WIDEST)
        except (OSError, ValueError):
            return 80


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _is_unicode(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _silence(stream: TextIO) -> None:
    """Point the stream at nothing, so that the interpreter's last flush is quiet too."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, stream.fileno())
        finally:
            os.close(nothing)
    except (OSError, ValueError):
        return
