"""What the latest records of a partition say of those before them: how many cameras, and how often each comes."""

from collections import Counter

# So much further back than what was sampled says, for cameras do not come quite evenly.
_SLACK = 1.1


class Sample:
    """The cameras of some records in a row. size: the bytes of all."""

    def __init__(self) -> None:
        self.size = 0
        self._records = 0
        self._frames: Counter[str] = Counter()

    def add(self, camera: str | None, *, size: int) -> None:
        """One more record of so many bytes; None: of a camera that is not wanted, or of none."""
        self.size += size
        self._records += 1
        if camera is not None:
            self._frames[camera] += 1

    def span(self, memory_frames: int) -> int:
        """How many records hold so many frames of each camera, about; 0 when no camera is wanted."""
        wanted = self._frames.total()
        if not wanted:
            return 0
        return round(_SLACK * memory_frames * len(self._frames) * self._records / wanted)

    def in_reach(self, camera: str, *, records: int, memory_frames: int) -> bool:
        """Whether the next of so many records, if of this camera, is among its last `memory_frames` ones, about."""
        return self._expected(camera, records) <= _SLACK * memory_frames

    def coming(self, *, records: int, memory_frames: int) -> int:
        """How many frames in reach so many records hold, about; at least 1."""
        return max(1, round(sum(min(memory_frames, self._expected(camera, records)) for camera in self._frames)))

    def _expected(self, camera: str, records: int) -> float:
        return records * self._frames[camera] / max(1, self._records)
