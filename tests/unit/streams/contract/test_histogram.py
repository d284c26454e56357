"""Counting by size."""

from math import inf

from streams.contract.histogram import Histogram


def test_bounds_are_inclusive_and_counts_cumulative() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds)
    assert histogram.cumulative() == [(0.1, 2), (1.0, 3), (inf, 4)]
    assert (histogram.count, round(histogram.total_s, 2)) == (4, 7.65)


def test_two_are_one() -> None:
    one, two = Histogram((0.1,)), Histogram((0.1,))
    one.observe(0.05)
    two.observe(3.0)
    one.merge(two)
    assert one.cumulative() == [(0.1, 1), (inf, 2)]
    assert one.total_s == 3.05
