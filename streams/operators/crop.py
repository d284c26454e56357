"""`crop`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require


@dataclass(frozen=True, slots=True)
class Crop:
    """Keep a part of the picture.

    x, y: its upper left corner, w, h: its size, all as fractions (0 to 1) of the picture; without w or h, all that
    lies to the right of the corner or below it.
    """

    x: float = 0.0
    y: float = 0.0
    w: float | None = None
    h: float | None = None
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name, at in (("x", self.x), ("y", self.y)):
            require(0 <= at < 1, self, name, "a fraction of the picture, from 0 to below 1")
        for name, size, at in (("w", self.w, self.x), ("h", self.h, self.y)):
            # 0.7 + 0.3 is a hair above 1 in binary.
            fits = size is None or 0 < size <= 1 - at + 1e-9
            require(fits, self, name, f"a fraction of the picture above 0 and, from {at:g} on, at most {1 - at:g}")

    def open(self) -> Opened:
        """Cut each frame; edges fall on the nearest pixel, and at least one pixel stays."""

        def crop(frame: Frame) -> Frame:
            left, right = _span(self.x, self.w, frame.width)
            top, bottom = _span(self.y, self.h, frame.height)
            if (left, top, right, bottom) == (0, 0, frame.width, frame.height):
                return frame
            image = np.ascontiguousarray(frame.image[top:bottom, left:right])
            return frame.with_image(image, back=np.array([[1.0, 0.0, left], [0.0, 1.0, top]]))

        return crop


def _span(start: float, size: float | None, pixels: int) -> tuple[int, int]:
    first = min(round(start * pixels), pixels - 1)
    end = pixels if size is None else min(round((start + size) * pixels), pixels)
    return first, max(first + 1, end)
