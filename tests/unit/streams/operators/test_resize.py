import numpy as np
import pytest
from frame_support import assert_points_back, flat, frame_of, run

from streams.operators.checks import ParameterError
from streams.operators.resize import Resize


@pytest.mark.parametrize(
    ("operator", "size"),
    [
        (Resize(width=40), (40, 30)),
        (Resize(height=30), (40, 30)),
        (Resize(width=20, height=50), (20, 50)),
        (Resize(width=160), (160, 120)),
        (Resize(width=1), (1, 1)),
    ],
)
def test_size(operator: Resize, size: tuple[int, int]) -> None:
    result = operator.open()(frame_of(flat(80, 60, (1, 2, 3))))

    assert result is not None
    assert (result.width, result.height) == size
    assert np.array_equal(result.image, flat(*size, (1, 2, 3)))


def test_shrinking_averages() -> None:
    image = np.array([[0, 100, 10, 30], [100, 200, 50, 70]], np.uint8)

    result = run(Resize(width=2), image)

    assert result.tolist() == [[100, 40]]


def test_the_same_size_is_the_same_frame() -> None:
    frame = frame_of(flat(80, 60, 5))

    assert Resize(width=80).open()(frame) is frame


@pytest.mark.parametrize("operator", [Resize(width=40), Resize(width=40, height=60), Resize(height=120)])
def test_points_map_back(operator: Resize) -> None:
    result = assert_points_back(operator, tolerance=0.02)

    assert result.raw_size == (80, 60)


def test_a_side_cannot_explode() -> None:
    with pytest.raises(ValueError, match="1x30000 would become 640x19200000"):
        run(Resize(width=640), flat(1, 30_000, 0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "resize: width is missing: expected a width or a height in pixels"),
        ({"width": 0}, "resize: width = 0: expected 1 to 16384 pixels"),
        ({"height": -1}, "resize: height = -1: expected 1 to 16384 pixels"),
        ({"width": 20_000}, "resize: width = 20000"),
    ],
)
def test_refuses(parameters: dict[str, int], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Resize(**parameters)
