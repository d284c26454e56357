"""`equalize`."""

from dataclasses import dataclass
from typing import ClassVar

import cv2

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require


@dataclass(frozen=True, slots=True)
class Equalize:
    """Even out contrast (CLAHE, on lightness only).

    clip: how far contrast may rise. tiles: regions along each side. One core takes about 11 ms for 1280x720 in colour.
    """

    clip: float = 2.0
    tiles: int = 8
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "color"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(0 < self.clip <= 40, self, "clip", "a number above 0, up to 40")
        require(1 <= self.tiles <= 64, self, "tiles", "a number from 1 to 64")

    def open(self) -> Opened:
        """Equalize each frame."""

        def equalize(frame: Frame) -> Frame:
            # A CLAHE object keeps buffers and so cannot be shared by threads; making one takes microseconds.
            clahe = cv2.createCLAHE(self.clip, (self.tiles, self.tiles))
            if frame.image.ndim == 2:
                return frame.with_image(clahe.apply(frame.image))  # type: ignore[arg-type]
            lab = cv2.cvtColor(frame.image, cv2.COLOR_BGR2Lab)
            lightness = cv2.extractChannel(lab, 0)
            cv2.insertChannel(clahe.apply(lightness), lab, 0)
            return frame.with_image(cv2.cvtColor(lab, cv2.COLOR_Lab2BGR, dst=lab))  # type: ignore[arg-type]

        return equalize
