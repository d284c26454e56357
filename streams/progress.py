"""How far a worker is with its partitions, for whoever reports it: any thread may ask, and nothing waits for it."""

from typing import Any

from faust.exceptions import ConsumerNotStarted
from faust.types.tuples import TP

from streams.app import FrameApp
from streams.lanes import Partition
from streams.outbox import FrameEntry, FrameLane
from streams.unreadable import positions


class Progress:
    """Reads what the agent and Faust's consumer know; asks nobody and changes nothing."""

    def __init__(self, app: FrameApp) -> None:
        self._app, self.frames = app, app.frames

    @property
    def joined(self) -> bool:
        """Whether the group has given this worker its partitions, be they none, and it takes frames."""
        return self.frames.rebalances > 0 and not self.frames.fenced

    @property
    def hung_threads(self) -> int:
        """Threads that hang in an operator."""
        return self._app.pool.hung

    @property
    def partitions(self) -> list[Partition]:
        """The partitions that this worker has, in order."""
        try:
            return sorted(Partition(*tp) for tp in self._consumer.assignment()) if self._consumer else []
        except ConsumerNotStarted:
            return []

    @property
    def input_partitions(self) -> int:
        """How many partitions the input topic has, as far as the client knows; 0 while it is away."""
        client = self._consumer and self._consumer._thread._consumer
        if client is None:
            return 0
        return len(client._client.cluster.partitions_for_topic(self.frames.pipeline.settings.input) or ())

    @property
    def undelivered_s(self) -> float:
        """For how long the broker has confirmed nothing though records wait for it; seconds, 0.0 when none waits."""
        return self.frames.outbox.publisher.undelivered_s

    def lag(self) -> dict[Partition, int]:
        """Frames behind, by partition: high watermark minus position, where both are known."""
        if self._consumer is None:
            return {}
        fetched = positions(self._consumer._thread._consumer) if self.partitions else {}
        lanes, found = self.frames.lanes, {}
        for partition in self.partitions:
            position = _position(lanes.get(partition), fetched.get(partition))
            high = self._high_watermark(partition)
            if position is not None and high is not None:
                found[partition] = max(0, high - position)
        return found

    def lag_s(self, *, now_ns: int) -> dict[Partition, float]:
        """How long ago the frame at the position was captured, in seconds, by partition; 0.0 where none waits.

        A partition is left out when frames wait and none of them is here yet. now_ns: ns since 1970.
        """
        lanes, found = self.frames.lanes, {}
        for partition, behind in self.lag().items():
            oldest = _oldest(lanes.get(partition))
            if behind == 0:
                found[partition] = 0.0
            elif oldest is not None:
                found[partition] = max(0.0, now_ns / 1e9 - oldest.work.record.timestamp_ms / 1e3)
        return found

    def committed(self) -> dict[Partition, int]:
        """What this worker has committed, by partition."""
        return {
            partition: lane.committed for partition, lane in self.frames.lanes.items() if lane.committed is not None
        }

    @property
    def _consumer(self) -> Any:
        # Faust makes it while it starts.
        return getattr(self.frames, "fetching", None)

    def _high_watermark(self, partition: Partition) -> int | None:
        try:
            high: int | None = self._consumer.highwater(TP(*partition))
        except (AssertionError, ConsumerNotStarted):
            # The consumer's own thread has just given the partition up.
            return None
        return high


def _position(lane: FrameLane | None, fetched: int | None) -> int | None:
    """Where the partition stands: settled so far, or what is fetched next where nothing has been taken in."""
    oldest = _oldest(lane)
    if oldest is not None:
        return oldest.offset
    return lane.position if lane is not None and lane.position is not None else fetched


def _oldest(lane: FrameLane | None) -> FrameEntry | None:
    try:
        return lane.oldest() if lane is not None else None
    except IndexError:
        # The loop has settled the last one in this very moment.
        return None
