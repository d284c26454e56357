import numpy as np
import pytest

from streams.operators.best_affine import Points, best_affine, residuals

TURN = np.array([[0.8, -0.6, 30.0], [0.6, 0.8, -4.0]])


def turned(points: Points) -> Points:
    return points @ TURN[:, :2].T + TURN[:, 2]


def bent(points: Points) -> Points:
    result: Points = turned(points) + 1e-4 * (points - 50) ** 2
    return result


def test_what_is_affine_is_found_exactly() -> None:
    found = best_affine(100, 80, turned)

    assert np.allclose(found, TURN)
    assert not found.flags.writeable
    assert np.abs(residuals(100, 80, turned, found)).max() < 1e-9


def test_what_is_none_is_met_in_the_middle() -> None:
    found = best_affine(100, 80, bent)
    off = residuals(100, 80, bent, found)

    # Of least squares with an offset.
    assert np.abs(off.mean(axis=0)).max() < 1e-9
    assert 0.05 < np.abs(off).max() < 0.25
    for change in np.eye(6).reshape(6, 2, 3) * 1e-3:
        assert (residuals(100, 80, bent, found + change) ** 2).sum() > (off**2).sum()


def test_points_that_come_from_nowhere_do_not_count() -> None:
    def half(points: Points) -> Points:
        return np.where(points[:, :1] > 50, np.nan, turned(points))

    assert np.allclose(best_affine(100, 80, half), TURN)


def test_without_points_there_is_none() -> None:
    with pytest.raises(ValueError, match="100x80 cannot be mapped back: too few of its points have a source"):
        best_affine(100, 80, lambda points: np.full_like(points, np.inf))
