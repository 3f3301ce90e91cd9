"""The rule of a composite alarm: AlarmRule's little language, parsed and evaluated.

ALARM(x), OK(x), INSUFFICIENT_DATA(x), TRUE and FALSE, joined by AND, OR, NOT and parentheses; a name may be in
double quotes and may be an alarm's ARN (PutCompositeAlarm, "AlarmRule"). NOT binds tighter than AND, AND than OR.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import assert_never

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_TOKEN = re.compile(r'\s*(?:(\()|(\))|"([^"]*)"|([^\s()"]+))')


class BadRule(ValueError):
    """A rule that cannot be read; the message says where."""


@dataclass(frozen=True)
class Is:
    """True while the named alarm is in this state."""

    state: str
    alarm: str


@dataclass(frozen=True)
class Constant:
    value: bool


@dataclass(frozen=True)
class Not:
    rule: "Rule"


@dataclass(frozen=True)
class Both:
    left: "Rule"
    right: "Rule"


@dataclass(frozen=True)
class Either:
    left: "Rule"
    right: "Rule"


Rule = Is | Constant | Not | Both | Either


def holds(rule: Rule, state_of: Callable[[str], str]) -> bool:
    """Whether the rule is true, given each alarm's state."""
    match rule:
        case Is(state, alarm):
            return state_of(alarm) == state
        case Constant(value):
            return value
        case Not(inner):
            return not holds(inner, state_of)
        case Both(left, right):
            return holds(left, state_of) and holds(right, state_of)
        case Either(left, right):
            return holds(left, state_of) or holds(right, state_of)
    assert_never(rule)


def children(rule: Rule) -> Iterator[str]:
    """The names of the alarms the rule refers to, in order, repeats included."""
    match rule:
        case Is(_, alarm):
            yield alarm
        case Constant():
            return
        case Not(inner):
            yield from children(inner)
        case Both(left, right) | Either(left, right):
            yield from children(left)
            yield from children(right)
        case _:
            assert_never(rule)


def parse(text: str) -> Rule:
    """The rule of a text. Raises BadRule."""
    parser = _Parser(_tokens(text))
    rule = parser.either()
    if parser.peek() is not None:
        raise BadRule(f"unexpected {parser.peek()} after a complete rule")
    return rule


def _tokens(text: str) -> list[str]:
    """Words, parentheses, and quoted names with their opening quote kept, so that "OK" stays a name."""
    found: list[str] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadRule(f"cannot read from position {position}")
        opening, closing, quoted, word = match.groups()
        found.append(opening or closing or (f'"{quoted}' if quoted is not None else word))
        position = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens; at most 500 elements, so the depth is bounded."""

    def __init__(self, tokens: list[str]) -> None:
        if len(tokens) > 2000:
            raise BadRule("the rule has too many elements")
        self._tokens = tokens
        self._next = 0

    def peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> str:
        token = self.peek()
        if token is None:
            raise BadRule("the rule ends too early")
        self._next += 1
        return token

    def _expect(self, wanted: str) -> None:
        if (token := self._take()) != wanted:
            raise BadRule(f"expected {wanted}, found {token}")

    def _is(self, word: str) -> bool:
        token = self.peek()
        return token is not None and token.upper() == word

    def either(self) -> Rule:
        rule = self._both()
        while self._is("OR"):
            self._take()
            rule = Either(rule, self._both())
        return rule

    def _both(self) -> Rule:
        rule = self._negated()
        while self._is("AND"):
            self._take()
            rule = Both(rule, self._negated())
        return rule

    def _negated(self) -> Rule:
        if self._is("NOT"):
            self._take()
            return Not(self._negated())
        return self._single()

    def _single(self) -> Rule:
        token = self._take()
        word = token.upper()
        if token == "(":
            rule = self.either()
            self._expect(")")
            return rule
        if word in ("TRUE", "FALSE"):
            return Constant(word == "TRUE")
        if word in STATES:
            self._expect("(")
            name = self._take().removeprefix('"')
            self._expect(")")
            return Is(word, _alarm_name(name))
        raise BadRule(f"expected a state, TRUE, FALSE or a parenthesis, found {token}")


def _alarm_name(text: str) -> str:
    """The name in an alarm's ARN, or the text itself."""
    return text.split(":alarm:", 1)[1] if text.startswith("arn:") and ":alarm:" in text else text
