"""When a worker stands still: frames wait, everything else works, and nothing is committed.

The rule alone, without threads, clock or Kafka; `streams.watchdog` looks, and acts on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from streams.lanes import Partition


@dataclass(frozen=True, slots=True)
class Standing:
    """One partition as the broker has it. position: where the group goes on; end: after the last frame."""

    position: int
    end: int

    @property
    def behind(self) -> int:
        """Frames that wait."""
        return max(0, self.end - self.position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen at one moment.

    standings: as the broker says, of those partitions in which the worker has committed nothing since the last look.
    in_flight: frames of each partition that somebody has in hand. others_go_on: whether there are other partitions.
    """

    standings: Mapping[Partition, Standing]
    in_flight: Mapping[Partition, int]
    others_go_on: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """A partition in which nothing was committed for so long, in seconds, though frames wait."""

    partition: Partition
    standing: Standing
    lasted_s: float

    def __str__(self) -> str:
        return (
            f"nothing was committed for {self.lasted_s:.0f} s though frames wait: {self.partition.topic}/"
            f"{self.partition.partition} stands at offset {self.standing.position} of {self.standing.end}"
        )


class StallRule:
    """Is told what was seen of the partitions, again and again; tells when one has stood still for too long.

    A partition stands still when frames of it wait, its committed position is the one that was seen before, and either
    none of its frames is in flight or no partition at all goes on. While others go on, frames in flight are only slow:
    each of them has its deadline.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._positions: dict[Partition, int] = {}
        self._since: dict[Partition, float] = {}

    def clear(self) -> None:
        """Something else explains why nothing goes on, or something does: whatever was seen counts no more."""
        self._positions.clear()
        self._since.clear()

    def seen(self, sight: Sight, *, now_s: float) -> Stall | None:
        """Take in what was seen; the partition that has stood still for longest, past the limit.

        now_s: on any clock that only goes forward.
        """
        standings = sight.standings
        moved = sight.others_go_on or any(
            self._positions.get(partition, each.position) != each.position for partition, each in standings.items()
        )
        since: dict[Partition, float] = {}
        for partition, standing in standings.items():
            stands = standing.behind > 0 and self._positions.get(partition, standing.position) == standing.position
            if stands and not (moved and sight.in_flight.get(partition)):
                since[partition] = self._since.get(partition, now_s)
        self._since = since
        self._positions = {partition: standing.position for partition, standing in standings.items()}
        if not since:
            return None
        worst = min(since, key=lambda partition: since[partition])
        lasted_s = now_s - since[worst]
        return Stall(worst, standings[worst], lasted_s) if lasted_s >= self._limit_s else None
