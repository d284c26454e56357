"""`undistort`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from streams.contract.frame import Affine, Frame
from streams.operators.base import Needs, Opened
from streams.operators.best_affine import Points, best_affine
from streams.operators.checks import require

Row = tuple[float, float, float]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
_MAX_COEFFICIENT = 1000.0


@dataclass(frozen=True, slots=True)
class Undistort:
    """Straighten the lines that a lens bends.

    The camera: fx, fy, its focal lengths, and cx, cy, its centre, as fractions of the picture's width and height;
    without fy its pixels are square. Or, as cv2.calibrateCamera gives it, matrix_px (3 x 3) and size_px, the width and
    height of the pictures it is of; it then holds for any size of the same field of view. k1, k2, p1, p2, k3: the
    distortion, in the order of cv2.calibrateCamera. fisheye: they are k1, k2, k3, k4 of cv2.fisheye.calibrate.
    balance: 0 shows only what has a source, 1 all of the picture, and black where there is none.
    Interpolates linearly; what is one pixel wide or high passes untouched. `to_raw` is the nearest affine map, so boxes
    that are found afterwards lie in the raw picture only about where they should: the more the lens bends, the farther
    off.
    """

    fx: float | None = None
    fy: float | None = None
    cx: float = 0.5
    cy: float = 0.5
    matrix_px: tuple[Row, Row, Row] | None = None
    size_px: tuple[int, int] | None = None
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    fisheye: bool = False
    balance: float = 0.0
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.matrix_px is None:
            require(self.fx is not None, self, "fx", "the focal length as a fraction of the width, or matrix_px")
            require(self.size_px is None, self, "size_px", "none without matrix_px")
        else:
            require(self.fx is None, self, "fx", "none beside matrix_px")
            require(self.fy is None, self, "fy", "none beside matrix_px")
            (fx, skew, _), (zero, fy, _), last = self.matrix_px
            sound = fx > 0 and fy > 0 and skew == zero == 0 and last == (0, 0, 1)
            require(sound, self, "matrix_px", "[[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels")
            sound = self.size_px is not None and min(self.size_px) > 0
            require(sound, self, "size_px", "[width, height] in pixels of the pictures that matrix_px is of")
        for name, focal in (("fx", self.fx), ("fy", self.fy)):
            require(focal is None or 0.01 <= focal <= 100, self, name, "a fraction from 0.01 to 100")
        for name, centre in (("cx", self.cx), ("cy", self.cy)):
            require(-1 <= centre <= 2, self, name, "a fraction from -1 to 2")
        for name in ("k1", "k2", "p1", "p2", "k3", "k4"):
            sound = abs(getattr(self, name)) <= _MAX_COEFFICIENT
            require(sound, self, name, f"a number from {-_MAX_COEFFICIENT:g} to {_MAX_COEFFICIENT:g}")
        for name in ("p1", "p2") if self.fisheye else ("k4",):
            require(getattr(self, name) == 0, self, name, f"0 {'with' if self.fisheye else 'without'} fisheye")
        bends = self.fisheye or any((self.k1, self.k2, self.p1, self.p2, self.k3))
        require(bends, self, "k1", "a coefficient that is not 0, in k1, k2, p1, p2 or k3")
        require(0 <= self.balance <= 1, self, "balance", "a number from 0 to 1")

    def open(self) -> Opened:
        """Straighten each frame; the maps are computed once a size."""
        # Few, for they take six bytes a pixel.
        plan = lru_cache(maxsize=4)(self._plan)

        def undistort(frame: Frame) -> Frame:
            if min(frame.width, frame.height) < 2:
                # OpenCV divides by what lies between the first pixel and the last.
                return frame
            (across, down), back = plan(frame.width, frame.height)
            image = cv2.remap(frame.image, across, down, cv2.INTER_LINEAR)
            return frame.with_image(image, back=back)  # type: ignore[arg-type]

        return undistort

    def camera(self, width: int, height: int) -> Matrix:
        """The camera's matrix, 3 x 3, for a picture of this size; counted from the centre of the first pixel."""
        if self.matrix_px is not None and self.size_px is not None:
            across, down = width / self.size_px[0], height / self.size_px[1]
            (fx, _, cx), (_, fy, cy), _ = self.matrix_px
            fx, fy, cx, cy = fx * across, fy * down, (cx + 0.5) * across, (cy + 0.5) * down
        else:
            fx = (self.fx or 1.0) * width
            fy = fx if self.fy is None else self.fy * height
            cx, cy = self.cx * width, self.cy * height
        return np.array([[fx, 0.0, cx - 0.5], [0.0, fy, cy - 0.5], [0.0, 0.0, 1.0]])

    def back(self, points: Points, width: int, height: int) -> Points:
        """Where points of what comes out, (N, 2) pixels from its upper left corner, lie in a picture of this size."""
        new = self._new_camera(width, height)
        rays = (points - 0.5 - new[:2, 2]) / (new[0, 0], new[1, 1])
        still, camera = np.zeros(3), self.camera(width, height)
        ahead = np.column_stack([rays, np.ones(len(rays))])[:, None]
        if self.fisheye:
            bent, _ = cv2.fisheye.projectPoints(ahead, still, still, camera, self._coefficients())
        else:
            bent, _ = cv2.projectPoints(ahead, still, still, camera, self._coefficients())
        result: Points = bent.reshape(-1, 2) + 0.5  # type: ignore[assignment]
        return result

    def _coefficients(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array(
            [self.k1, self.k2, self.k3, self.k4] if self.fisheye else [self.k1, self.k2, self.p1, self.p2, self.k3]
        )

    def _new_camera(self, width: int, height: int) -> Matrix:
        """The matrix of a camera without distortion that sees what `balance` says; ValueError where there is none."""
        camera, coefficients, size = self.camera(width, height), self._coefficients(), (width, height)
        if self.fisheye:
            new = cv2.fisheye.estimateNewCameraMatrixForUndistortRectify(
                camera, coefficients, size, np.eye(3), balance=self.balance
            )
        else:
            new, _ = cv2.getOptimalNewCameraMatrix(camera, coefficients, size, self.balance)
        if not (np.isfinite(new).all() and min(new[0, 0], new[1, 1]) > 0):
            raise ValueError(f"the coefficients leave nothing to see of a picture of {width}x{height}; are they right?")
        return new  # type: ignore[return-value]

    def _plan(self, width: int, height: int) -> tuple[tuple[cv2.typing.MatLike, cv2.typing.MatLike], Affine]:
        """Where each pixel comes from, in the form that is fastest; and the affine that comes nearest to it."""
        camera, coefficients, size = self.camera(width, height), self._coefficients(), (width, height)
        new = self._new_camera(width, height)
        make = cv2.fisheye.initUndistortRectifyMap if self.fisheye else cv2.initUndistortRectifyMap
        maps = make(camera, coefficients, np.eye(3), new, size, cv2.CV_16SC2)
        return maps, best_affine(width, height, lambda points: self.back(points, width, height))
