"""The worst of many, however many there are."""

import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class Worst(Generic[T]):
    """Keeps so many items of the highest badness; of equal ones, those that came first."""

    def __init__(self, count: int) -> None:
        self._count, self._seen = count, 0
        self._heap: list[tuple[float, int, T]] = []

    def add(self, badness: float, item: T) -> None:
        """Offer one."""
        self._seen += 1
        # No two have the same number, so items are never asked which is the lesser.
        entry = (badness, -self._seen, item)
        if len(self._heap) < self._count:
            heapq.heappush(self._heap, entry)
        elif self._count and entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def items(self) -> list[T]:
        """What was kept, the worst first."""
        return [item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
