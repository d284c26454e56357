"""The schedule of faults: by its seed, with gaps and a rest, and all kinds before one comes again."""

from itertools import pairwise

import pytest
from schedule import schedule

KINDS = ("kill", "pause", "cut", "poison")


def test_a_seed_gives_the_same_faults_each_time_and_another_seed_gives_others() -> None:
    assert schedule(KINDS, seed=7, length_s=3600) == schedule(KINDS, seed=7, length_s=3600)
    assert schedule(KINDS, seed=7, length_s=3600) != schedule(KINDS, seed=8, length_s=3600)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    short, long = (schedule(KINDS, seed=3, length_s=length_s) for length_s in (600, 1800))
    assert len(short) < len(long)
    assert long[: len(short)] == short


@pytest.mark.parametrize("seed", range(20))
def test_gaps_are_kept_to_and_nothing_comes_in_the_rest_before_the_end(seed: int) -> None:
    times = [0.0, *(each.at_s for each in schedule(KINDS, seed=seed, length_s=900, gap_s=(20, 60), rest_s=90))]
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) >= 20
    assert max(gaps) <= 60
    assert 900 - 90 - 60 <= times[-1] <= 900 - 90


@pytest.mark.parametrize("seed", range(20))
def test_all_kinds_come_before_one_comes_again(seed: int) -> None:
    found = [each.what for each in schedule(KINDS, seed=seed, length_s=3600)]
    assert len(found) >= 3 * len(KINDS)
    for first in range(0, len(found) - len(KINDS), len(KINDS)):
        assert sorted(found[first : first + len(KINDS)]) == sorted(KINDS)


def test_rounds_and_what_faults_draw_differ() -> None:
    found = schedule(KINDS, seed=1, length_s=3600)
    names = [each.what for each in found]
    rounds = {tuple(names[first : first + len(KINDS)]) for first in range(0, len(names), len(KINDS))}
    assert len(rounds) > 2
    assert len({each.seed for each in found}) == len(found)


def test_a_run_that_is_too_short_has_none() -> None:
    assert schedule(KINDS, seed=1, length_s=19) == []
    assert schedule((), seed=1, length_s=3600) == []
