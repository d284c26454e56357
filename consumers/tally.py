"""What a subscriber has received: each frame once, and the sums per camera."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(slots=True)
class CameraSums:
    """What came of one camera.

    frames: handed out (or events). duplicates: repeats that were dropped. missing: sequences that were skipped between
    the first and the last seen of an epoch and have not come since; a pipeline that filters skips, too. skipped: left
    out by `freshest` for a newer one. redelivered: of the frames, those that may have been handed out before.
    """

    frames: int = 0
    duplicates: int = 0
    missing: int = 0
    skipped: int = 0
    redelivered: int = 0


class Tally:
    """Counts what comes, by camera, and what is refused, by reason."""

    def __init__(self) -> None:
        self._cameras: dict[str, CameraSums] = {}
        self._refused: Counter[str] = Counter()

    @property
    def cameras(self) -> Mapping[str, CameraSums]:
        """The sums, by camera_id."""
        return MappingProxyType(self._cameras)

    @property
    def refused(self) -> Mapping[str, int]:
        """Records that were not what they should be by the contract, by reason."""
        return MappingProxyType(self._refused)

    def of(self, camera_id: str) -> CameraSums:
        """The sums of a camera."""
        sums = self._cameras.get(camera_id)
        if sums is None:
            sums = self._cameras[camera_id] = CameraSums()
        return sums

    def refuse(self, reason: str) -> None:
        """Count a record that is not what it should be."""
        self._refused[reason] += 1
