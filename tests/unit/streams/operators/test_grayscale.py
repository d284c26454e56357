import numpy as np
from frame_support import frame_of, picture, run

from streams.operators.grayscale import Grayscale


def test_weighs_colours_as_bt601_does() -> None:
    blue_green_red_white = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)

    result = run(Grayscale(), blue_green_red_white)

    assert result.tolist() == [[29, 150, 76, 255]]


def test_gray_is_the_same_frame() -> None:
    frame = frame_of(picture(gray=True))

    assert Grayscale().open()(frame) is frame
