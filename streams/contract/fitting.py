"""Making a picture small enough for whoever takes no more than so many bytes."""

from collections.abc import Sequence

from streams.contract.images import Image, encode, shrink

# A picture without a quality to lower, or whose lowest is still too large, loses so much of its width and height.
_SMALLER = 0.8


def fit_image(
    image: Image, content_type: str, *, max_bytes: int, qualities: Sequence[int]
) -> tuple[bytes, Image] | None:
    """The image in max_bytes at the most: at the best of the qualities that fits, and smaller where none does.

    image: uint8, (H, W, 3) BGR or (H, W). qualities: 1 to 100, from the lowest to the highest; a PNG has none.
    Returns the bytes and the image that they show; None where even a few pixels are too much.
    """
    while min(image.shape[:2]) >= 2:
        found = _at_some_quality(image, content_type, max_bytes=max_bytes, qualities=qualities)
        if found is not None:
            return found, image
        height, width = image.shape[:2]
        image = shrink(image, max(1, int(width * _SMALLER)), max(1, int(height * _SMALLER)))
    return None


def _at_some_quality(image: Image, content_type: str, *, max_bytes: int, qualities: Sequence[int]) -> bytes | None:
    """The best quality that fits; None where none does."""
    if content_type == "image/png":
        data = encode(image, content_type)
        return data if len(data) <= max_bytes else None
    best = None
    low, high = 0, len(qualities) - 1
    while low <= high:
        middle = (low + high) // 2
        data = encode(image, content_type, quality=qualities[middle])
        if len(data) <= max_bytes:
            best, low = data, middle + 1
        else:
            high = middle - 1
    return best
