import numpy as np
import pytest
from frame_support import assert_points_back, frame_of, picture, run

from streams.operators.checks import ParameterError
from streams.operators.crop import Crop


def test_keeps_exactly_these_pixels() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)

    result = run(Crop(x=0.5, y=0.25, w=0.5, h=0.5), image)

    assert result.tolist() == [[9, 10, 11], [15, 16, 17]]


def test_the_whole_is_the_same_frame() -> None:
    frame = frame_of(picture())

    assert Crop().open()(frame) is frame


def test_without_a_size_all_to_the_right_and_below() -> None:
    image = picture(10, 10)

    assert np.array_equal(run(Crop(x=0.3, y=0.5), image), image[5:, 3:])


def test_at_least_one_pixel_stays() -> None:
    image = picture(10, 10)

    result = run(Crop(x=0.99, y=0.99, w=0.001, h=0.001), image)

    assert np.array_equal(result, image[9:, 9:])


def test_tenths_that_add_up_to_one_are_taken() -> None:
    assert run(Crop(x=0.7, w=0.3), picture(10, 10)).shape == (10, 3, 3)


def test_points_map_back() -> None:
    assert_points_back(Crop(x=0.25, y=0.1, w=0.6, h=0.8))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"x": 1.0}, "crop: x = 1.0: expected a fraction of the picture, from 0 to below 1"),
        ({"y": -0.1}, "crop: y = -0.1"),
        ({"w": 0.0}, "crop: w = 0.0"),
        ({"x": 0.5, "w": 0.6}, r"crop: w = 0.6: expected .* from 0.5 on, at most 0.5"),
        ({"h": float("nan")}, "crop: h = NaN"),
    ],
)
def test_refuses(parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Crop(**parameters)
