import cmath

import numpy as np
import pytest

from streams.operators.rigid import STILL, Rigid, mean

QUARTER = Rigid(1j, 3 + 4j)
LITTLE = Rigid(cmath.rect(1, 0.1), -2 + 1j)


def moved(rigid: Rigid, point: complex) -> complex:
    return rigid.turn * point + rigid.shift


def test_one_after_the_other() -> None:
    assert moved(QUARTER.after(LITTLE), 5 + 1j) == pytest.approx(moved(QUARTER, moved(LITTLE, 5 + 1j)))


def test_there_and_back() -> None:
    assert moved(LITTLE.back, moved(LITTLE, 5 + 1j)) == pytest.approx(5 + 1j)


def test_the_mean_of_a_turn_there_and_back_is_none() -> None:
    between = mean([Rigid(cmath.rect(1, 0.1), 4 + 0j), Rigid(cmath.rect(1, -0.1), 2j)])

    assert between.turn == pytest.approx(1) and between.shift == pytest.approx(2 + 1j)
    assert mean([STILL]) == STILL


def test_the_mean_of_opposites_only_shifts() -> None:
    assert mean([Rigid(1 + 0j, 2 + 0j), Rigid(-1 + 0j, 4 + 0j)]) == Rigid(1 + 0j, 3 + 0j)


def test_as_a_matrix_it_turns_about_the_middle() -> None:
    matrix = QUARTER.matrix((10, 20), (30, 40))

    # Ten to the right of the middle comes to lie ten below the other one, and shifted.
    assert matrix @ np.array([20, 20, 1]) == pytest.approx([30 + 3, 40 + 10 + 4])
