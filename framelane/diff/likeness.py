"""How alike two pictures are."""

import math

import cv2
import msgspec

from streams.contract.errors import FrameError
from streams.contract.images import Image, decode

_PEAK = 255.0


class Likeness(msgspec.Struct, frozen=True, gc=False):
    """psnr: in dB; infinite for the same pixels, None where that cannot be told, for which note says why."""

    psnr: float | None
    note: str = ""

    def enough(self, psnr: float) -> bool:
        """Whether the pictures are at least so alike, in dB."""
        return self.psnr is not None and self.psnr >= psnr


GONE = Likeness(None, "deleted before it could be compared")


def likeness(a: bytes, b: bytes) -> Likeness:
    """Compare two encoded pictures, pixel by pixel, as they are seen."""
    images = []
    for letter, data in (("A", a), ("B", b)):
        try:
            images.append(decode(data))
        except FrameError as error:
            return Likeness(None, f"in {letter} {error}")
    left, right = images
    if left.shape != right.shape:
        return Likeness(None, f"{_size(left)} in A, {_size(right)} in B")
    return Likeness(psnr_of(left, right))


def psnr_of(a: Image, b: Image) -> float:
    """PSNR in dB of two pictures of the same shape: 10 log10(255² / mean squared difference)."""
    squares = cv2.norm(a, b, cv2.NORM_L2SQR)
    return math.inf if squares == 0 else 10 * math.log10(_PEAK**2 * a.size / squares)


def _size(image: Image) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
