"""Freshness: what is skipped before it is decoded, and what never is."""

import time

import pytest

from streams.contract.headers import Record
from streams.freshness import MAX_CAMERAS, Newest, Pace, too_old
from streams.pipeline_settings import PipelineSettings


def passed(times_ms: list[int], *, max_fps: float) -> list[int]:
    pace = Pace()
    return [at for at in times_ms if not pace.too_soon("a", at, max_fps=max_fps)]


@pytest.mark.parametrize(
    ("fps", "max_fps", "expected"),
    [(30, 10, 10), (30, 20, 20), (12, 10, 10), (25, 25, 25), (10, 30, 10), (30, 0.5, 0.5), (30, 0, 30)],
)
def test_a_camera_is_thinned_to_the_rate_on_average(fps: float, max_fps: float, expected: float) -> None:
    times = [1000 + round(n * 1000 / fps) for n in range(round(20 * fps))]

    assert len(passed(times, max_fps=max_fps)) == pytest.approx(20 * expected, abs=1)


def test_a_pause_earns_no_burst() -> None:
    times = [0, 5000, 5010, 5020, 5100, 5110]

    assert passed(times, max_fps=10) == [0, 5000, 5100]


def test_a_clock_that_is_set_back_stops_no_camera() -> None:
    assert passed([3_600_000, 10, 20, 110], max_fps=10) == [3_600_000, 10, 110]


def test_each_camera_has_a_pace_of_its_own_and_forged_ones_fill_no_memory() -> None:
    pace = Pace()
    assert not any(pace.too_soon(f"c{n}", 1000, max_fps=1) for n in range(MAX_CAMERAS + 10))
    assert pace.too_soon(f"c{MAX_CAMERAS + 9}", 1001, max_fps=1)
    assert len(pace._due_ms) <= MAX_CAMERAS


def test_too_old_by_the_records_time() -> None:
    now_ms = time.time_ns() // 1_000_000
    settings = PipelineSettings(name="x", max_age_ms=500)

    def record(age_ms: int) -> Record:
        return Record("raw", 0, 0, now_ms - age_ms, b"a", b"", [])

    assert too_old(record(600), settings)
    assert not too_old(record(100), settings)
    # A host whose clock runs ahead of ours.
    assert not too_old(record(-3_600_000), settings)
    assert not too_old(record(3_600_000), PipelineSettings(name="x"))


def test_the_newest_of_each_camera_is_known() -> None:
    newest: Newest[str] = Newest()
    assert newest.put("a", "a0") is None
    assert newest.put("b", "b0") is None
    assert newest.put("a", "a1") == "a0"
    newest.forget("a", "a0")
    assert newest.put("a", "a2") == "a1"
    newest.forget("a", "a2")
    assert newest.put("a", "a3") is None
