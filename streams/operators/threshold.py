"""`threshold`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.grayscale import gray


@dataclass(frozen=True, slots=True)
class Threshold:
    """Black and white.

    kind: "binary" (white above value), "otsu" (finds the value itself), "adaptive" (compares with the surroundings).
    value: 0 to 255, for binary. block: how many pixels the surroundings span, odd, and offset: how much darker than
    their mean is still white, both for adaptive. invert: black where it would be white.
    """

    kind: Literal["binary", "otsu", "adaptive"] = "binary"
    value: int = 127
    block: int = 11
    offset: float = 2.0
    invert: bool = False
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "gray"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.kind in ("binary", "otsu", "adaptive"), self, "kind", '"binary", "otsu" or "adaptive"')
        require(0 <= self.value <= 255, self, "value", "a number from 0 to 255")
        require(3 <= self.block <= 255 and self.block % 2 == 1, self, "block", "an odd number from 3 to 255")
        require(-255 <= self.offset <= 255, self, "offset", "a number from -255 to 255")

    def open(self) -> Opened:
        """Make each frame (H, W) of 0 and 255."""
        method = cv2.THRESH_BINARY_INV if self.invert else cv2.THRESH_BINARY

        def adaptive(frame: Frame) -> Frame:
            mean = cv2.ADAPTIVE_THRESH_MEAN_C
            image = cv2.adaptiveThreshold(gray(frame.image), 255, mean, method, self.block, self.offset)
            return frame.with_image(image)  # type: ignore[arg-type]

        def same_everywhere(frame: Frame) -> Frame:
            how = method | cv2.THRESH_OTSU if self.kind == "otsu" else method
            _, image = cv2.threshold(gray(frame.image), self.value, 255, how)
            return frame.with_image(image)  # type: ignore[arg-type]

        return adaptive if self.kind == "adaptive" else same_everywhere
