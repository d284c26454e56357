"""Which frames before a stretch its memories see: the last ones of each camera, and always the same ones."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from streams.contract.errors import FrameError
from streams.contract.headers import Record, camera_of
from streams.contract.redrive import redriven_for

# So many times as many records are looked through as frames of cameras that come equally often would take.
_REACH = 2

# The records from one offset up to another.
Scan = Callable[[int, int], Iterable[Record]]


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What memories see before the first frame: of each camera all from its offset on. first: the lowest of them."""

    first: int
    of: Mapping[str, int] = field(default_factory=dict)

    def takes(self, camera: str, offset: int) -> bool:
        """Whether this frame, which lies before the stretch, is among them."""
        return offset >= self.of.get(camera, self.first)


def find_warm_up(scan: Scan, *, start: int, oldest: int, memory_frames: int, wants: Callable[[str], bool]) -> WarmUp:
    """The last `memory_frames` frames of each camera before the offset `start`, as far back as they are found.

    oldest: what is retained. It depends on nothing but the records, so it is found again when a run is resumed.
    """
    offsets: dict[str, deque[int]] = {}
    reached, wanted_to = start, start - _REACH * memory_frames
    while reached > oldest and reached > wanted_to and not _complete(offsets, memory_frames, reached, start):
        begin = max(oldest, wanted_to)
        for camera, found in _frames(scan(begin, reached), wants).items():
            # What was found before is younger.
            offsets[camera] = deque((*found, *offsets.get(camera, ())), maxlen=memory_frames)
        reached = begin
        wanted_to = start - _REACH * memory_frames * max(1, len(offsets))
    of = {camera: found[0] for camera, found in offsets.items()}
    return WarmUp(min(of.values(), default=start), of)


def _complete(offsets: Mapping[str, deque[int]], memory_frames: int, reached: int, start: int) -> bool:
    return reached < start and all(len(found) >= memory_frames for found in offsets.values()) and bool(offsets)


def _frames(records: Iterable[Record], wants: Callable[[str], bool]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for record in records:
        camera = camera_to_run(record, wants)
        if camera is not None:
            found.setdefault(camera, []).append(record.offset)
    return found


def camera_to_run(record: Record, wants: Callable[[str], bool]) -> str | None:
    """The camera of a record that is a frame in its order, and is meant; else None."""
    try:
        camera = camera_of(record)
    except FrameError:
        return None
    return camera if wants(camera) and redriven_for(record.headers) is None else None
