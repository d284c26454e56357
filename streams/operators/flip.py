"""`flip`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require

# Of cv2.flip: 0 turns rows round, 1 columns, -1 both.
_CODES = {"horizontal": 1, "vertical": 0, "both": -1}


@dataclass(frozen=True, slots=True)
class Flip:
    """Mirror the picture.

    direction: "horizontal" swaps left and right, "vertical" top and bottom, "both" does both.
    """

    direction: Literal["horizontal", "vertical", "both"] = "horizontal"
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.direction in _CODES, self, "direction", '"horizontal", "vertical" or "both"')

    def open(self) -> Opened:
        """Mirror each frame."""
        code = _CODES[self.direction]
        columns, rows = code != 0, code != 1

        def flip(frame: Frame) -> Frame:
            across = [-1.0, 0.0, frame.width] if columns else [1.0, 0.0, 0.0]
            down = [0.0, -1.0, frame.height] if rows else [0.0, 1.0, 0.0]
            image = cv2.flip(frame.image, code)
            return frame.with_image(image, back=np.array([across, down]))  # type: ignore[arg-type]

        return flip
