"""The links between Regions: how long a write takes over each, and which of them hold writes back for now.

A delay is a fixed function of seed, link, table and partition key: two writes to one key keep their order, writes to
different keys overtake one another (as streams of different partitions do), and equal seeds give equal delays.
"""

from zlib import crc32

Pair = tuple[str, str]
"""The Region written in, and the Region to be written to."""

Range = tuple[float, float]
USUAL_MS: Range = (600.0, 1200.0)  # what the Guidance measured between its two Regions


class Links:
    """Every ordered pair of Regions is one link. A link holds while it is stalled or an end of it is isolated."""

    def __init__(self, seed: int = 7, usual_ms: Range = USUAL_MS) -> None:
        self._seed = seed
        self._usual, self._lag = usual_ms, dict[Pair, Range]()
        self.stalled: set[Pair] = set()
        self.isolated: set[str] = set()

    def set_lag(self, lag_ms: Range, pair: Pair | None = None) -> None:
        """The range of one link's delays; without a pair of every link, whatever was set for single ones before."""
        if not 0 <= lag_ms[0] <= lag_ms[1]:
            raise ValueError(f"a lag is a range of milliseconds from low to high, not {lag_ms}")
        if pair is not None:
            self._lag[pair] = lag_ms
        else:
            self._usual, self._lag = lag_ms, {}

    def lag_ms(self, pair: Pair | None = None) -> Range:
        return self._usual if pair is None else self._lag.get(pair, self._usual)

    def delay_s(self, pair: Pair, table: str, partition: str) -> float:
        low, high = self.lag_ms(pair)
        place = crc32("|".join((str(self._seed), *pair, table, partition)).encode()) / 2**32
        return (low + (high - low) * place) / 1000

    def holds(self, pair: Pair) -> bool:
        return pair in self.stalled or not self.isolated.isdisjoint(pair)
