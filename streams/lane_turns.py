"""The memories of a lane from its first frame to its end: kept through a rebalance, or warmed, or begun afresh."""

from collections.abc import Collection

from streams.cameras import Turns
from streams.kept import KeptTurns
from streams.lanes import Partition
from streams.mailbox import Mailbox
from streams.memories import Memories
from streams.outbox import FrameLane
from streams.pipeline import Pipeline, Run
from streams.pool import ThreadPool
from streams.settings import WorkerSettings
from streams.warmup import Warmup


class LaneTurns:
    """Gives each lane the turns of its cameras. of: those of the lanes that there are."""

    def __init__(self, settings: WorkerSettings, *, mailbox: Mailbox, pool: ThreadPool) -> None:
        self.warmup = Warmup(settings, mailbox=mailbox, pool=pool)
        self._memories = Memories(settings.memory_cameras)
        self._kept = KeptTurns()
        self.of: dict[FrameLane, Turns] = {}

    def begin(self, lane: FrameLane, pipeline: Pipeline, shared: Run, *, first: int) -> None:
        """A lane is there whose first frame has the offset `first`. shared: what the pipeline opened."""
        turns = self._kept.take(lane.partition, first, pipeline)
        if turns is None:
            turns = Turns(pipeline, shared, memories=self._memories)
            self.warmup.begin(turns, pipeline, lane.partition, before=first)
        self.of[lane] = turns

    def end(self, lane: FrameLane) -> None:
        """The lane has ended, and still has what is left in it."""
        turns = self.of.pop(lane)
        if lane.position is not None and not len(lane) and turns.warm:
            self._kept.put(lane.partition, lane.position, turns)
        else:
            turns.clear()
            self.warmup.stop(turns)

    def settled(self) -> dict[FrameLane, Turns]:
        """Those of all lanes, with nothing waiting for memories any more."""
        self.warmup.stop_all()
        return self.of

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These partitions are ours now; what is kept of others is let go of."""
        self._kept.keep_only(partitions)
