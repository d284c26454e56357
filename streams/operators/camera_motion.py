"""How a camera has moved from one picture to the next: corners that are found again, and what most of them agree on."""

from dataclasses import dataclass

import cv2
import numpy as np

from streams.contract.images import Image
from streams.operators.rigid import STILL, Rigid

_MOST_CORNERS = 200
# Faint ones too, and some way apart: else all would be on the one thing that stands out, and that may be what moves.
_LEAST_QUALITY = 0.001
_LEAST_DISTANCE = 16
# Fewer than these that agree are no camera that has moved, but something in the picture.
_ENOUGH = 12
_ENOUGH_SHARE = 0.5
# Where so many stay where they were, to so many pixels, the camera did: in front of it a large thing may move as one. A
# camera's clock, which is written into its pictures and never moves, has fewer.
_STILL_SHARE = 0.25
_STILL = 0.15
# In pixels: what agrees at first, and what the result is then drawn from; what moves a little less is left out by that.
_NEAR = 1.0
_NEARER = (0.5, 0.25, 0.25)

Points = np.ndarray[tuple[int], np.dtype[np.complex128]]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture as it is compared.

    image: uint8 (H, W). corners: float32 (N, 1, 2), x and y in pixels of what can be found again.
    """

    image: Image
    corners: cv2.typing.MatLike | None

    @classmethod
    def of(cls, image: Image) -> "View":
        """image: uint8 (H, W)."""
        return cls(image, cv2.goodFeaturesToTrack(image, _MOST_CORNERS, _LEAST_QUALITY, _LEAST_DISTANCE))


def motion_between(before: View, now: View) -> Rigid:
    """What takes the middle of things from where they were to where they are, in pixels; `STILL` where none is told."""
    corners = before.corners
    if corners is None or len(corners) < _ENOUGH or before.image.shape != now.image.shape:
        return STILL
    found, status, _ = cv2.calcOpticalFlowPyrLK(before.image, now.image, corners, None)  # type: ignore[call-overload]
    again = status.reshape(-1) == 1
    seen = np.count_nonzero(again)
    moved = np.abs(found - corners)[again].max(axis=(1, 2))
    if seen < _ENOUGH or np.count_nonzero(moved < _STILL) >= _STILL_SHARE * seen:
        return STILL
    # Its random numbers are the same each time.
    matrix, agree = cv2.estimateAffinePartial2D(
        corners[again], found[again], method=cv2.RANSAC, ransacReprojThreshold=_NEAR
    )
    if matrix is None or np.count_nonzero(agree) < max(_ENOUGH, _ENOUGH_SHARE * seen):
        return STILL
    height, width = before.image.shape
    middle = complex(width - 1, height - 1) / 2
    there, here = _points(corners[again]) - middle, _points(found[again]) - middle
    turn = complex(matrix[0, 0], matrix[1, 0])
    shift = complex(matrix[0, 2], matrix[1, 2]) + (turn - 1) * middle
    for near in _NEARER:
        agrees = np.abs(here - (turn * there + shift)) < near
        if np.count_nonzero(agrees) < _ENOUGH:
            break
        turn, shift = _fitted(there[agrees], here[agrees])
    # A zoom is left out.
    return Rigid(turn / abs(turn), shift) if turn else STILL


def _points(corners: cv2.typing.MatLike) -> Points:
    points: Points = corners[:, 0, 0] + 1j * corners[:, 0, 1].astype(np.float64)
    return points


def _fitted(there: Points, here: Points) -> tuple[complex, complex]:
    """What takes the first to the second by turn * point + shift, by least squares."""
    middle, other = there.mean(), here.mean()
    spread = there - middle
    turn = complex((spread.conj() * (here - other)).sum() / max((spread.conj() * spread).real.sum(), 1e-9))
    return turn, complex(other - turn * middle)
