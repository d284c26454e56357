"""`resize`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from streams.contract.frame import Affine, Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require

MAX_SIDE = 16_384


@dataclass(frozen=True, slots=True)
class Resize:
    """Change the size.

    width, height: pixels; with one of them, the other follows the aspect ratio.
    Shrinks by averaging (INTER_AREA), enlarges linearly.
    """

    width: int | None = None
    height: int | None = None
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.width is not None or self.height is not None, self, "width", "a width or a height in pixels")
        for name, side in (("width", self.width), ("height", self.height)):
            require(side is None or 1 <= side <= MAX_SIDE, self, name, f"1 to {MAX_SIDE} pixels")

    def open(self) -> Opened:
        """Resize each frame; one that has the size already passes untouched."""
        size_of = lru_cache(maxsize=16)(self._size_and_back)

        def resize(frame: Frame) -> Frame:
            (width, height), back = size_of(frame.width, frame.height)
            if (width, height) == (frame.width, frame.height):
                return frame
            if width <= frame.width and height <= frame.height:
                image = frame.downscaled(width, height)
            else:
                image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
            return frame.with_image(image, back=back)

        return resize

    def reads_at(self, width: int, height: int) -> tuple[int, int]:
        """The size that a picture of this size comes to have, where it shrinks."""
        new_width, new_height = self._target(width, height)
        return (new_width, new_height) if new_width <= width and new_height <= height else (width, height)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that a picture of this size comes to have; ValueError where a side passes the limit."""
        new_width, new_height = self._target(width, height)
        # A picture one pixel wide and ten thousand high would ask for gigabytes.
        if max(new_width, new_height) > MAX_SIDE:
            raise ValueError(f"{width}x{height} would become {new_width}x{new_height}; a side may have {MAX_SIDE}")
        return new_width, new_height

    def _size_and_back(self, width: int, height: int) -> tuple[tuple[int, int], Affine]:
        new_width, new_height = self.size(width, height)
        back = np.array([[width / new_width, 0.0, 0.0], [0.0, height / new_height, 0.0]])
        # Many frames share it.
        back.flags.writeable = False
        return (new_width, new_height), back

    def _target(self, width: int, height: int) -> tuple[int, int]:
        new_width = self.width or max(1, round(width * (self.height or height) / height))
        new_height = self.height or max(1, round(height * (self.width or width) / width))
        return new_width, new_height
