import numpy as np
import pytest
from frame_support import flat, run

from streams.operators.checks import ParameterError
from streams.operators.sharpen import Sharpen


def edge() -> np.ndarray:
    image = flat(20, 4, 100)
    image[:, 10:] = 150
    return image


def test_an_edge_becomes_steeper() -> None:
    result = run(Sharpen(), edge())

    assert result[2, 9] < 100 and result[2, 10] > 150
    assert result[2, 2] == 100 and result[2, 17] == 150


def test_more_is_steeper() -> None:
    assert run(Sharpen(amount=3), edge())[2, 10] > run(Sharpen(amount=0.5), edge())[2, 10]


def test_values_are_cut_not_wrapped() -> None:
    image = flat(20, 4, 0)
    image[:, 10:] = 255

    assert np.array_equal(run(Sharpen(amount=5), image), image)


@pytest.mark.parametrize("parameters", [{"amount": 0.0}, {"amount": 11.0}, {"sigma": 0.0}, {"sigma": 21.0}])
def test_refuses(parameters: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=f"sharpen: {next(iter(parameters))} = "):
        Sharpen(**parameters)
