"""Route 53's answering rules as one pure function: record sets + health -> who gets which share of the answers.

The planner's simulation and the sandbox's name server both call ``answer``, so there is one truth.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from .model.records import RecordSet

Zones = Mapping[str, Sequence[RecordSet]]


class Share(NamedTuple):
    """One possible answer: the record it ends at, the chain that led there (first = the name asked), how often."""

    path: tuple[RecordSet, ...]
    fraction: Fraction

    @property
    def leaf(self) -> RecordSet:
        return self.path[-1]
