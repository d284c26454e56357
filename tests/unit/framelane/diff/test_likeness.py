import math

import cv2
import numpy as np
import pytest
from frame_support import flat, picture

from framelane.diff.likeness import Likeness, likeness, psnr_of
from streams.contract.images import encode


def test_the_same_pixels_in_other_bytes_are_alike_without_end() -> None:
    image = picture()

    found = likeness(
        encode(image, "image/png"), cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    )

    assert found == Likeness(math.inf)
    assert found.enough(math.inf)


def test_psnr_is_that_of_its_definition() -> None:
    a, b = picture(seed=1), picture(seed=2)
    mean_square = np.mean((a.astype(float) - b) ** 2)

    assert psnr_of(a, b) == pytest.approx(10 * math.log10(255**2 / mean_square))
    assert psnr_of(flat(8, 8, 0), flat(8, 8, 255)) == pytest.approx(0)


@pytest.mark.parametrize(
    ("a", "b", "note"),
    [
        (encode(picture(64, 48)), encode(picture(32, 24)), "64x48 in A, 32x24 in B"),
        (encode(picture())[:-200], encode(picture()), "in A cannot be decoded"),
        (encode(picture()), b"no picture", "in B starts with"),
        (encode(picture()), b"", "in B the frame has no bytes"),
    ],
)
def test_what_has_no_psnr_says_why_and_is_never_alike(a: bytes, b: bytes, note: str) -> None:
    found = likeness(a, b)

    assert found.psnr is None
    assert found.note.startswith(note)
    assert not found.enough(0)
