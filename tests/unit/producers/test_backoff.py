import random
from itertools import islice

import pytest

from producers.backoff import delays


class Middle(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_waits_double_up_to_the_longest() -> None:
    waits = list(islice(delays(first_s=0.5, longest_s=5.0, rng=Middle()), 6))
    assert waits == pytest.approx([0.5, 1.0, 2.0, 4.0, 5.0, 5.0])


def test_jitter_keeps_cameras_apart_within_a_quarter() -> None:
    waits = [next(delays(first_s=4.0, rng=random.Random(seed))) for seed in range(200)]
    assert min(waits) >= 3.0
    assert max(waits) <= 5.0
    assert len(set(waits)) == 200
