"""Shares and the integer weights that stand for them. Pure arithmetic, exact in fractions."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

MOST = 255  # API: ResourceRecordSet.Weight is 0 to 255
STEP = Fraction(1, MOST)

Shares = dict[str, Fraction]


def shares_of(weights: Mapping[str, int]) -> Shares:
    """Weights -> shares. All-zero weights are answered as equal shares (developer guide, "Weighted routing")."""
    total = sum(weights.values())
    if total == 0:
        return {region: Fraction(1, len(weights)) for region in weights}
    return {region: Fraction(weight, total) for region, weight in weights.items()}


def weights_of(shares: Mapping[str, Fraction]) -> dict[str, int]:
    """Shares -> weights: whole percents as they are, anything finer on the scale of 255 by largest remainder.

    The weights add up to 100 or to 255. A share above zero never becomes weight 0, which Route 53 would read as "no
    traffic"; what the smallest are lifted by comes from those that are the most above their share.
    """
    percents = {region: share * 100 for region, share in shares.items()}
    if all(percent.denominator == 1 for percent in percents.values()):
        return {region: int(percent) for region, percent in percents.items()}
    exact = {region: share * MOST for region, share in shares.items() if share}
    weights = {region: max(int(value), 1) for region, value in exact.items()}
    while (left := MOST - sum(weights.values())) != 0:
        step = 1 if left > 0 else -1
        may = [region for region in weights if weights[region] + step > 0]
        weights[max(may, key=lambda r: (step * (exact[r] - weights[r]), r))] += step
    return {region: weights.get(region, 0) for region in shares}


def moved(shares: Mapping[str, Fraction], source: str, target: str) -> Shares:
    """All of source's share given to target; the others keep theirs."""
    after = dict(shares)
    after[target] = after.get(target, Fraction(0)) + after[source]
    after[source] = Fraction(0)
    return after


def climb(
    start: Mapping[str, Fraction], end: Mapping[str, Fraction], percents: Sequence[int]
) -> Iterator[tuple[int, Shares]]:
    """The stages of a ramp still ahead: each percent with its shares, the last being ``end``.

    A percent is of what the Regions that gain are to have in the end, so that a climb taken up again half-way goes on
    with what was left of it.
    """
    gaining = [region for region in end if end[region] - start[region] > STEP]
    wanted, reached = (sum((shares[region] for region in gaining), Fraction(0)) for shares in (end, start))
    for percent in percents[:-1]:
        gain = wanted * percent / 100 - reached
        if gain > STEP * len(gaining):  # nearer than a step each, it is reached: weights are whole numbers
            way = gain / (wanted - reached)
            yield percent, {region: start[region] + (end[region] - start[region]) * way for region in start}
    yield percents[-1], dict(end)
