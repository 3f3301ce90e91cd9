"""What every noun shares: frozen, closed, and one canonical JSON form to take digests of."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Json = Any  # JSON as the standard library reads it

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d+$")]


class Value(BaseModel):
    """A frozen value. Unknown keys are errors: a typo must not be silently ignored.

    What checks it is built when it is first used: a command that is typed in a hurry does not wait for the others'.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


def canonical(value: BaseModel | Json) -> str:
    """One JSON text for equal values: keys sorted, no spaces. The text digests are taken of."""
    plain: Any = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: BaseModel | Json) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value).encode(errors="replace")).hexdigest()


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: object) -> object:
    """``"1m30s"`` -> 90.0. Numbers pass through as seconds; anything else is refused with the form expected."""
    if isinstance(text, bool):
        raise ValueError(f"a duration looks like 30s, 5m or 1h30m, not {str(text).lower()}")
    if not isinstance(text, str):
        return text
    import re

    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        raise ValueError(f"a duration looks like 30s, 5m or 1h30m, not {text!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, BeforeValidator(parse_duration), Field(allow_inf_nan=False)]
