"""Gaps in a camera's numbers: frames that never came here, told apart from those that were dropped here."""

from weakref import WeakKeyDictionary

from streams.contract.headers import Record, numbered
from streams.outbox import FrameLane

# Beyond this a jump is no loss of frames but another numbering: it is more than four days at 25 frames/s.
MAX_GAP = 10_000_000
# Forged keys must not fill the memory.
MAX_CAMERAS = 4000


class Gaps:
    """Watches the sequence numbers of each camera in each lane, in the order of offsets.

    A gap counts only between two frames of one epoch that follow each other in a lane: the first frame of a camera, a
    new epoch, and a record without a number only set the mark. So neither a rebalance nor a restart is taken for a gap.
    A frame that comes again or late (a redriven one) is none either.
    """

    def __init__(self) -> None:
        self._marks: WeakKeyDictionary[FrameLane, dict[str, tuple[str, int]]] = WeakKeyDictionary()

    def before(self, lane: FrameLane, camera: str, record: Record) -> int:
        """How many frames are missing just before this one."""
        marks = self._marks.get(lane)
        if marks is None:
            marks = self._marks[lane] = {}
        found = numbered(record, camera)
        if found is None:
            marks.pop(camera, None)
            return 0
        epoch, sequence = found
        known, expected = marks.get(camera, ("", 0))
        if known == epoch and sequence < expected:
            return 0
        if known or len(marks) < MAX_CAMERAS:
            marks[camera] = (epoch, sequence + 1)
        missing = sequence - expected if known == epoch else 0
        return missing if missing <= MAX_GAP else 0
