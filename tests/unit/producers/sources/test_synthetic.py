import numpy as np
import pytest
from producer_support import ManualClock

from producers.sources.base import SourceOptions
from producers.sources.synthetic import open_synthetic
from producers.stamp import Stamp, camera_hash, read_stamp


def test_its_pictures_are_numbered_from_0_each_time_it_is_opened() -> None:
    options = SourceOptions(camera_id="gate-1", clock=ManualClock(5))
    for _ in range(2):
        source = open_synthetic("synthetic:?size=320x240&fps=10&seed=3", options)
        for number in range(3):
            grab = source.grab()
            assert isinstance(grab.picture, np.ndarray)
            assert grab.picture.shape == (240, 320, 3)
            assert read_stamp(grab.picture) == Stamp(camera_hash=camera_hash("gate-1"), sequence=number)
            assert (grab.captured_at_ns, grab.media_time_ns) == (5, number * 100_000_000)


@pytest.mark.parametrize(
    ("text", "options", "size", "fps"),
    [
        ("synthetic:", SourceOptions(camera_id="a"), (1280, 720), 15.0),
        ("synthetic:?size=640x480&fps=7.5", SourceOptions(camera_id="a"), (640, 480), 7.5),
        ("synthetic:?size=640x480&fps=7", SourceOptions(camera_id="a", size=(320, 240), fps=9), (320, 240), 9.0),
    ],
)
def test_what_is_wished_goes_before_what_is_written(
    text: str, options: SourceOptions, size: tuple[int, int], fps: float
) -> None:
    source = open_synthetic(text, options)
    picture = source.grab().picture
    assert isinstance(picture, np.ndarray)
    assert (picture.shape[1], picture.shape[0]) == size
    assert source.fps == fps
