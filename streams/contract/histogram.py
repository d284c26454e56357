"""Histograms that the hot path can afford: plain numbers, read out when somebody asks."""

from bisect import bisect_left
from collections.abc import Sequence
from math import inf

# Upper bounds in seconds. A stage takes from a tenth of a millisecond to its frame's deadline.
STAGE_BOUNDS_S = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# A frame may be a replay, or have waited while the broker was away.
AGE_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Histogram:
    """Counts of seconds by size. Written by one thread, read by any."""

    __slots__ = ("_bounds", "_counts", "total_s")

    def __init__(self, bounds_s: Sequence[float]) -> None:
        """bounds_s: the upper bound of each bucket but the last, which has none; inclusive, ascending."""
        self._bounds = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self.total_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total_s += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    def cumulative(self) -> list[tuple[float, int]]:
        """(upper bound, how many were no larger) for each bucket; the last bound is infinite."""
        found, total = [], 0
        for bound, count in zip((*self._bounds, inf), list(self._counts), strict=True):
            total += count
            found.append((bound, total))
        return found

    def merge(self, other: "Histogram") -> None:
        """Add what another one of the same bounds has counted."""
        self._counts = [one + two for one, two in zip(self._counts, other._counts, strict=True)]
        self.total_s += other.total_s
