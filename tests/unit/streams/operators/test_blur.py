import numpy as np
import pytest
from frame_support import flat, picture, run

from streams.operators.blur import Blur
from streams.operators.checks import ParameterError


def speck() -> np.ndarray:
    image = flat(9, 9, 0)
    image[4, 4] = 160
    return image


def test_gaussian_spreads_a_speck() -> None:
    result = run(Blur(kernel=3), speck())

    assert result[3:6, 3:6].tolist() == [[10, 20, 10], [20, 40, 20], [10, 20, 10]]
    assert result.sum() == 160


def test_median_removes_a_speck() -> None:
    assert not run(Blur(kind="median", kernel=3), speck()).any()


@pytest.mark.parametrize("kind", ["gaussian", "median"])
def test_one_colour_stays_as_it_is(kind: str) -> None:
    image = flat(20, 20, (10, 20, 30))

    assert np.array_equal(run(Blur(kind=kind), image), image)  # type: ignore[arg-type]


def test_a_larger_kernel_blurs_more() -> None:
    image = np.random.default_rng(1).integers(0, 256, (60, 60), dtype=np.uint8)

    assert run(Blur(kernel=15), image).std() < run(Blur(kernel=3), image).std() < image.std()


def test_edges_of_objects_stay_with_median() -> None:
    image = picture()
    image[:, :32], image[:, 32:] = 0, 255

    assert np.array_equal(run(Blur(kind="median"), image), image)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kernel": 4}, "blur: kernel = 4: expected an odd number from 3 to 255"),
        ({"kernel": 1}, "blur: kernel = 1"),
        ({"kernel": 257}, "blur: kernel = 257"),
        ({"kind": "box"}, 'blur: kind = "box": expected "gaussian" or "median"'),
    ],
)
def test_refuses(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Blur(**parameters)  # type: ignore[arg-type]
