import pytest
from frame_support import frame_of, picture
from track_support import box_at, frame_at

from streams.contract.event_types import LineCrossed, TracksFound
from streams.contract.frame import Box, Event
from streams.operators.crop import Crop
from streams.operators.rotate import Rotate
from streams.operators.tracked import Anchor, ended_tracks, place_of, tracked_boxes

BOX = Box(x=0.2, y=0.4, w=0.2, h=0.4)


@pytest.mark.parametrize(
    ("anchor", "place"),
    [("center", (0.3, 0.6)), ("bottom", (0.3, 0.8)), ("top", (0.3, 0.4)), ("left", (0.2, 0.6)), ("right", (0.4, 0.6))],
)
def test_a_point_of_the_box(anchor: Anchor, place: tuple[float, float]) -> None:
    assert place_of(frame_of(picture()), BOX, anchor) == pytest.approx(place)


def test_it_is_one_of_the_picture_that_is_seen() -> None:
    cropped = Crop(x=0.25, y=0.5, w=0.5).open()(frame_of(picture()))
    turned = Rotate(angle=90).open()(frame_of(picture()))
    assert cropped is not None and turned is not None

    assert place_of(cropped, BOX, "center") == pytest.approx((0.1, 0.2))
    # What was below is to the left.
    assert place_of(turned, BOX, "left") == pytest.approx((0.2, 0.3))


def test_the_first_box_of_each_track() -> None:
    one, two, other = box_at(0.1, 0.1, track="a"), box_at(0.2, 0.2, track="a"), box_at(0.3, 0.3, track="b", label="cat")
    events = frame_at(0, box_at(0.9, 0.9), one, two, other).events

    assert tracked_boxes(events, ()) == {"a": one, "b": other}
    assert tracked_boxes(events, ("cat",)) == {"b": other}


def test_what_only_tells_of_tracks_has_none() -> None:
    crossed = LineCrossed(line="0", direction="in", boxes=(box_at(0.1, 0.1, track="a"),))

    assert tracked_boxes([Event(type="line", data=crossed)], ()) == {}


@pytest.mark.parametrize(
    ("data", "ended"),
    [
        (TracksFound(of="motion", boxes=(), ended=("a", "b")), ["a", "b"]),
        ({"ended": ["a"]}, ["a"]),
        ({"ended": "noon"}, []),
        ({}, []),
        (7, []),
    ],
)
def test_those_that_are_gone(data: object, ended: list[str]) -> None:
    assert ended_tracks([Event(type="track", data=data)]) == ended
