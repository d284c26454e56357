"""`rotate`."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from streams.contract.frame import Affine, Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require

_QUARTERS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turn the picture.

    angle: degrees clockwise. expand: grow, so that nothing is cut off; what is new is black.
    90, 180 and 270 move pixels and lose nothing; other angles interpolate linearly.
    """

    angle: float = 90.0
    expand: bool = True
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(-360 <= self.angle <= 360, self, "angle", "degrees from -360 to 360")

    def open(self) -> Opened:
        """Turn each frame; the matrices are computed once a size."""
        angle = self.angle % 360
        # In a frame of the old size, a quarter turn cuts and pads: more than a move of pixels.
        quarter = _QUARTERS.get(int(angle)) if angle in _QUARTERS and (self.expand or angle == 180) else None
        plan = lru_cache(maxsize=16)(lambda width, height: self._plan(angle, width, height))

        def rotate(frame: Frame) -> Frame:
            if angle == 0:
                return frame
            (width, height), back, between_centres = plan(frame.width, frame.height)
            if quarter is not None:
                return frame.with_image(cv2.rotate(frame.image, quarter), back=back)  # type: ignore[arg-type]
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            image = cv2.warpAffine(frame.image, between_centres, (width, height), flags=flags)
            return frame.with_image(image, back=back)  # type: ignore[arg-type]

        return rotate

    def _plan(self, angle: float, width: int, height: int) -> tuple[tuple[int, int], Affine, Affine]:
        """New size; 2 x 3 from new to old, counted from the pixels' edges, and the same from their centres."""
        cos, sin = _exact(math.cos(math.radians(angle))), _exact(math.sin(math.radians(angle)))
        size = (width, height)
        if self.expand:
            size = (
                max(1, round(abs(cos) * width + abs(sin) * height)),
                max(1, round(abs(sin) * width + abs(cos) * height)),
            )
        # y points down, so this is the way back of a clockwise turn.
        turn = np.array([[cos, sin], [-sin, cos]])
        offset = np.array([width, height]) / 2 - turn @ (np.array(size) / 2)
        from_centres = turn @ np.array([0.5, 0.5]) + offset - 0.5
        return size, np.column_stack([turn, offset]), np.column_stack([turn, from_centres])


def _exact(value: float) -> float:
    # cos(90 degrees) is 6e-17, which would keep a quarter turn from mapping whole pixels to whole pixels.
    return float(round(value)) if math.isclose(value, round(value), abs_tol=1e-12) else value
