"""The clock on the wall and the person at the terminal."""

import termios
import time
from datetime import UTC, datetime
from typing import Literal, TextIO

from ..model.plan import Plan

SHORTEST_DIGEST = 12  # hex digits: enough to mean one plan, few enough to read out on a call


class SystemClock:
    """ports.Clock over the machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class TerminalOperator:
    """Asks a person to type the app's name: a yes that cannot be a slip of the finger."""

    how: Literal["typed", "yes", "digest"] = "typed"

    def __init__(self, questions: TextIO, answers: TextIO) -> None:
        self._questions = questions
        self._answers = answers

    def approves(self, plan: Plan, question: str) -> bool:
        """True only if the app's name was typed after the question. No answer (end of input) is no."""
        _forget_what_was_typed(self._answers)
        self._questions.write(f"{question}\nType {plan.app} to go on, anything else to stop: ")
        self._questions.flush()
        return self._answers.readline().strip() == plan.app


def _forget_what_was_typed(answers: TextIO) -> None:
    """What was typed ahead was typed without the question in sight: it agrees to nothing.

    Only a terminal has such a queue (termios(3), tcflush); what comes through a pipe was put there on purpose.
    """
    try:
        if answers.isatty():
            termios.tcflush(answers.fileno(), termios.TCIFLUSH)
    except (OSError, ValueError, termios.error):  # no file behind it, or closed
        return


class Preapproved:
    """``--yes``, or ``--approve DIGEST``, which agrees to one plan only. Asks nobody."""

    def __init__(self, digest: str | None = None) -> None:
        self._digest = digest
        self.how: Literal["typed", "yes", "digest"] = "yes" if digest is None else "digest"

    def approves(self, plan: Plan, question: str) -> bool:
        return self._digest is None or is_digest_of(plan, self._digest)


def is_digest_of(plan: Plan, text: str) -> bool:
    """Whether ``text`` is the plan's digest, or its first 12 digits or more."""
    return len(text) >= SHORTEST_DIGEST and plan.digest.startswith(text.lower())
