import numpy as np
import pytest
from producer_support import noise

from streams.contract.fitting import fit_image
from streams.contract.images import Image, decode, encode

IMAGE = noise(160, 120, seed=1)


@pytest.mark.parametrize("qualities", [(30, 50, 70), range(30, 71)])
def test_it_is_the_best_quality_that_fits(qualities: "range | tuple[int, ...]") -> None:
    limit = len(encode(IMAGE, quality=50))
    found = fit_image(IMAGE, "image/jpeg", max_bytes=limit, qualities=qualities)
    assert found is not None
    data, shown = found
    assert data == encode(IMAGE, quality=50)
    assert shown is IMAGE


@pytest.mark.parametrize("image", [IMAGE, IMAGE[:, :, 0]], ids=["color", "gray"])
def test_a_smaller_image_is_what_the_bytes_show(image: Image) -> None:
    found = fit_image(image, "image/png", max_bytes=len(encode(image, "image/png")) // 2, qualities=())
    assert found is not None
    data, shown = found
    mode = "gray" if image.ndim == 2 else "color"
    assert np.array_equal(decode(data, mode=mode), shown)
    assert shown.shape[0] < 120


def test_nothing_fits_into_nothing() -> None:
    assert fit_image(IMAGE, "image/jpeg", max_bytes=10, qualities=(10,)) is None
