"""From what lies on both sides to what differs, but for how alike pictures are."""

from collections.abc import Iterator

from framelane.diff.alike import unmatched
from framelane.diff.asked import Asked, Key
from framelane.diff.found_events import EventIndex, Found
from framelane.diff.frame_index import FrameIndex, Pair
from framelane.diff.outcome import Mark, Outcome

Events = tuple[EventIndex, EventIndex]


def judge_frames(outcome: Outcome, index: FrameIndex) -> dict[Key, Pair]:
    """Count the frames, and mark what is missing and extra; those that both sides have, with other bytes."""
    unlike: dict[Key, Pair] = {}
    for key, pair in index.pairs.items():
        camera = outcome.camera(key[0])
        camera.times_ns.append(pair.captured_at_ns)
        camera.frames[0] += pair.a is not None
        camera.frames[1] += pair.b is not None
        if pair.b is None:
            camera.marks["missing"].append(Mark(pair.captured_at_ns, key))
        elif pair.a is None:
            camera.marks["extra"].append(Mark(pair.captured_at_ns, key))
        elif not pair.same_bytes:
            unlike[key] = pair
    return unlike


def judge_events(outcome: Outcome, index: FrameIndex, events: Events, asked: Asked) -> Iterator[tuple[Key, int]]:
    """Count the events, and mark the frames whose differ; gives those, with how many events have none like them.

    The events of a frame that one side lacks go with it. Where no frames were read, all that have events count.
    """
    for which, each in enumerate(events):
        for key, found in each.frames.items():
            outcome.camera(key[0]).events[which] += len(found.found)
    for key in dict.fromkeys([*events[0].frames, *events[1].frames]):
        pair = index.pairs.get(key)
        if pair is not None and (pair.a is None or pair.b is None):
            continue
        at_ns = next(each.frames[key].captured_at_ns for each in events if key in each.frames)
        camera = outcome.camera(key[0])
        if pair is None:
            camera.times_ns.append(at_ns)
        only_a, only_b = differing(events, key, asked)
        if only_a or only_b:
            camera.marks["events"].append(Mark(at_ns, key))
            yield key, len(only_a) + len(only_b)


def differing(events: Events, key: Key, asked: Asked) -> tuple[list[Found], list[Found]]:
    """The events of a frame that only A has, and those that only B has."""
    return unmatched(events[0].of(key), events[1].of(key), tolerance=asked.tolerance)
