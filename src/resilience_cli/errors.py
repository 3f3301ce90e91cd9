"""Every way resil ends badly on purpose, and the exit code each one owns (the table in README).

::

    ResilError
    ├── UsageError            2   the operator's words, config or credentials
    │   └── InvalidFile       2   problems in a YAML file, each with its place
    ├── Refused               3   a guard said no; nothing was changed
    ├── Undone                4   failed, and fully undone
    ├── Incomplete            5   something changed, and the run is not finished
    ├── Unconfirmed           6   an effect could not be confirmed by reading
    ├── Busy                  7   another run holds the lease
    ├── Stale                 8   the world moved since the plan was made
    └── Interrupted         130   stopped by the operator; resumable

    AwsTrouble                    what an adapter raises; never reaches the operator as it is
    ├── Denied, Throttled, NotFound, Malformed   the call surely had no effect
    ├── Conflicting                              compare-and-swap refused: the world is not as the plan saw it
    ├── SafetyRule                               ARC refused, naming the rules
    ├── Unreachable                              no connection: nothing was sent, so nothing happened
    └── Uncertain                                no answer: the effect may or may not have happened

An error says what happened, to what, what was changed, and the next command.
"""

from dataclasses import dataclass


class ResilError(Exception):
    """Something the operator must be told, as one message without a traceback."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ResilError):
    """The operator's words, configuration, credentials or state directory do not serve."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file. ``line`` counts from 1; None where the file as a whole is meant."""

    file: str
    line: int | None
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class InvalidFile(UsageError):
    """All the problems found in the files read, reported together."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Refused(ResilError):
    """A guard refused. Nothing was changed."""

    exit_code = 3


class Undone(ResilError):
    """The run failed, and everything it had changed was put back."""

    exit_code = 4


class Incomplete(ResilError):
    """Something was changed and the run is not finished; the journal says what."""

    exit_code = 5


class Unconfirmed(ResilError):
    """An effect could be neither confirmed nor ruled out by reading."""

    exit_code = 6


class Busy(ResilError):
    """Another run of this app is going on."""

    exit_code = 7


class Stale(ResilError):
    """The world is no longer as the plan saw it. Nothing was changed."""

    exit_code = 8


class Interrupted(ResilError):
    """The operator stopped the run; the journal can be resumed."""

    exit_code = 130


class AwsTrouble(Exception):
    """A call that did not do what was asked. ``code`` is AWS's own error code where there was one."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Denied(AwsTrouble):
    """Not allowed. The effect did not happen."""


class Throttled(AwsTrouble):
    """Refused for its rate, after the retries we allow. The effect did not happen."""


class NotFound(AwsTrouble):
    """The thing named does not exist. The effect did not happen."""


class Malformed(AwsTrouble):
    """AWS refused the request as invalid. The effect did not happen."""


class Conflicting(AwsTrouble):
    """Compare-and-swap refused: the thing is not as it was read. The effect did not happen."""


class SafetyRule(AwsTrouble):
    """ARC's safety rules refused. ``rules``: the ARNs named in the refusal.

    ``waiting``: not a judgement on the change but a rule's ``WaitPeriodMs`` after the last one; ask again later.
    """

    def __init__(self, message: str, *, rules: tuple[str, ...] = (), waiting: bool = False) -> None:
        super().__init__(message, code="ConflictException")
        self.rules = rules
        self.waiting = waiting


class Unreachable(AwsTrouble):
    """No connection could be made, so no request was sent. The effect did not happen."""


class Uncertain(AwsTrouble):
    """Timed out, reset or a server error: the effect may or may not have happened. Settle it by reading."""
