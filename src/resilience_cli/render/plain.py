"""Text from config, AWS and journals is someone else's: what could move a cursor, change a colour or reverse the
reading order is taken out before it is shown."""

import unicodedata

_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # Unicode general categories


def clean(text: object) -> str:
    """One line of visible characters: control and format characters become spaces."""
    visible = "".join(" " if unicodedata.category(char) in _HARMFUL else char for char in str(text))
    return " ".join(visible.split())


def shorten(text: object, width: int) -> str:
    """At most ``width`` characters, the cut marked."""
    whole = clean(text)
    return whole if len(whole) <= width else whole[: max(width - 3, 1)] + "..."
