"""`line_count`: crossings against what is known of them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from track_support import box_at, frame_at, told

from streams.contract.event_types import LineCrossed
from streams.contract.frame import Frame
from streams.operators.checks import ParameterError
from streams.operators.crop import Crop
from streams.operators.line_count import LineCount
from streams.operators.tracked import MOST_TRACKS

# From left to right: "in" is downwards.
ACROSS = ((0.2, 0.5), (0.8, 0.5))
DOWN = ((0.5, 0.0), (0.5, 1.0))
Path = Sequence[tuple[float, float] | None]


def frames(*paths: Path, label: str = "") -> list[Frame]:
    """Frames in which the middles of tracks "0", "1", ... are there; None: not found in it."""
    length = max(map(len, paths))
    made = []
    for index in range(length):
        places = [(str(track), path[index]) for track, path in enumerate(paths) if index < len(path)]
        boxes = [box_at(*place, track=track, label=label) for track, place in places if place is not None]
        made.append(frame_at(index, *boxes, type="track"))
    return made


def count(line_count: LineCount, given: Iterable[Frame]) -> list[tuple[int, str, str, str | None]]:
    """Frame, line, direction and track of each crossing."""
    events = told(line_count.open(), given, "line")
    assert all(data.count == 1 and len(data.boxes) == 1 for _, data in events)
    return [(index, data.line, data.direction, data.boxes[0].track) for index, data in events]


def line(start: tuple[float, float], end: tuple[float, float], steps: int = 10) -> list[tuple[float, float]]:
    ends = np.linspace(start, end, steps)
    return [(float(x), float(y)) for x, y in ends]


def test_a_crossing_is_told_once_with_its_direction() -> None:
    down, up = line((0.4, 0.1), (0.4, 0.9)), line((0.6, 0.9), (0.6, 0.1))

    events = told(LineCount(lines=(ACROSS,)).open(), frames(down, up), "line")

    box, other = box_at(0.4, down[5][1], track="0"), box_at(0.6, up[5][1], track="1")
    assert events == [
        (5, LineCrossed(line="0", direction="in", count=1, boxes=(box,))),
        (5, LineCrossed(line="0", direction="out", count=1, boxes=(other,))),
    ]


def test_there_and_back_is_in_and_out() -> None:
    path = [*line((0.5, 0.2), (0.5, 0.8), 7), *line((0.5, 0.7), (0.5, 0.2), 6)]

    assert [(line, direction) for _, line, direction, _ in count(LineCount(lines=(ACROSS,)), frames(path))] == [
        ("0", "in"),
        ("0", "out"),
    ]


def test_what_passes_beside_the_line_does_not_cross_it() -> None:
    beside, round_its_end = line((0.1, 0.1), (0.1, 0.9)), [(0.7, 0.4), (0.9, 0.4), (0.9, 0.6), (0.7, 0.6)]

    assert count(LineCount(lines=(ACROSS,)), frames(beside, round_its_end)) == []


def test_what_trembles_on_the_line_is_counted_once() -> None:
    tremble = [(0.5, 0.5 + offset) for offset in (0.01, -0.01, 0.015, -0.012, 0.0, 0.01)]
    path = [(0.5, 0.3), *tremble, (0.5, 0.7)]

    assert count(LineCount(lines=(ACROSS,), margin=0.01), frames(path)) == [(7, "0", "in", "0")]
    assert len(count(LineCount(lines=(ACROSS,), margin=0.0), frames(path))) > 1


def test_the_margin_is_of_the_pictures_width() -> None:
    # The picture is twice as wide as high: 0.02 of its height is 0.01 of its width.
    path = [(0.5, 0.3), (0.5, 0.519), (0.5, 0.521)]

    assert count(LineCount(lines=(ACROSS,), margin=0.01), frames(path)) == [(2, "0", "in", "0")]


def test_what_was_hidden_on_its_way_is_counted_when_it_is_there_again() -> None:
    path: Path = [(0.5, 0.3), None, None, None, (0.5, 0.7)]

    assert count(LineCount(lines=(ACROSS,)), frames(path)) == [(4, "0", "in", "0")]


def test_what_begins_beyond_the_line_or_on_it_has_not_crossed_it() -> None:
    assert count(LineCount(lines=(ACROSS,)), frames(line((0.5, 0.6), (0.5, 0.9)), line((0.5, 0.5), (0.5, 0.9)))) == []


def test_several_lines_by_their_names() -> None:
    path = line((0.4, 0.3), (0.6, 0.7), 12)

    found = count(
        LineCount(lines=(ACROSS, DOWN, ((0.5, 1.0), (0.5, 0.0))), names=("door", "way", "back")), frames(path)
    )

    assert [(line, direction) for _, line, direction, _ in found] == [("door", "in"), ("way", "out"), ("back", "in")]


def test_by_another_point_of_the_box() -> None:
    path = [(0.5, 0.4 + 0.01 * index) for index in range(20)]

    def crossed_at(anchor: Any) -> int:
        ((index, *_),) = count(LineCount(lines=(ACROSS,), anchor=anchor, margin=0.0), frames(path))
        return index

    # The box is 0.1 high.
    assert (crossed_at("bottom"), crossed_at("center"), crossed_at("top")) == (6, 11, 16)


def test_only_these_labels() -> None:
    path = line((0.4, 0.1), (0.4, 0.9))

    assert count(LineCount(lines=(ACROSS,), labels=("cat",)), frames(path, label="dog")) == []
    assert len(count(LineCount(lines=(ACROSS,), labels=("cat",)), frames(path, label="cat"))) == 1


def test_lines_are_of_the_picture_that_is_seen() -> None:
    crop, line_count = Crop(y=0.5).open(), LineCount(lines=(ACROSS,)).open()
    cropped = [crop(frame) for frame in frames(line((0.5, 0.1), (0.5, 0.9), 17))]

    found = told(line_count, [frame for frame in cropped if frame is not None], "line")

    # Half of the lower half, in the raw picture, and by the margin below.
    ((index, data),) = found
    assert index == 14 and data.boxes[0].y + data.boxes[0].h / 2 == pytest.approx(0.8)


def test_a_track_that_has_ended_is_forgotten() -> None:
    line_count = LineCount(lines=(ACROSS,)).open()
    given = [
        frame_at(0, box_at(0.5, 0.3, track="a"), type="track"),
        frame_at(1, type="track", ended=["a"]),
        frame_at(2, box_at(0.5, 0.7, track="a"), type="track"),
    ]

    assert told(line_count, given, "line") == []


def test_of_too_many_the_longest_unseen_are_forgotten() -> None:
    above = [box_at(0.5, 0.3, track=str(track)) for track in range(MOST_TRACKS + 1)]
    below = [box_at(0.5, 0.7, track=str(track)) for track in range(MOST_TRACKS + 1)]
    given = [frame_at(0, above[0], above[1], type="track"), frame_at(1, above[0], type="track")]
    # One too many: "1" has not been seen for longest.
    given += [frame_at(2, *above[2:], type="track"), frame_at(3, below[0], below[1], below[2], type="track")]

    assert [track for *_, track in count(LineCount(lines=(ACROSS,)), given)] == ["0", "2"]


def test_a_redriven_frame_of_the_past_counts_nothing() -> None:
    path = frames([(0.5, 0.3)] * 5)
    old = frame_at(2, box_at(0.5, 0.7, track="0"), type="track")

    assert count(LineCount(lines=(ACROSS,)), [*path, old, *(frame_at(9, box_at(0.5, 0.3, track="0")),)]) == []


def test_a_camera_that_changes_its_size_counts_nothing() -> None:
    line_count = LineCount(lines=(ACROSS,), margin=0.05)
    # While it was higher than wide, this was beyond the margin; now it lies within.
    high = frame_at(0, box_at(0.5, 0.45, track="a"), type="track").changed(width=100, height=200, raw_size=(100, 200))

    assert told(line_count.open(), [high, frame_at(1, box_at(0.5, 0.3, track="a"), type="track")], "line") == []


def test_without_tracks_a_frame_passes_as_it_is() -> None:
    frame = frame_at(0, box_at(0.5, 0.3))

    assert LineCount(lines=(ACROSS,)).open()(frame) is frame


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lines": ()}, "line_count: lines = .*: expected lines as two different"),
        ({"lines": (((0.1, 0.1), (0.1, 0.1)),)}, "line_count: lines = "),
        ({"lines": (((0.1, 0.1), (1.1, 0.1)),)}, "line_count: lines = "),
        (
            {"names": ("a", "b")},
            "line_count: names = .*: expected a different name for each of the lines, of which there are 1",
        ),
        ({"names": ("",)}, "line_count: names = "),
        ({"lines": (ACROSS, DOWN), "names": ("a", "a")}, "line_count: names = "),
        ({"anchor": "middle"}, 'line_count: anchor = "middle": expected "center" or "bottom"'),
        ({"margin": 0.3}, "line_count: margin = 0.3"),
    ],
)
def test_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        LineCount(**({"lines": (ACROSS,)} | parameters))
