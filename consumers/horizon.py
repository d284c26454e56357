"""Where a subscription with `until` ends: each partition has passed that time, or its end as of now."""

from collections.abc import Iterable, Mapping

# Timestamps within a partition are not sorted: cameras and pipelines are late by different amounts. Reading goes on for
# so long past `until` to find what still belongs before it.
SLACK_MS = 10_000


class Horizon:
    """Follows the partitions that are assigned towards `until_ns` (ns since 1970)."""

    def __init__(self, until_ns: int) -> None:
        # A record's timestamp is in ms: the first that is not before `until`.
        self.until_ms = -(-until_ns // 1_000_000)
        self._until_ns = until_ns
        self._next: dict[int, int] = {}
        self._passed: set[int] = set()
        self._assigned: set[int] | None = None
        self._ends: dict[int, int] = {}
        self._has_come = False

    def assign(self, partitions: Iterable[int]) -> None:
        """These partitions are read from now on, too."""
        self._assigned = (self._assigned or set()) | set(partitions)

    def revoke(self, partitions: Iterable[int]) -> None:
        """These partitions are somebody else's from now on."""
        gone = set(partitions)
        # Between a rebalance's two halves nothing is assigned, which says nothing of what is to come.
        self._assigned = (self._assigned or set()) - gone or None
        for partition in gone:
            self._next.pop(partition, None)
            self._ends.pop(partition, None)
            self._passed.discard(partition)

    def note(self, partition: int, *, next_offset: int, timestamp_ms: int = 0) -> bool:
        """A record was read, or the partition's end reached; True when the partition has just passed the time."""
        self._next[partition] = max(next_offset, self._next.get(partition, 0))
        if timestamp_ms < self.until_ms + SLACK_MS or partition in self._passed:
            return False
        self._passed.add(partition)
        return True

    def unbounded(self, *, now_ns: int) -> list[int]:
        """The partitions whose end has to be asked for: none before the time itself has come."""
        if now_ns < self._until_ns:
            return []
        self._has_come = True
        return sorted((self._assigned or set()) - self._ends.keys() - self._passed)

    def bound(self, ends: Mapping[int, int]) -> None:
        """The partitions' ends (the offset after the last record) as of now."""
        self._ends.update(ends)

    @property
    def reached(self) -> bool:
        """Whether nothing more is to come. Not before partitions were assigned: that may take a group a while.

        Who has none, as the group has more members than partitions, may get one until the time has come.
        """
        if not self._assigned:
            return self._assigned is not None and self._has_come
        return all(self._is_done(partition) for partition in self._assigned)

    def has_passed(self, partition: int) -> bool:
        """Whether all that is wanted of a partition was read."""
        return partition in self._passed

    def _is_done(self, partition: int) -> bool:
        if partition in self._passed:
            return True
        end, position = self._ends.get(partition), self._next.get(partition)
        return end is not None and position is not None and position >= end
