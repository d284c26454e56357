from typing import Literal

import numpy as np
import pytest
from frame_support import assert_points_back, frame_of, picture, run

from streams.operators.checks import ParameterError
from streams.operators.flip import Flip

Direction = Literal["horizontal", "vertical", "both"]
each_direction = pytest.mark.parametrize("direction", ["horizontal", "vertical", "both"])


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("horizontal", [[2, 1], [4, 3]]), ("vertical", [[3, 4], [1, 2]]), ("both", [[4, 3], [2, 1]])],
)
def test_which_way(direction: Direction, expected: list[list[int]]) -> None:
    assert run(Flip(direction), np.array([[1, 2], [3, 4]], np.uint8)).tolist() == expected


@each_direction
def test_twice_is_as_it_was(direction: Direction) -> None:
    image = picture()
    flip = Flip(direction).open()

    once = flip(frame_of(image))
    assert once is not None
    twice = flip(once)

    assert twice is not None
    assert np.array_equal(twice.image, image)
    assert np.allclose(twice.to_raw, [[1, 0, 0], [0, 1, 0]])


@each_direction
def test_points_map_back(direction: Direction) -> None:
    assert_points_back(Flip(direction))


def test_refuses() -> None:
    with pytest.raises(ParameterError, match='flip: direction = "sideways": expected "horizontal", "vertical"'):
        Flip("sideways")  # type: ignore[arg-type]
