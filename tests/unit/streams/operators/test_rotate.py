import numpy as np
import pytest
from frame_support import assert_points_back, frame_of, picture, run

from streams.operators.checks import ParameterError
from streams.operators.rotate import Rotate


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (90.0, [[4, 1], [5, 2], [6, 3]]),
        (180.0, [[6, 5, 4], [3, 2, 1]]),
        (270.0, [[3, 6], [2, 5], [1, 4]]),
        (-90.0, [[3, 6], [2, 5], [1, 4]]),
        (360.0, [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_quarters_move_whole_pixels_clockwise(angle: float, expected: list[list[int]]) -> None:
    image = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)

    assert run(Rotate(angle=angle), image).tolist() == expected


def test_a_square_turned_in_its_frame_is_the_same_as_a_quarter() -> None:
    image = picture(40, 40)

    assert np.array_equal(run(Rotate(angle=90, expand=False), image), run(Rotate(angle=90), image))


def test_expanding_holds_the_whole_picture_and_the_rest_is_black() -> None:
    image = np.full((60, 80), 255, np.uint8)

    result = run(Rotate(angle=30), image)

    assert result.shape == (round(80 * 0.5 + 60 * 0.75**0.5), round(80 * 0.75**0.5 + 60 * 0.5))
    assert result.sum() / 255 == pytest.approx(80 * 60, rel=0.01)
    assert result[0, 0] == result[-1, -1] == 0


def test_without_expanding_the_size_stays() -> None:
    assert run(Rotate(angle=30, expand=False), picture(80, 60)).shape == (60, 80, 3)


@pytest.mark.parametrize("angle", [90.0, 180.0, 270.0, 30.0, -77.5])
@pytest.mark.parametrize("expand", [True, False])
def test_points_map_back(angle: float, expand: bool) -> None:
    assert_points_back(Rotate(angle=angle, expand=expand), tolerance=0.03)


def test_no_turn_is_the_same_frame() -> None:
    frame = frame_of(picture())

    assert Rotate(angle=0).open()(frame) is frame


@pytest.mark.parametrize("angle", [361.0, float("inf"), float("nan")])
def test_refuses(angle: float) -> None:
    with pytest.raises(ParameterError, match=r"rotate: angle = .*: expected degrees from -360 to 360"):
        Rotate(angle=angle)
