"""Where a processed picture lies in the raw one, as a header: `ce_toraw`.

Eight numbers: the raw picture's width and height in pixels, and the 2 x 3 affine, row by row, from this picture's
pixels to the raw one's. It is left out where the picture shows the whole raw one, at whatever size.
"""

import math

import numpy as np

from streams.contract.frame import Affine, Frame

# Of the whole raw picture, from fractions to fractions.
WHOLE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
# Of the picture's width or height: less than a pixel of the widest.
_TOLERANCE = 1e-5
MAX_SIDE = 100_000


def as_fractions(frame: Frame) -> tuple[float, ...] | None:
    """The affine from fractions of this picture to fractions of the raw one, row by row; None for the whole of it."""
    (a, b, c), (d, e, f) = frame.to_raw.tolist()
    width, height, (raw_width, raw_height) = frame.width, frame.height, frame.raw_size
    if not (raw_width and raw_height):
        # A request of the gateway, which may not know what its client has sent.
        return None
    affine = (
        a * width / raw_width,
        b * height / raw_width,
        c / raw_width,
        d * width / raw_height,
        e * height / raw_height,
        f / raw_height,
    )
    return None if all(abs(x - y) < _TOLERANCE for x, y in zip(affine, WHOLE, strict=True)) else affine


def geometry_text(frame: Frame) -> str:
    """The header's text; "" where it is left out."""
    if as_fractions(frame) is None:
        return ""
    return " ".join(f"{number:.9g}" for number in (*frame.raw_size, *frame.to_raw.ravel().tolist()))


def read_geometry(text: str) -> tuple[tuple[int, int], Affine]:
    """The raw picture's (width, height) in pixels, and `to_raw`; ValueError for a text that is none."""
    numbers = [float(word) for word in text.split(" ")]
    if len(numbers) != 8 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{text[:40]!r} is not eight numbers")
    width, height, *affine = numbers
    if not all(side.is_integer() and 1 <= side <= MAX_SIDE for side in (width, height)):
        raise ValueError(f"{text[:40]!r} does not begin with a width and a height")
    return (int(width), int(height)), np.array(affine).reshape(2, 3)
