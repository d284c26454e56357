import pytest
from producer_support import ManualClock

from producers.sums import Sums

MS = 1_000_000
SECOND = 1000 * MS


def test_the_sums_close() -> None:
    sums = Sums(clock=ManualClock())
    for _ in range(5):
        sums.captured()
    sums.produced(0)
    sums.produced(0)
    sums.dropped("buffer_full")
    sums.dropped("paced")
    sums.fitted()
    found = sums.snapshot()
    in_flight = 1
    assert found.captured == found.produced + sum(found.dropped.values()) + in_flight
    assert found.dropped == {"buffer_full": 1, "paced": 1}
    assert sums.lost == {"buffer_full": 1}
    assert found.fitted == 1


def test_ages_are_those_of_the_last_ten_seconds() -> None:
    clock = ManualClock(SECOND)
    sums = Sums(clock=clock)
    assert sums.snapshot().age_p50_ms is None
    sums.produced(clock.now_ns - 900 * MS)
    clock.now_ns += 11 * SECOND
    for age_ms in range(1, 101):
        sums.produced(clock.now_ns - age_ms * MS)
    found = sums.snapshot()
    assert found.age_p50_ms == pytest.approx(50, abs=1.5)
    assert found.age_p99_ms == pytest.approx(99, abs=1.5)
    clock.now_ns += 11 * SECOND
    assert sums.snapshot().age_p99_ms is None
