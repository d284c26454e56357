"""The last raw frames, by identity, so that one can be shown beside what was made of it."""

from collections import OrderedDict

from consumers.received import ReceivedFrame
from streams.contract.topics import MIB

KEPT_BYTES = 96 * MIB


class RawFrames:
    """Raw frames, the oldest dropped when they hold more than `kept_bytes`."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._frames: OrderedDict[str, ReceivedFrame] = OrderedDict()
        self.bytes = 0

    def add(self, frame: ReceivedFrame) -> None:
        """Keep it for a while."""
        before = self._frames.pop(frame.name, None)
        self._frames[frame.name] = frame
        self.bytes += len(frame.data) - (len(before.data) if before else 0)
        while self.bytes > self._kept_bytes:
            _, oldest = self._frames.popitem(last=False)
            self.bytes -= len(oldest.data)

    def of(self, frame: ReceivedFrame) -> ReceivedFrame | None:
        """The raw frame of a processed one; None where it is not here (any more)."""
        return self._frames.get(frame.name)

    def clear(self) -> None:
        """Drop them all."""
        self._frames.clear()
        self.bytes = 0
