import numpy as np
import pytest

from streams.contract.frame import Frame
from streams.contract.geometry import as_fractions, geometry_text, read_geometry


def frame(width: int, height: int, **more: object) -> Frame:
    return Frame(camera_id="gate-1", epoch="e", sequence=0, captured_at_ns=0, width=width, height=height, **more)


def test_a_smaller_picture_of_the_whole_says_nothing() -> None:
    raw = frame(1280, 720)
    small = raw.with_image(np.zeros((180, 320, 3), np.uint8), back=np.array([[4.0, 0, 0], [0, 4.0, 0]]))

    assert geometry_text(raw) == geometry_text(small) == ""
    assert as_fractions(small) is None


def test_a_part_is_told_and_read_again_and_boxes_go_back_to_where_they_were() -> None:
    raw = frame(1280, 720)
    part = raw.with_image(np.zeros((360, 640, 3), np.uint8), back=np.array([[1.0, 0, 640], [0, 1.0, 180]]))

    raw_size, to_raw = read_geometry(geometry_text(part))
    received = frame(640, 360, raw_size=raw_size, to_raw=to_raw)

    assert as_fractions(received) == pytest.approx((0.5, 0, 0.5, 0, 0.5, 0.25))
    assert received.pixels_of(part.box(10, 20, 30, 40)) == (10, 20, 30, 40)


def test_a_frame_of_unknown_size_says_nothing() -> None:
    assert geometry_text(frame(0, 0)) == ""


@pytest.mark.parametrize(
    "text", ["", "1 2 3", "1280 720 1 0 0 0 1 x", "1280 720 1 0 0 0 1 nan", "0 720 1 0 0 0 1 0", "1.5 720 1 0 0 0 1 0"]
)
def test_what_is_no_geometry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"numbers|width|convert"):
        read_geometry(text)
