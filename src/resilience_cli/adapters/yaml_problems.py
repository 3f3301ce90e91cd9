"""What pydantic found wrong -> problems a person can act on: the line, what was expected, the nearest right word."""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import Problem
from .yaml_fields import keys_at
from .yaml_tree import Document, Mark

Loc = tuple[str | int, ...]
Words = tuple[str, str]  # message, hint

EXAMPLES: Mapping[str, str] = {
    "version": "version: 1",
    "app": "app: orders",
    "account": 'account: "123456789012"',
    "regions": "regions: {primary: us-west-2, standby: [us-east-1]}",
    "primary": "primary: us-west-2",
    "standby": "standby: [us-east-1]",
    "zone": "zone: example.com",
    "record": "record: {name: api.example.com, type: A}",
    "policy": "policy: weighted",
    "endpoints": "endpoints: {us-west-2: {set_identifier: west}, us-east-1: {set_identifier: east}}",
    "levers": "levers: [weights]",
    "home": "home: {us-west-2: 100, us-east-1: 0}",
    "kind": "kind: alarm",
    "names": 'names: ["orders-*"]',
    "step": "step: check",
    "steps": "steps: [{id: shift, step: shift-traffic}]",
    "id": "id: shift",
}
PATTERNS: Mapping[str, Callable[[str], Words]] = {
    "region": lambda v: (f"{v} is not a Region's name", f"one looks like {_nearest_region(v)}"),
    "account": lambda v: (f"{v} is not an AWS account's id", "an account's id has twelve digits, in quotes"),
    "name": lambda v: (f"{v} cannot be a name", "letters, digits, dots, dashes and underscores, at most 63"),
    "step": lambda v: (f"{v} cannot be a step's id", "lower-case letters, digits and dashes, such as shift-traffic"),
    "path": lambda v: (f"{v!r} cannot be a path", "a file or folder, without NUL bytes"),
}
PATTERN_OF = {
    r"^[a-z]{2,4}(-[a-z]+)+-\d+$": "region",
    r"^\d{12}$": "account",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$": "name",
    r"^[a-z][a-z0-9-]{0,40}$": "step",
    r"^[^\x00]+$": "path",
}
BOUNDS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}
WANTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a mapping of keys",
    "model": "a mapping of keys",
    "tuple": "a list",
    "list": "a list",
}
_WORD = re.compile(r"'([^']*)'")


def problems_of(error: ValidationError, document: Document, model: type[BaseModel]) -> tuple[Problem, ...]:
    """All problems, in the order of their lines, without those that only follow from another."""
    details = _without_echoes(error.errors(include_url=False))
    found = [_problem(detail, document, model) for detail in details]
    return tuple(dict.fromkeys(sorted(found, key=lambda problem: problem.line or 0)))


def _problem(detail: ErrorDetails, document: Document, model: type[BaseModel]) -> Problem:
    trail = _trail(detail["loc"], document.mark)
    message, hint = _words(detail, trail, model)
    if detail["type"] == "union_tag_invalid":
        trail = (*trail, _word(detail, "discriminator"))
    where = _path(trail[:-1] if detail["type"] == "extra_forbidden" else trail)
    return Problem(document.file, _line(trail, document.mark), f"{where}: {message}" if where else message, hint)


