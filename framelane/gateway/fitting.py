"""Making a reply small enough for clients that take no more than so many bytes."""

from framelane.gateway.answers import ANY_PIXELS
from streams.contract.errors import FrameError
from streams.contract.images import Image, decode, encode, shrink

_BEST, _WORST = 90, 10
# A picture without a quality to lower, or whose lowest is still too large, loses so much of its width and height.
_SMALLER = 0.8


def fit(data: bytes, content_type: str, *, max_bytes: int) -> bytes:
    """The image in max_bytes at the most, of the same format: at a lower quality, and smaller where that is not enough.

    Raises FrameError (output_too_large) where even a few pixels are too much.
    """
    if len(data) <= max_bytes:
        return data
    image = decode(data, max_pixels=ANY_PIXELS)
    while min(image.shape[:2]) >= 2:
        found = _at_some_quality(image, content_type, max_bytes=max_bytes)
        if found is not None:
            return found
        height, width = image.shape[:2]
        image = shrink(image, max(1, int(width * _SMALLER)), max(1, int(height * _SMALLER)))
    raise FrameError(f"no image fits into {max_bytes} bytes", reason="output_too_large", stage="publish")


def _at_some_quality(image: Image, content_type: str, *, max_bytes: int) -> bytes | None:
    """The best quality that fits; None where none does."""
    if content_type == "image/png":
        data = encode(image, content_type)
        return data if len(data) <= max_bytes else None
    best = None
    low, high = _WORST, _BEST
    while low <= high:
        quality = (low + high) // 2
        data = encode(image, content_type, quality=quality)
        if len(data) <= max_bytes:
            best, low = data, quality + 1
        else:
            high = quality - 1
    return best
