"""Making a reply small enough for clients that take no more than so many bytes."""

from framelane.gateway.answers import ANY_PIXELS
from streams.contract.errors import FrameError
from streams.contract.fitting import fit_image
from streams.contract.images import decode

_QUALITIES = range(10, 91)


def fit(data: bytes, content_type: str, *, max_bytes: int) -> bytes:
    """The image in max_bytes at the most, of the same format: at a lower quality, and smaller where that is not enough.

    Raises FrameError (output_too_large) where even a few pixels are too much.
    """
    if len(data) <= max_bytes:
        return data
    image = decode(data, max_pixels=ANY_PIXELS)
    found = fit_image(image, content_type, max_bytes=max_bytes, qualities=_QUALITIES)
    if found is None:
        raise FrameError(f"no image fits into {max_bytes} bytes", reason="output_too_large", stage="publish")
    return found[0]