def _without_echoes(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop what repeats another error: lists that are short only because their items failed, the branches of a
    union that were not meant, and a missing key whose misspelling is reported beside it."""
    kept = []
    for detail in details:
        others = [other for other in details if other is not detail]
        if detail["type"] == "too_short" and len(detail["input"]) >= detail.get("ctx", {}).get("min_length", 0):
            continue
        if _is_other_branch(detail, others) or (detail["type"] == "missing" and _is_misspelt(detail, others)):
            continue
        kept.append(detail)
    return kept


def _is_other_branch(detail: ErrorDetails, others: Sequence[ErrorDetails]) -> bool:
    """Errors of ``dict | Literal`` come once a branch: keep the branch whose shape the input has."""
    loc = detail["loc"]
    for depth, part in enumerate(loc):
        branch = str(part)
        if not branch.startswith(("dict[", "literal[")):
            continue
        rivals = [o for o in others if o["loc"][:depth] == loc[:depth] and o["loc"][depth : depth + 1] != (part,)]
        meant_words = branch.startswith("literal[") and not isinstance(detail["input"], dict)
        meant_mapping = branch.startswith("dict[") and detail["type"] != "dict_type"
        return bool(rivals) and not (meant_words or meant_mapping)
    return False


def _is_misspelt(missing: ErrorDetails, others: Sequence[ErrorDetails]) -> bool:
    key = str(missing["loc"][-1])
    beside = [o["loc"][-1] for o in others if o["type"] == "extra_forbidden" and o["loc"][:-1] == missing["loc"][:-1]]
    return any(get_close_matches(str(name), [key]) for name in beside)


def _trail(loc: Loc, mark: Mark) -> Loc:
    """The parts of ``loc`` that are written in the file (union tags and ``[key]`` are pydantic's own words), and a
    last part that is missing from it."""
    trail: list[str | int] = []
    for place, part in enumerate(loc):
        if place and isinstance(loc[place - 1], int) and _is_tag(part, mark):
            continue
        if part in mark.children:
            mark = mark.children[part]
            trail.append(part)
        elif place == len(loc) - 1 and part != "[key]" and not str(part).startswith(("dict[", "literal[")):
            trail.append(part)
    return tuple(trail)


def _is_tag(part: str | int, mark: Mark) -> bool:
    """Whether ``part``, after an item's number, is the item's kind: a metric signal has a key ``metric`` as well."""
    return any(key in mark.children and mark.children[key].text == part for key in ("kind", "step"))


def _line(trail: Loc, mark: Mark) -> int:
    """The key's line where there is a key; the parent's where it is missing; an item's own line in a list."""
    line = mark.line
    for part in trail:
        child = mark.children.get(part)
        if child is None:
            break
        line = mark.keys[part] if isinstance(part, str) else child.line
        mark = child
    return line


def _path(trail: Loc) -> str:
    """``("routing", 0, "home")`` -> ``routing[0].home``."""
    text = ""
    for part in trail:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _words(detail: ErrorDetails, trail: Loc, model: type[BaseModel]) -> Words:
    kind, ctx = detail["type"], detail.get("ctx", {})
    key = str(trail[-1]) if trail else ""
    if kind == "missing":
        return "is missing", EXAMPLES.get(key, "")
    if kind == "extra_forbidden":
        return _unknown_key(key, keys_at(model, detail["loc"][:-1]))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_kind(detail)
    if kind in ("literal_error", "enum"):
        return _unknown_word(str(detail["input"]), _WORD.findall(ctx["expected"]), detail)
    if kind == "string_pattern_mismatch":
        words = PATTERNS.get(PATTERN_OF.get(ctx["pattern"], ""))
        return words(str(detail["input"])) if words else (f"{detail['input']} does not match {ctx['pattern']}", "")
    if kind == "value_error":
        return str(ctx["error"]), ""
    if kind == "too_short":
        return f"needs at least {ctx['min_length']} item{'s' if ctx['min_length'] > 1 else ''}", EXAMPLES.get(key, "")
    if kind == "too_long":
        return f"takes at most {ctx['max_length']} items, not {ctx['actual_length']}", ""
    return _shape(detail, key)


def _shape(detail: ErrorDetails, key: str) -> Words:
    """A number out of bounds, or a value of the wrong shape."""
    kind, ctx, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        return f"{words} {ctx[name]:g}, not {given}", ""
    wanted = WANTED.get(kind.split("_")[0])
    if wanted is None:
        return detail["msg"][0].lower() + detail["msg"][1:], EXAMPLES.get(key, "")
    hint = EXAMPLES.get(key, "")
    if wanted == "text" and not isinstance(given, dict | list):
        hint = f'write it in quotes: "{given}"' if given is not None else hint
    elif wanted == "a list" and isinstance(given, str) and key not in EXAMPLES:
        hint = f"{key}: [{given}]"
    return f"must be {wanted}, not {_called(given)}", hint


def _called(given: object) -> str:
    if given is None:
        return "empty"
    if isinstance(given, dict):
        return "a mapping of keys"
    if isinstance(given, list):
        return "a list"
    return f"the text {given!r}" if isinstance(given, str) else str(given)


def _unknown_key(key: str, known: Sequence[str]) -> Words:
    near = get_close_matches(key, known, n=1)
    if near:
        return f"{key} is not a key here", f"did you mean {near[0]}?"
    return f"{key} is not a key here", f"known keys: {', '.join(known)}" if known else ""


def _unknown_kind(detail: ErrorDetails) -> Words:
    """A step or signal whose kind is not in the closed set, or that names none."""
    key = _word(detail, "discriminator")
    if detail["type"] == "union_tag_not_found":
        return f"{key} is missing: it says which kind this is", EXAMPLES.get(key, "")
    return _unknown_word(str(detail["ctx"]["tag"]), _WORD.findall(detail["ctx"]["expected_tags"]), detail)


def _unknown_word(given: str, known: Sequence[str], detail: ErrorDetails) -> Words:
    if not known:  # numbers, such as version
        return f"must be {detail['ctx']['expected']}, not {given}", ""
    near = get_close_matches(given, known, n=1)
    listed = f"one of {', '.join(known)}" if len(known) > 1 else f"it can only be {known[0]}"
    return f"{given} is not known here", f"did you mean {near[0]}? {listed}" if near else listed


def _word(detail: ErrorDetails, name: str) -> str:
    return str(detail["ctx"][name]).strip("'")


def _nearest_region(text: str) -> str:
    """``us-west2`` -> ``us-west-2``; else the reference app's own."""
    fixed = re.sub(r"[^a-z0-9]+", "-", text.lower().strip())
    fixed = re.sub(r"(?<=[a-z])(?=\d)", "-", fixed)
    pattern = next(pattern for pattern, kind in PATTERN_OF.items() if kind == "region")
    return fixed if re.fullmatch(pattern, fixed) else "us-west-2"
