"""Medians, ratios within rounds, percentiles and slopes."""

import pytest

from benchmarks.figures import paired_difference, paired_ratio, percentile, slope, spread


def test_a_spread_is_the_median_between_smallest_and_largest() -> None:
    across = spread([5.0, 1.0, 3.0])

    assert (across.median, across.low, across.high) == (3.0, 1.0, 5.0)
    assert f"{across:.1f}" == "3.0 (1.0 to 5.0)"


def test_ratios_are_taken_within_a_round() -> None:
    # A machine that is half as fast in the second round: the medians' ratio would be another.
    assert paired_ratio([100.0, 50.0, 80.0], [200.0, 100.0, 100.0]).median == 0.5
    assert paired_difference([7.0, 9.0, 8.0], [6.0, 8.5, 5.0]).median == 1.0


def test_rounds_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1.0, 2.0], [1.0])


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert [percentile(values, percent) for percent in (50, 99, 100)] == [50.0, 99.0, 100.0]
    assert percentile([3.0], 1) == 3.0


def test_a_slope_is_by_least_squares() -> None:
    assert slope([(0.0, 10.0), (1.0, 12.0), (2.0, 14.0)]) == pytest.approx(2.0)
    assert slope([(0.0, 10.0)]) == 0.0
