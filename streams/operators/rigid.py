"""Turns and shifts of a picture, in complex numbers: x + iy from the picture's middle."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streams.contract.frame import Affine


class Rigid(NamedTuple):
    """What takes a point p to turn * p + shift. turn: of length 1. shift: in pixels."""

    turn: complex
    shift: complex

    def after(self, first: "Rigid") -> "Rigid":
        """The first, and then this one."""
        return Rigid(self.turn * first.turn, self.turn * first.shift + self.shift)

    @property
    def back(self) -> "Rigid":
        """What undoes it."""
        turn = self.turn.conjugate()
        return Rigid(turn, -turn * self.shift)

    def matrix(self, middle: tuple[float, float], other: tuple[float, float]) -> Affine:
        """As a 2 x 3 affine from a picture with this middle to one with the other, in pixels."""
        cos, sin = self.turn.real, self.turn.imag
        linear = np.array([[cos, -sin], [sin, cos]])
        offset = np.array(other) + np.array([self.shift.real, self.shift.imag]) - linear @ np.array(middle)
        return np.column_stack([linear, offset])


STILL = Rigid(1 + 0j, 0j)


def mean(all: Sequence[Rigid]) -> Rigid:
    """What lies between them; one that only shifts where they turn against each other. all: at least one."""
    turn, shift = sum(each.turn for each in all), sum(each.shift for each in all)
    length = abs(turn)
    return Rigid(turn / length if length else 1 + 0j, shift / len(all))
