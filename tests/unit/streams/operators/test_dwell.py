"""`dwell`: times in zones against what is known of them."""

from collections.abc import Iterable
from typing import Any

import pytest
from track_support import box_at, frame_at, told

from streams.contract.event_types import DwellChanged
from streams.contract.frame import Box, Frame
from streams.operators.checks import ParameterError
from streams.operators.crop import Crop
from streams.operators.dwell import Dwell
from streams.operators.tracked import MOST_TRACKS

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
IN, OUT = (0.3, 0.5), (0.7, 0.5)


def frames(places: Iterable[tuple[float, float] | None], *, track: str = "a") -> list[Frame]:
    """Ten frames a second in which the middle of a track is there; None: not found in it."""
    return [
        frame_at(index, *([box_at(*place, track=track)] if place else []), type="track")
        for index, place in enumerate(places)
    ]


def changes(dwell: Dwell, given: Iterable[Frame]) -> list[tuple[int, str, str, int]]:
    return [(index, data.zone, data.state, data.ms) for index, data in told(dwell.open(), given, "dwell")]


def test_who_enters_stays_and_leaves_is_told_with_the_time() -> None:
    dwell = Dwell(zones=(LEFT,), after_ms=1000, grace_ms=0)
    places = [OUT] * 5 + [IN] * 21 + [OUT] * 5

    assert changes(dwell, frames(places)) == [
        (5, "0", "entered", 0),
        (15, "0", "stayed", 1000),
        (26, "0", "left", 2000),
    ]


def test_an_event_tells_whose_it_is_and_where() -> None:
    events = told(Dwell(zones=(LEFT,), grace_ms=0).open(), frames([IN, (0.4, 0.5), OUT]), "dwell")

    assert events == [
        (0, DwellChanged(zone="0", state="entered", ms=0, boxes=(box_at(*IN, track="a"),))),
        (2, DwellChanged(zone="0", state="left", ms=100, boxes=(box_at(*OUT, track="a"),))),
    ]


def test_after_ms_is_told_once_for_each_stay() -> None:
    dwell = Dwell(zones=(LEFT,), after_ms=500, grace_ms=0)
    stay = [IN] * 20 + [OUT]

    assert [state for _, _, state, _ in changes(dwell, frames(stay * 2))] == ["entered", "stayed", "left"] * 2
    assert "stayed" not in [state for _, _, state, _ in changes(Dwell(zones=(LEFT,)), frames(stay))]


def test_a_short_way_out_is_none() -> None:
    dwell = Dwell(zones=(LEFT,), grace_ms=500)

    # Last found within at 0.9 s; at 1.4 s it has been without for 500 ms.
    assert changes(dwell, frames([IN] * 10 + [OUT] * 4 + [IN] * 10)) == [(0, "0", "entered", 0)]
    assert changes(dwell, frames([IN] * 10 + [OUT] * 6 + [IN])) == [
        (0, "0", "entered", 0),
        (14, "0", "left", 900),
        (16, "0", "entered", 0),
    ]


def test_what_is_hidden_within_stays_and_what_ends_there_leaves() -> None:
    dwell = Dwell(zones=(LEFT,), grace_ms=200)
    hidden = frames([IN] * 5 + [None] * 10 + [IN])

    assert changes(dwell, hidden) == [(0, "0", "entered", 0)]
    # It was last seen there after 1.5 s.
    assert changes(dwell, [*hidden, frame_at(30, type="track", ended=["a", "other"])])[1:] == [(30, "0", "left", 1500)]


def test_each_zone_for_itself_by_its_name() -> None:
    wide = ((0.0, 0.0), (0.6, 0.0), (0.6, 1.0), (0.0, 1.0))
    dwell = Dwell(zones=(LEFT, RIGHT, wide), names=("left", "right", "wide"), grace_ms=0)

    found = changes(dwell, frames([IN, IN, (0.55, 0.5), OUT]))

    assert found == [
        (0, "left", "entered", 0),
        (0, "wide", "entered", 0),
        (2, "left", "left", 100),
        (2, "right", "entered", 0),
        (3, "wide", "left", 200),
    ]


