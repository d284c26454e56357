"""Figures from measurements: medians, spreads, ratios within rounds, percentiles, slopes."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a contender. fps: outputs a second. cpu_ms, broker_cpu_ms: processor time for each frame.

    broker_cpu_ms is None where the broker is not ours to look at. fidelity_db: how like the plain result its pixels
    are (PSNR of the worst frame compared); infinite where they are the same.
    """

    fps: float
    cpu_ms: float
    broker_cpu_ms: float | None = None
    fidelity_db: float = math.inf


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, and the smallest and the largest value."""

    median: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} ({self.low:{spec}} to {self.high:{spec}})"


def turns(names: Sequence[Name], rounds: int) -> Iterator[tuple[int, Name]]:
    """(round, from 0 on; name): each name once a round; who begins moves on from round to round."""
    for number in range(rounds):
        first = number % len(names)
        yield from ((number, name) for name in (*names[first:], *names[:first]))


def spread(values: Sequence[float]) -> Spread:
    """Median and range of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours by theirs, round by round: what disturbs a whole round disturbs both, and so falls out."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours minus theirs, round by round."""
    return spread([a - b for a, b in zip(ours, theirs, strict=True)])


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How fast y grows with x, by least squares; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    return statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope
