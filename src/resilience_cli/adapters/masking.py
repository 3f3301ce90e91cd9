"""Secrets are taken out before anything is written: by the key they stand under, and by the look of the text.

Access key ids begin with AKIA (long-term) or ASIA (STS): IAM user guide, "Understanding unique ID prefixes".
"""

import re
from typing import Any

MASK = "***"
SECRET_KEY = re.compile(
    r"password|passwd|passphrase|secret|(^|[-_])token$|session.?token|security.?token|authorization|credential"
    r"|api.?key|private.?key|webhook",
    re.IGNORECASE,
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}"), rf"\1{MASK}"),
    (re.compile(r"\b(?:FwoG|IQoJ|FQoG)[A-Za-z0-9/+=_%-]{40,}"), MASK),  # how STS session tokens begin
    (
        re.compile(r"(?i)((?:secret[_-]?access[_-]?key|session[_-]?token|password)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)[^\"'\n]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)(X-Amz-(?:Security-Token|Signature|Credential)=)[^&\s\"']+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s:@]+:[^/\s@]+@"), rf"\1{MASK}@"),
)


def mask_text(text: str) -> str:
    """The text with everything that looks like a credential replaced."""
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def mask(value: Any) -> Any:
    """Plain JSON data with secrets replaced; the same shape comes back."""
    if isinstance(value, dict):
        return {key: MASK if _is_secret(key, item) else mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return mask_text(value) if isinstance(value, str) else value


def _is_secret(key: str, value: object) -> bool:
    return isinstance(value, str) and bool(value) and SECRET_KEY.search(key) is not None
