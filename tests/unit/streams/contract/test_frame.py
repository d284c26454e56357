"""The frame: its pictures, and where things lie in the raw one."""

import numpy as np

from streams.contract.frame import Box, Event, Frame, compose
from streams.contract.images import encode

PICTURE = np.zeros((100, 200, 3), np.uint8)


def make() -> Frame:
    return Frame(
        camera_id="a", epoch="e", sequence=1, captured_at_ns=0, width=200, height=100, data=encode(PICTURE), events=()
    )


def test_the_image_is_decoded_when_asked_for_and_once() -> None:
    frame = make()
    assert not frame.has_image
    assert frame.image is frame.image
    assert frame.has_image


def test_another_image_has_its_own_size_and_no_bytes() -> None:
    frame = make().with_image(np.zeros((50, 100), np.uint8))
    assert (frame.width, frame.height, frame.data, frame.raw_size) == (100, 50, b"", (200, 100))


def test_boxes_lie_in_the_raw_picture() -> None:
    half = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    frame = make().with_image(np.zeros((50, 100, 3), np.uint8), back=half)
    box = frame.box(10, 20, 30, 10, label="car")
    assert box == Box(x=0.1, y=0.4, w=0.3, h=0.2, label="car") or np.allclose(
        [box.x, box.y, box.w, box.h], [0.1, 0.4, 0.3, 0.2]
    )
    assert frame.pixels_of(box) == (10, 20, 30, 10)


def test_boxes_stay_within_the_picture() -> None:
    box = make().box(-50, -50, 1000, 1000)
    assert (box.x, box.y, box.w, box.h) == (0, 0, 1, 1)


def test_moves_add_up() -> None:
    shift = np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 7.0]])
    double = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    assert np.allclose(compose(shift, double) @ [1, 1, 1], [7, 9])


def test_events_gather() -> None:
    first, second = Event(type="a", data={}), Event(type="b", data={})
    assert make().with_events(first).with_events(second).events == (first, second)
