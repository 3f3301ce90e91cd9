"""Values -> text. Nothing here prints, reads or decides: every function returns what the CLI will write."""

from typing import Literal

Format = Literal["text", "json", "junit", "markdown", "github"]