def test_several_at_once() -> None:
    both = [frame_at(0, box_at(*IN, track="a"), box_at(0.1, 0.1, track="b"), type="track")]
    both += [frame_at(1, box_at(*OUT, track="a"), box_at(0.1, 0.1, track="b"), type="track")]

    events = told(Dwell(zones=(LEFT,), grace_ms=0).open(), both, "dwell")

    assert [(index, data.state, data.boxes[0].track) for index, data in events] == [
        (0, "entered", "a"),
        (0, "entered", "b"),
        (1, "left", "a"),
    ]


def test_without_zones_the_whole_picture_counts() -> None:
    assert changes(Dwell(), frames([IN])) == [(0, "0", "entered", 0)]


def test_by_another_point_of_the_box() -> None:
    below = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))

    assert changes(Dwell(zones=(below,), anchor="bottom"), frames([(0.5, 0.46)])) == [(0, "0", "entered", 0)]
    assert changes(Dwell(zones=(below,)), frames([(0.5, 0.46)])) == []


def test_only_these_labels() -> None:
    given = [frame_at(0, box_at(*IN, track="a", label="dog"), box_at(*IN, track="b", label="cat"), type="track")]

    events = told(Dwell(labels=("cat",)).open(), given, "dwell")

    assert [data.boxes[0].track for _, data in events] == ["b"]


def test_zones_are_of_the_picture_that_is_seen() -> None:
    crop, dwell = Crop(x=0.5).open(), Dwell(zones=(LEFT,)).open()
    cropped = [crop(frame) for frame in frames([(0.3, 0.5), (0.7, 0.5)])]

    found = told(dwell, [frame for frame in cropped if frame is not None], "dwell")

    assert [index for index, _ in found] == [1]


def test_time_is_of_capture() -> None:
    given = [frame_at(index, box_at(*IN, track="a"), at_s=at_s, type="track") for index, at_s in ((0, 0.0), (50, 3.0))]

    found = changes(Dwell(zones=(LEFT,), after_ms=3000), given)

    assert found == [(0, "0", "entered", 0), (50, "0", "stayed", 3000)]


def test_a_clock_that_is_put_back_makes_no_stay_shorter_than_it_is() -> None:
    times = [0.0, 0.1, 0.2, -99.7, -99.6, -99.5]
    given = [frame_at(index, box_at(*IN, track="a"), at_s=at_s, type="track") for index, at_s in enumerate(times)]
    given += [frame_at(6, box_at(*OUT, track="a"), at_s=-99.4, type="track")]

    # 0.2 s before, and 0.1 s after; what lies between is not known.
    assert changes(Dwell(zones=(LEFT,), grace_ms=0), given) == [(0, "0", "entered", 0), (6, "0", "left", 300)]


def test_a_redriven_frame_of_the_past_changes_nothing() -> None:
    given = frames([IN] * 5)

    assert changes(Dwell(zones=(LEFT,), grace_ms=0), [*given, frames([OUT] * 3)[2]]) == [(0, "0", "entered", 0)]


def test_of_too_many_the_longest_unseen_have_left() -> None:
    def crowd(index: int, tracks: range) -> Frame:
        boxes: list[Box] = [box_at(*IN, track=str(track)) for track in tracks]
        return frame_at(index, *boxes, type="track")

    events = told(Dwell(zones=(LEFT,)).open(), [crowd(0, range(3)), crowd(1, range(2, MOST_TRACKS + 2))], "dwell")

    assert [(data.state, data.boxes[0].track, data.ms) for _, data in events[-2:]] == [
        ("left", "0", 0),
        ("left", "1", 0),
    ]
    assert len(events) == MOST_TRACKS + 4


def test_without_tracks_a_frame_passes_as_it_is() -> None:
    frame = frame_at(0, box_at(*IN))

    assert Dwell().open()(frame) is frame


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"zones": (((0.0, 0.0), (1.0, 1.0)),)}, "dwell: zones = "),
        (
            {"names": ("a", "b")},
            "dwell: names = .*: expected a different name for each of the zones, of which there are 1",
        ),
        ({"anchor": "middle"}, "dwell: anchor = "),
        ({"after_ms": -1}, "dwell: after_ms = -1"),
        ({"grace_ms": -1}, "dwell: grace_ms = -1"),
    ],
)
def test_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Dwell(**parameters)
