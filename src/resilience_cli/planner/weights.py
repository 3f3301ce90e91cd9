"""Shares and the integer weights that stand for them. Pure arithmetic, exact in fractions."""

from collections.abc import Mapping
from fractions import Fraction

MOST = 255  # API: ResourceRecordSet.Weight is 0 to 255

Shares = dict[str, Fraction]


def shares_of(weights: Mapping[str, int]) -> Shares:
    """Weights -> shares. All-zero weights are answered as equal shares (developer guide, "Weighted routing")."""
    total = sum(weights.values())
    if total == 0:
        return {region: Fraction(1, len(weights)) for region in weights}
    return {region: Fraction(weight, total) for region, weight in weights.items()}


def weights_of(shares: Mapping[str, Fraction]) -> dict[str, int]:
    """Shares -> weights: whole percents as they are, anything finer on the scale of 255 by largest remainder.

    A share above zero never becomes weight 0, which Route 53 would read as "no traffic".
    """
    percents = {region: share * 100 for region, share in shares.items()}
    if all(percent.denominator == 1 for percent in percents.values()):
        return {region: int(percent) for region, percent in percents.items()}
    exact = {region: share * MOST for region, share in shares.items()}
    weights = {region: int(value) for region, value in exact.items()}
    left = MOST - sum(weights.values())
    for region in sorted(exact, key=lambda r: (weights[r] - exact[r], r))[:left]:
        weights[region] += 1
    return {region: max(weight, 1) if shares[region] else 0 for region, weight in weights.items()}


def moved(shares: Mapping[str, Fraction], source: str, target: str) -> Shares:
    """All of source's share given to target; the others keep theirs."""
    after = dict(shares)
    after[target] = after.get(target, Fraction(0)) + after[source]
    after[source] = Fraction(0)
    return after


def part_way(start: Mapping[str, Fraction], end: Mapping[str, Fraction], percent: int) -> Shares:
    """``percent`` of the way from start to end."""
    way = Fraction(percent, 100)
    return {region: start[region] + (end[region] - start[region]) * way for region in start}
