"""The latest frame of each camera, read backwards from the end of a topic."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from framelane.lookup.reader import PlaceReader
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.headers import camera_of, to_frame
from streams.contract.records import to_record

_FIRST = 32
# Where nothing says how far to look, a partition is done with when so many records in a row showed no further camera.
QUIET_RECORDS = 500
# So long after its capture, a frame was most likely redriven: younger ones may lie before it.
_LATE_NS = 10_000_000_000
_GLOB = frozenset("*?[!")


@dataclass(slots=True)
class Latest:
    """What was found: the latest frame by camera; how many records were read; those that are no frames, by reason.

    current: the cameras of which a frame has come that was sent when it was captured.
    """

    frames: dict[str, Frame] = field(default_factory=dict)
    current: set[str] = field(default_factory=set)
    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def latest_frames(
    reader: PlaceReader, cameras: CameraGlobs, *, since_ms: int | None = None, quiet: int = QUIET_RECORDS
) -> Latest:
    """The latest frame, by capture time, of each camera that is meant.

    Each partition is read from its end in stretches that double, back to `since_ms` (ms since 1970), or until `quiet`
    records in a row showed no further camera; and no further once every camera is found that is named without a glob,
    by more than a frame that was redriven: its record, and that of its output, is younger than the frames behind it.
    """
    found = Latest()
    named = named_cameras(cameras)
    offsets = reader.offsets()
    since = reader.offsets_at(offsets, since_ms) if since_ms is not None and offsets else {}
    ends = {partition: each.end for partition, each in offsets.items()}
    starts = {partition: max(each.oldest, since.get(partition, 0)) for partition, each in offsets.items()}
    stretch, quiet_at = _FIRST, dict(ends)
    # All partitions by turns, so that nobody's latest frame waits until another partition is read in full.
    while left := [partition for partition, end in ends.items() if end > starts[partition]]:
        for partition in left:
            end = ends[partition]
            bound = starts[partition] if since_ms is not None else max(starts[partition], quiet_at[partition] - quiet)
            start = max(bound, end - stretch)
            if _take(reader, cameras, found, (partition, start, end), since_ms=since_ms or 0):
                quiet_at[partition] = start
            ends[partition] = start
            if since_ms is None and quiet_at[partition] - start >= quiet:
                starts[partition] = start
        if named is not None and named <= found.current:
            break
        stretch *= 2
    return found


def named_cameras(cameras: CameraGlobs) -> set[str] | None:
    """The cameras that are meant, where each is named in full; None where others may be meant as well."""
    globs: Sequence[str] = cameras.globs
    return set(globs) if globs and not any(_GLOB & set(glob) for glob in globs) else None


def _take(
    reader: PlaceReader, cameras: CameraGlobs, found: Latest, stretch: tuple[int, int, int], *, since_ms: int
) -> bool:
    """Read a stretch (partition, start, end); whether it has shown a further camera."""
    before = len(found.frames)
    for message in reader.span(*stretch):
        found.read += 1
        try:
            record = to_record(message)
            if record.timestamp_ms < since_ms or not cameras.match(camera_of(record)):
                continue
            frame = to_frame(record)
        except FrameError as error:
            found.refused[error.reason] += 1
            continue
        known = found.frames.get(frame.camera_id)
        if known is None or frame.captured_at_ns >= known.captured_at_ns:
            found.frames[frame.camera_id] = frame
        if record.timestamp_ms * 1_000_000 - frame.captured_at_ns <= _LATE_NS:
            found.current.add(frame.camera_id)
    return len(found.frames) > before


def missing(cameras: CameraGlobs, found: Iterable[str]) -> list[str]:
    """Those cameras that are named in full and were not found."""
    named = {glob for glob in cameras.globs if not _GLOB & set(glob)}
    return sorted(named - set(found))
