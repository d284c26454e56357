"""The affine map that comes nearest to one that is none, for `to_raw`."""

from collections.abc import Callable

import numpy as np

from streams.contract.frame import Affine

# (N, 2) float64: x, y in pixels, from the picture's upper left corner.
Points = np.ndarray[tuple[int, int], np.dtype[np.float64]]
_STEPS = 33


def best_affine(width: int, height: int, back: Callable[[Points], Points]) -> Affine:
    """The 2 x 3 that maps points of a picture of this size, in pixels, most nearly as `back` does; nobody may write.

    By least squares over a grid that reaches from edge to edge; what `back` cannot map (not finite) does not count.
    ValueError where that leaves too little.
    """
    here, there = _mapped(width, height, back)
    matrix, _, rank, _ = np.linalg.lstsq(np.column_stack([here, np.ones(len(here))]), there, rcond=None)
    if rank < 3:
        raise ValueError(f"a picture of {width}x{height} cannot be mapped back: too few of its points have a source")
    affine: Affine = np.ascontiguousarray(matrix.T)
    # Many frames share it.
    affine.flags.writeable = False
    return affine


def residuals(width: int, height: int, back: Callable[[Points], Points], affine: Affine) -> Points:
    """By how much the affine is off over that grid: (N, 2) pixels of the picture that it maps to."""
    here, there = _mapped(width, height, back)
    return here @ affine[:, :2].T + affine[:, 2] - there


def _mapped(width: int, height: int, back: Callable[[Points], Points]) -> tuple[Points, Points]:
    xs, ys = np.meshgrid(np.linspace(0, width, _STEPS), np.linspace(0, height, _STEPS))
    here = np.column_stack([xs.ravel(), ys.ravel()])
    there = back(here)
    finite = np.isfinite(there).all(axis=1)
    return here[finite], there[finite]
