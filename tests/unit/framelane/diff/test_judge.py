import msgspec
from consumer_support import frame_of

from framelane.diff.asked import Asked, Key, Side, Which
from framelane.diff.common import clip, common_times
from framelane.diff.found_events import EventIndex, Found, FrameEvents
from framelane.diff.frame_index import FrameIndex
from framelane.diff.judge import judge_events, judge_frames
from framelane.diff.outcome import Mark, Outcome, SideOutcome
from streams.contract.headers import Record, to_headers

ASKED = Asked(sides=(Side(topic="a"), Side(topic="b")))
EPOCH = "20260509T073000000-ab12"
S = 1_000_000_000


def key(sequence: int, camera: str = "gate-1") -> Key:
    return camera, EPOCH, sequence


def add(index: FrameIndex, which: Which, *sequences: int, data: bytes | None = None, camera: str = "gate-1") -> None:
    for sequence in sequences:
        frame = frame_of(camera, sequence, captured_at_ns=sequence * S, data=data)
        record = Record("t", 0, sequence, 0, frame.camera_id.encode(), frame.data, to_headers(frame))
        index.add(which, frame, record)


def events(**found: list[object]) -> EventIndex:
    """Events by sequence, as `_3=[...]`."""
    index = EventIndex()
    for name, data in found.items():
        sequence = int(name[1:])
        each = [Found(f"0/{n}", "motion", msgspec.json.encode(value)) for n, value in enumerate(data)]
        index.frames[key(sequence)] = FrameEvents(sequence * S, each)
    return index


def outcome() -> Outcome:
    return Outcome((SideOutcome("a"), SideOutcome("b")))


def sequences(marks: list[Mark]) -> list[int]:
    return [mark.key[2] for mark in marks]


def test_frames_are_missing_extra_or_have_other_bytes() -> None:
    index, found = FrameIndex(), outcome()
    add(index, 0, 1, 2, 3)
    add(index, 1, 2, 4)
    add(index, 1, 3, data=b"other")

    unlike = judge_frames(found, index)

    camera = found.cameras["gate-1"]
    assert (sequences(camera.marks["missing"]), sequences(camera.marks["extra"])) == ([1], [4])
    assert list(unlike) == [key(3)]
    assert camera.frames == [3, 3]
    assert found.differs


def test_repeats_count_once_and_the_first_counts() -> None:
    index, found = FrameIndex(), outcome()
    add(index, 0, 1, 1, 1)
    add(index, 0, 1, data=b"other")
    add(index, 1, 1)

    assert judge_frames(found, index) == {}
    assert not found.differs
    assert (index.sums[0].repeats, index.sums[0].unlike) == (3, 1)
    assert (index.sums[1].repeats, index.sums[1].unlike) == (0, 0)
    assert found.cameras["gate-1"].frames == [1, 1]


def test_events_differ_by_frame_and_those_of_a_frame_that_is_missing_go_with_it() -> None:
    index, found = FrameIndex(), outcome()
    add(index, 0, 1, 2, 3)
    add(index, 1, 1, 2)
    # The last frame was filtered out on both sides.
    both = events(_1=[{"x": 1}], _2=[{"x": 1}, {"x": 2}], _3=[{"x": 1}], _9=[]), events(_1=[{"x": 1.0}], _2=[], _9=[1])

    judge_frames(found, index)
    changed = list(judge_events(found, index, both, ASKED))

    assert changed == [(key(2), 2), (key(9), 1)]
    camera = found.cameras["gate-1"]
    assert sequences(camera.marks["events"]) == [2, 9]
    assert camera.events == [4, 2]
    assert len(camera.times_ns) == 4


def test_only_the_time_that_both_have_counts_where_that_is_asked() -> None:
    index, found = FrameIndex(), outcome()
    add(index, 0, *range(10))
    add(index, 1, 4, 5, 7, 8)
    add(index, 1, 30, 31, camera="gate-2")
    both = events(_0=[1], _5=[1], _9=[1]), events()

    left_out = clip(index, both, common_times(index, both, frames=True))
    judge_frames(found, index)

    assert left_out == 5
    assert sequences(found.cameras["gate-1"].marks["missing"]) == [6]
    assert list(both[0].frames) == [key(5)]
    # One that a side lacks altogether is not hidden so.
    assert sequences(found.cameras["gate-2"].marks["extra"]) == [30, 31]


def test_without_frames_the_time_is_that_of_events() -> None:
    both = events(_1=[1], _5=[1], _9=[1]), events(_5=[1], _7=[1], _9=[1])

    clip(FrameIndex(), both, common_times(FrameIndex(), both, frames=False))

    assert [list(each.frames) for each in both] == [[key(5), key(9)], [key(5), key(7), key(9)]]
