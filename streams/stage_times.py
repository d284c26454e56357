"""How long frames spend in each stage of their way through the worker.

fetch: from the client's handing over the batch to the frame's being taken in, which is Faust's part.
queue: until a thread has it. decode, "0:resize", ..., encode: in the pipeline.
order: until the frames before it in its partition are published. publish: until the broker has its records.
"""

import time
from collections.abc import Iterable, Mapping

from streams.contract.histogram import STAGE_BOUNDS_S, Histogram
from streams.lanes import Partition


class StageTimes:
    """Times by stage, in seconds. Written by the event loop, read by any thread."""

    def __init__(self) -> None:
        self._stages: dict[str, Histogram] = {}
        # When the last batch of each partition came, time.monotonic(): one note for a batch, not one for a frame.
        self._arrived: dict[tuple[str, int], float] = {}

    def arrived(self, partitions: Iterable[tuple[str, int]]) -> None:
        """The client has handed over a batch with frames of these partitions."""
        now = time.monotonic()
        for partition in partitions:
            self._arrived[partition] = now

    def taken(self, partition: Partition) -> None:
        """A frame of the partition was taken in."""
        arrived = self._arrived.get(partition)
        if arrived is not None:
            self.add("fetch", time.monotonic() - arrived)

    def add(self, stage: str, seconds: float) -> None:
        """A frame has spent so long in a stage."""
        histogram = self._stages.get(stage)
        if histogram is None:
            histogram = self._stages[stage] = Histogram(STAGE_BOUNDS_S)
        histogram.observe(seconds)

    def add_all(self, seconds: Mapping[str, float]) -> None:
        """A frame has spent so long in these stages."""
        for stage, each in seconds.items():
            self.add(stage, each)

    def histograms(self) -> dict[str, Histogram]:
        """The times by stage, as they are counted on."""
        return self._stages.copy()

    def totals(self) -> dict[str, float]:
        """Seconds spent in each stage since the start, by all frames together."""
        return {stage: histogram.total_s for stage, histogram in self.histograms().items()}
