"""Memories that outlast a rebalance: a partition that stays with this worker goes on where it was."""

from collections.abc import Collection

from streams.cameras import Openable, Turns
from streams.lanes import Partition


class KeptTurns:
    """The turns of lanes that ended in order, until it is known who has their partitions now."""

    def __init__(self) -> None:
        self._kept: dict[Partition, tuple[int, Turns]] = {}

    def put(self, partition: Partition, position: int, turns: Turns) -> None:
        """A lane has ended; its memories have seen every frame before the position, and none after it."""
        self._kept[partition] = (position, turns)

    def take(self, partition: Partition, first: int, pipeline: Openable) -> Turns | None:
        """What to go on with from offset `first`; None where the memories are of another position, or pipeline."""
        position, turns = self._kept.pop(partition, (-1, None))
        if turns is not None and not (position == first and turns.serves(pipeline)):
            turns.clear()
            return None
        return turns

    def keep_only(self, partitions: Collection[Partition]) -> None:
        """Only these may come again; the others' memories are let go of."""
        for partition in [each for each in self._kept if each not in partitions]:
            _, turns = self._kept.pop(partition)
            turns.clear()
