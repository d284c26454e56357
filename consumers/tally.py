"""What a subscriber has received: each frame once, and the sums per camera."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consumers.seen import SeenFrames
from streams.contract.errors import FrameError
from streams.contract.frame import Frame


@dataclass(slots=True)
class CameraSums:
    """What came of one camera.

    frames: handed out. duplicates: repeats that were dropped. missing: sequences that were skipped between the first
    and the last seen of an epoch and have not come since; a pipeline that filters skips, too.
    """

    frames: int = 0
    duplicates: int = 0
    missing: int = 0


class Tally:
    """Drops what has been seen and counts what comes."""

    def __init__(self) -> None:
        self._seen = SeenFrames()
        self._cameras: dict[str, CameraSums] = {}
        self._refused: Counter[str] = Counter()

    @property
    def cameras(self) -> Mapping[str, CameraSums]:
        """The sums, by camera_id."""
        return MappingProxyType(self._cameras)

    @property
    def refused(self) -> Mapping[str, int]:
        """Records that were no frames of the contract, by reason."""
        return MappingProxyType(self._refused)

    def admit(self, frame: Frame) -> bool:
        """Count a frame; False when it has been seen before and is to be dropped."""
        sums = self._cameras.setdefault(frame.camera_id, CameraSums())
        new, missing = self._seen.add(frame)
        if new:
            sums.frames += 1
        else:
            sums.duplicates += 1
        # The sequences of an epoch "@topic-partition" are offsets, which other cameras share.
        if not frame.epoch.startswith("@"):
            sums.missing += missing
        return new

    def refuse(self, error: FrameError) -> None:
        """Count a record that is no frame."""
        self._refused[error.reason] += 1
