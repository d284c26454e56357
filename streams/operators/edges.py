"""`edges`."""

from dataclasses import dataclass
from typing import ClassVar

import cv2

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.grayscale import gray


@dataclass(frozen=True, slots=True)
class Edges:
    """Find edges (Canny), white on black.

    high: gradient that starts an edge. low: gradient that carries it on.
    """

    low: float = 100.0
    high: float = 200.0
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "gray"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(0 < self.high <= 2000, self, "high", "a number above 0, up to 2000")
        require(0 <= self.low <= self.high, self, "low", f"a number from 0 to high, which is {self.high:g}")

    def open(self) -> Opened:
        """Find the edges of each frame: (H, W) of 0 and 255."""

        def edges(frame: Frame) -> Frame:
            return frame.with_image(cv2.Canny(gray(frame.image), self.low, self.high))  # type: ignore[arg-type]

        return edges
