"""So many a second of each address, with room for a burst."""

import time
from collections import OrderedDict
from collections.abc import Callable

# Addresses that are remembered: whoever comes from more of them than that pushes out the oldest.
_KEPT = 10_000


class Rates:
    """A bucket of `burst` for each address, which fills by `per_s`. clock: in seconds, from anywhere."""

    def __init__(self, per_s: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str, *, take: bool = True) -> float:
        """Take one, or only look; 0 when there was one, else how many seconds to wait until there is."""
        now = self._clock()
        left, at = self._buckets.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_s)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_s
        self._buckets[address] = (left - (take and wait == 0), now)
        while len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        return wait
