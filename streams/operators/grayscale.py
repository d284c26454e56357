"""`grayscale`."""

from dataclasses import dataclass
from typing import ClassVar

import cv2

from streams.contract.frame import Frame
from streams.contract.images import Image
from streams.operators.base import Needs, Opened


@dataclass(frozen=True, slots=True)
class Grayscale:
    """Keep lightness only (ITU-R BT.601): one channel, which goes out as a gray JPEG."""

    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "gray"
    changes_image: ClassVar[bool] = True

    def open(self) -> Opened:
        """Make each frame gray; one that is so already passes untouched."""

        def grayscale(frame: Frame) -> Frame:
            return frame if frame.image.ndim == 2 else frame.with_image(gray(frame.image))

        return grayscale


def gray(image: Image) -> Image:
    """The picture as uint8 (H, W); itself where it is gray already."""
    if image.ndim == 2:
        return image
    result: Image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
    return result
