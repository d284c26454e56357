"""Pictures of any shape in the input of a network."""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np

from streams.operators.networks import Array

PADDING: Final = 114  # The gray that the YOLO networks have learnt with.


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture lies in a network's input: as large as fits, in the middle, its shape kept.

    input, picture, inner: (width, height) in pixels, of the network's input, of the frame's picture and of what the
    input shows of it.
    """

    input: tuple[int, int]
    picture: tuple[int, int]
    inner: tuple[int, int]

    @classmethod
    def of(cls, picture: tuple[int, int], input: tuple[int, int]) -> Self:
        """How a picture of this size lies in an input of that one."""
        scale = min(input[0] / picture[0], input[1] / picture[1])
        return cls(input, picture, (max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))))

    @property
    def read(self) -> tuple[int, int]:
        """The size at which the picture is looked at: that of `inner`, or its own where it is enlarged to that."""
        return min(self.inner, self.picture)

    def blob(self, image: Array) -> Array:
        """The network's input, float32 (1, 3, height, width), RGB from 0 to 1. image: uint8, of the size `read`."""
        canvas = np.full((self.input[1], self.input[0], 3), PADDING, np.uint8)
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        if self.read != self.inner:
            image = cv2.resize(image, self.inner, interpolation=cv2.INTER_LINEAR)
        left, top = self._offset
        canvas[top : top + self.inner[1], left : left + self.inner[0]] = image
        return cv2.dnn.blobFromImage(canvas, 1 / 255, swapRB=True)

    def back(self, corners: Array) -> tuple[float, float, float, float]:
        """left, top, right, bottom in pixels of the input as pixels of the picture, within its edges."""
        left, top = self._offset
        size = np.array((*self.picture, *self.picture), float)
        pixels = (corners - (left, top, left, top)) * size / (*self.inner, *self.inner)
        left, top, right, bottom = np.clip(pixels, 0, size).tolist()
        return left, top, right, bottom

    @property
    def _offset(self) -> tuple[int, int]:
        return (self.input[0] - self.inner[0]) // 2, (self.input[1] - self.inner[1]) // 2
