import numpy as np
import pytest
from frame_support import flat, run

from streams.operators.checks import ParameterError
from streams.operators.threshold import Threshold

ROW = np.array([[0, 99, 100, 101, 255]], np.uint8)


def test_white_is_what_lies_above_the_value() -> None:
    assert run(Threshold(value=100), ROW).tolist() == [[0, 0, 0, 255, 255]]


def test_inverted() -> None:
    assert run(Threshold(value=100, invert=True), ROW).tolist() == [[255, 255, 255, 0, 0]]


def test_otsu_finds_the_value_between_two_heaps() -> None:
    image = flat(20, 20, (40, 40, 40))
    image[:, 10:] = 70

    result = run(Threshold(kind="otsu"), image)

    assert not result[:, :10].any() and (result[:, 10:] == 255).all()


def test_adaptive_finds_dark_writing_on_an_uneven_ground() -> None:
    image = np.tile(np.linspace(60, 220, 100).astype(np.uint8), (40, 1))
    image[10:30, [20, 50, 80]] -= 30

    result = run(Threshold(kind="adaptive", offset=10.0), image)

    assert not result[15:25, [20, 50, 80]].any()
    assert (result[:5] == 255).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kind": "mean"}, "threshold: kind = "),
        ({"value": 256}, "threshold: value = 256: expected a number from 0 to 255"),
        ({"block": 10}, "threshold: block = 10: expected an odd number"),
        ({"offset": 999.0}, "threshold: offset = 999"),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Threshold(**parameters)  # type: ignore[arg-type]
