import numpy as np
import pytest
from frame_support import flat, run

from streams.operators.checks import ParameterError
from streams.operators.edges import Edges


def test_the_outline_of_a_square() -> None:
    image = flat(60, 60, (0, 0, 0))
    image[20:40, 20:40] = 255

    result = run(Edges(), image)

    assert result.ndim == 2
    assert set(np.unique(result)) == {0, 255}
    ys, xs = np.nonzero(result)
    assert (xs.min(), ys.min()) in {(19, 19), (20, 20)} and (xs.max(), ys.max()) in {(39, 39), (40, 40)}
    assert not result[22:38, 22:38].any() and not result[:18].any()


def test_a_faint_edge_needs_a_low_threshold() -> None:
    image = flat(60, 60, 100)
    image[:, 30:] = 110

    assert not run(Edges(), image).any()
    assert run(Edges(low=10, high=20), image).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"low": 300.0}, "edges: low = 300.0: expected a number from 0 to high, which is 200"),
        ({"high": 0.0}, "edges: high = 0.0"),
        ({"low": -1.0}, "edges: low = -1.0"),
    ],
)
def test_refuses(parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Edges(**parameters)
