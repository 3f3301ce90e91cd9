"""Laying text out on a screen of a given width, with or without colour. rich does the columns; its markup is off.

Our own words are ASCII, so that a screen reads the same in every terminal.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .plain import clean

NARROW = 72  # below this, rows are stacked instead of set in columns


@dataclass(frozen=True)
class Look:
    """What the screen can show."""

    width: int = 80
    color: bool = False
    unicode: bool = True

    @property
    def is_narrow(self) -> bool:
        return self.width < NARROW


@dataclass(frozen=True)
class Column:
    title: str
    folds: bool = False  # takes the room that is left; the others keep to one line


def to_text(parts: Iterable[RenderableType], look: Look) -> str:
    """The parts below one another, without trailing spaces, ending in a newline."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(look.width, 20),
        force_terminal=look.color,
        color_system="standard" if look.color else None,
        no_color=not look.color,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    return text if look.unicode else text.encode("ascii", "backslashreplace").decode("ascii")


def line(*pieces: str | tuple[str, str]) -> Text:
    """One paragraph of pieces; ``(text, style)`` where it has a style."""
    text = Text(overflow="fold")
    for piece in pieces:
        words, style = (piece, "") if isinstance(piece, str) else piece
        text.append(clean_keeping_ends(words), style=style)
    return text


def clean_keeping_ends(text: str) -> str:
    """``clean``, keeping one space at either end: pieces are joined as they are."""
    inner = clean(text)
    if not inner:
        return " " if text else ""
    return (" " if text[:1].isspace() else "") + inner + (" " if text[-1:].isspace() else "")


def heading(title: str, rest: str = "") -> Text:
    return line((title, "bold"), f"  {rest}" if rest else "")


def indented(part: RenderableType, by: int = 2) -> Padding:
    return Padding(part, (0, 0, 0, by))


def labelled(label: str, text: str, style: str = "") -> RenderableType:
    """``LABEL  text``, the text folded beside its label."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(clean(label), style="bold"), Text(clean(text), style=style))
    return grid


def columns(titles: Sequence[Column], rows: Iterable[Sequence[Text]], header: bool = True) -> RenderableType:
    """A table without lines."""
    table = Table(box=None, show_header=header, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for title in titles:
        table.add_column(title.title, no_wrap=not title.folds, overflow="fold", ratio=None)
    for row in rows:
        table.add_row(*row)
    return table


def cell(text: object, style: str = "") -> Text:
    return Text(clean(text), style=style)
