"""Replies that are made to fit."""

import numpy as np
import pytest
from producer_support import noise

from framelane.gateway.fitting import fit
from streams.contract.errors import FrameError
from streams.contract.images import decode, encode, inspect

TYPES = ["image/jpeg", "image/png", "image/webp"]


@pytest.mark.parametrize("content_type", TYPES)
def test_what_fits_stays_as_it_is(content_type: str) -> None:
    data = encode(noise(64, 48, seed=1), content_type)
    assert fit(data, content_type, max_bytes=len(data)) is data


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("max_bytes", [99_999, 20_000, 1_000])
def test_what_is_too_large_fits_in_its_own_format(content_type: str, max_bytes: int) -> None:
    data = encode(noise(640, 480, seed=1), content_type, quality=100)
    assert len(data) > 99_999
    found = fit(data, content_type, max_bytes=max_bytes)
    assert len(found) <= max_bytes
    assert inspect(found).content_type == content_type
    height, width = decode(found).shape[:2]
    assert abs(width / height - 4 / 3) < 0.1


def test_a_lower_quality_comes_before_fewer_pixels() -> None:
    data = encode(noise(320, 240, seed=1), quality=95)
    found = fit(data, "image/jpeg", max_bytes=len(data) // 2)
    assert inspect(found).upright == (320, 240)
    # And no lower than it has to be.
    assert len(found) > len(data) // 4


def test_what_no_image_can_be_is_said() -> None:
    data = encode(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(FrameError, match="no image fits into 10 bytes") as caught:
        fit(data, "image/jpeg", max_bytes=10)
    assert caught.value.reason == "output_too_large"
