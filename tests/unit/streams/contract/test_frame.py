"""The frame: its pictures, and where things lie in the raw one."""

import cv2
import numpy as np
import pytest

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


def test_a_smaller_picture_is_the_whole_one_averaged() -> None:
    image = np.random.default_rng(1).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    frame = make().changed(_image=image)

    assert np.array_equal(frame.downscaled(50, 20), cv2.resize(image, (50, 20), interpolation=cv2.INTER_AREA))
    assert frame.downscaled(200, 100) is image


def test_a_smaller_picture_comes_from_a_reduced_one_where_that_is_large_enough() -> None:
    reduced = np.full((50, 100, 3), 7, np.uint8)
    frame = make().changed(_reduced=reduced)

    assert frame.downscaled(100, 50) is reduced
    assert frame.downscaled(40, 50).mean() == 7
    assert not frame.has_image
    # The whole picture is black, and decoded now.
    assert frame.downscaled(101, 20).max() == 0
    assert frame.has_image and frame.image.shape == (100, 200, 3)
    assert frame.with_image(np.zeros((50, 100), np.uint8)).downscaled(50, 25).ndim == 2


def test_nobody_writes_into_a_picture_that_was_decoded_when_asked_for() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make().image[:] = 1


def test_a_changed_frame_is_a_frame_of_its_own() -> None:
    frame = make()
    other = frame.changed(sequence=2)

    assert (frame.sequence, other.sequence) == (1, 2)
    assert all(getattr(other, name) is getattr(frame, name) for name in Frame.__struct_fields__ if name != "sequence")
    with pytest.raises(TypeError):
        frame.changed(sequenze=2)


def test_events_gather() -> None:
    first, second = Event(type="a", data={}), Event(type="b", data={})
    assert make().with_events(first).with_events(second).events == (first, second)


def test_a_frame_is_shown_without_its_bytes_and_pixels() -> None:
    shown = repr(make())
    assert shown.startswith("Frame(camera_id=")
    assert "data=" not in shown and "_image=" not in shown
