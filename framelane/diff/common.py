"""The time that both sides have, by camera."""

from collections.abc import Iterable

from framelane.diff.asked import SIDES, Key
from framelane.diff.found_events import EventIndex
from framelane.diff.frame_index import FrameIndex

# From the first to the last capture, ns since 1970, both included.
Times = tuple[int, int]


def common_times(index: FrameIndex, events: tuple[EventIndex, EventIndex], *, frames: bool) -> dict[str, Times]:
    """From the later one of the first captures to the earlier one of the last, of each camera that both sides have.

    frames: by those; else by the frames in which something was found.
    """
    seen = (dict[str, Times](), dict[str, Times]())
    for which in SIDES:
        if frames:
            times = ((key, pair.captured_at_ns) for key, pair in index.pairs.items() if pair.of(which) is not None)
        else:
            times = ((key, each.captured_at_ns) for key, each in events[which].frames.items())
        _widen(seen[which], times)
    return {
        camera: (max(seen[0][camera][0], seen[1][camera][0]), min(seen[0][camera][1], seen[1][camera][1]))
        for camera in seen[0].keys() & seen[1].keys()
    }


def _widen(seen: dict[str, Times], times: Iterable[tuple[Key, int]]) -> None:
    for (camera, _, _), at_ns in times:
        first, last = seen.get(camera, (at_ns, at_ns))
        seen[camera] = (min(first, at_ns), max(last, at_ns))


def clip(index: FrameIndex, events: tuple[EventIndex, EventIndex], times: dict[str, Times]) -> int:
    """Leave out what lies outside; how many frames those were. A camera that only one side has is kept whole."""

    def outside(key: Key, at_ns: int) -> bool:
        first, last = times.get(key[0], (at_ns, at_ns))
        return not first <= at_ns <= last

    frames = [key for key, pair in index.pairs.items() if outside(key, pair.captured_at_ns)]
    for key in frames:
        del index.pairs[key]
    for each in events:
        for key in [key for key, found in each.frames.items() if outside(key, found.captured_at_ns)]:
            del each.frames[key]
    return len(frames)
