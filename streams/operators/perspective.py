"""`perspective`."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import cv2
import numpy as np

from streams.contract.frame import Affine, Frame
from streams.operators.base import Needs, Opened
from streams.operators.best_affine import Points, best_affine
from streams.operators.checks import require
from streams.operators.resize import MAX_SIDE

Corner = tuple[float, float]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
# Pixel i covers i to i + 1, and OpenCV counts in centres of pixels.
_TO_EDGES: Matrix = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])


@dataclass(frozen=True, slots=True)
class Perspective:
    """Straighten what four corners enclose, such as a page or a number plate, into a rectangle.

    corners: [x, y] as fractions of the picture, clockwise as one reads it, from its upper left. width, height: pixels
    of what comes out; without one of them, it is as long as the longer of its two sides in the picture.
    Interpolates linearly. `to_raw` is the nearest affine map, so boxes that are found afterwards lie in the raw picture
    only about where they should: the less parallel the sides, the farther off.
    """

    corners: tuple[Corner, Corner, Corner, Corner]
    width: int | None = None
    height: int | None = None
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        within = all(0 <= x <= 1 and 0 <= y <= 1 for x, y in self.corners)
        expected = "four corners [x, y], each from 0 to 1, clockwise, no three of them in a line"
        require(within and _is_convex(self.corners), self, "corners", expected)
        for name, side in (("width", self.width), ("height", self.height)):
            require(side is None or 1 <= side <= MAX_SIDE, self, name, f"1 to {MAX_SIDE} pixels")

    def open(self) -> Opened:
        """Straighten each frame; the matrices are computed once a size."""
        plan = lru_cache(maxsize=16)(self._plan)

        def perspective(frame: Frame) -> Frame:
            size, between_centres, back = plan(frame.width, frame.height)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            image = cv2.warpPerspective(
                frame.image, between_centres, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
            )
            return frame.with_image(image, back=back)  # type: ignore[arg-type]

        return perspective

    def back(self, width: int, height: int) -> Matrix:
        """3 x 3: from what comes out to a picture of this size, pixels to pixels, counted from their edges."""
        new_width, new_height = self.size(width, height)
        rectangle = np.array([[0, 0], [new_width, 0], [new_width, new_height], [0, new_height]], np.float32)
        return cv2.getPerspectiveTransform(rectangle, self._corners_px(width, height).astype(np.float32))  # type: ignore[return-value]

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in pixels that a picture of this size comes to have."""
        corners = self._corners_px(width, height)
        top, right, bottom, left = (float(np.hypot(*(end - start))) for start, end in pairwise([*corners, corners[0]]))
        new_width = self.width or max(1, round(max(top, bottom)))
        new_height = self.height or max(1, round(max(left, right)))
        return min(new_width, MAX_SIDE), min(new_height, MAX_SIDE)

    def _corners_px(self, width: int, height: int) -> Points:
        return np.array(self.corners, dtype=float) * (width, height)

    def _plan(self, width: int, height: int) -> tuple[tuple[int, int], Matrix, Affine]:
        """New size; from new to old between the centres of pixels; and the affine that comes nearest to it."""
        size, back = self.size(width, height), self.back(width, height)
        between_centres = np.linalg.inv(_TO_EDGES) @ back @ _TO_EDGES
        return size, between_centres, best_affine(*size, lambda points: mapped(back, points))


def mapped(matrix: Matrix, points: Points) -> Points:
    """The points (N, 2) through a 3 x 3 of homogeneous coordinates."""
    moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    result: Points = moved[:, :2] / moved[:, 2:]
    return result


def _is_convex(corners: tuple[Corner, ...]) -> bool:
    """Whether each corner turns to the right, y pointing down."""
    around = [*corners, *corners[:2]]
    turns = [
        (x2 - x1) * (y3 - y2) - (y2 - y1) * (x3 - x2)
        for (x1, y1), (x2, y2), (x3, y3) in zip(around, around[1:], around[2:], strict=False)
    ]
    return all(turn > 1e-6 for turn in turns)
