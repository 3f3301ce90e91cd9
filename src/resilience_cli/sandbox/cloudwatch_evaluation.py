"""How a metric alarm's state follows from its datapoints: a pure function.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", whose two tables of
3-of-3 and 2-of-3 alarms are the tests' vectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

# The guide's examples retrieve five datapoints for three evaluation periods; how many more than needed are retrieved
# "depends on the length of the alarm period", so two more is the guide's own example.
EXTRA_PERIODS = 2

COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)


@dataclass(frozen=True)
class Test:
    """An alarm's M out of N and what it does about periods without data."""

    __test__ = False  # not a test case, whatever its name

    evaluation_periods: int
    datapoints_to_alarm: int
    missing: Missing = "missing"


def breaches(value: float, comparison: str, threshold: float) -> bool:
    """Whether a value is outside the threshold, by the API's ComparisonOperator."""
    return {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }[comparison]


def evaluate(points: Sequence[bool | None], test: Test, current: State) -> State:
    """The state from the evaluation range, oldest first: True breaching, False within, None without data.

    With enough real datapoints in the range the newest N of them decide and gaps are not looked at; only where there
    are fewer than N does the treatment of missing data count.
    """
    real = [point for point in points if point is not None]
    needed, enough = test.evaluation_periods, test.datapoints_to_alarm
    bad = sum(real[-needed:])
    if bad >= enough:
        return "ALARM"
    if len(real) >= needed:
        return "OK"
    match test.missing:
        case "breaching":
            return "ALARM" if bad + needed - len(real) >= enough else "OK"
        case "notBreaching":
            return "OK"
        case "ignore":
            return current if all(real) else "OK"
        case "missing":
            if not real:
                return "INSUFFICIENT_DATA"
            return "ALARM" if all(real) and _age_of_oldest(points) >= enough else "OK"
    assert_never(test.missing)


def _age_of_oldest(points: Sequence[bool | None]) -> int:
    """How many periods ago the oldest datapoint is, the newest period being 1."""
    oldest = next(index for index, point in enumerate(points) if point is not None)
    return len(points) - oldest


def verdicts(
    values: Mapping[int, float], ends: int, period: int, count: int, comparison: str, threshold: float
) -> tuple[bool | None, ...]:
    """The evaluation range of ``count`` whole periods up to ``ends``, oldest first, from the buckets' values."""
    starts = range(ends - count * period, ends, period)
    return tuple(breaches(values[at], comparison, threshold) if at in values else None for at in starts)
