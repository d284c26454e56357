import pytest
from producer_support import ManualClock

from producers.pacing import Fast, Limit, Pacer, Realtime, pacer_for

MS = 1_000_000


def ns(media_ms: float | None) -> int | None:
    return None if media_ms is None else round(media_ms * MS)


def realtime(clock: ManualClock, *, fps: float | None = None, nominal_fps: float = 0.0) -> Realtime:
    return Realtime(fps=fps, nominal_fps=nominal_fps, clock=clock, sleep=clock.sleep)


def admitted_at(pacer: Pacer, clock: ManualClock, media_ms: list[float | None], work_ms: float = 0) -> list[float]:
    times = []
    for media in media_ms:
        pacer.admit(ns(media))
        times.append(clock.now_ns / MS)
        clock.now_ns += round(work_ms * MS)
    return times


def test_a_file_plays_by_its_own_times() -> None:
    clock = ManualClock()
    times = admitted_at(realtime(clock), clock, [0, 733, 1133, 1600], work_ms=20)
    assert times == pytest.approx([0, 733, 1133, 1600])


def test_a_file_without_times_plays_at_its_nominal_pace() -> None:
    clock = ManualClock()
    assert admitted_at(realtime(clock, nominal_fps=25), clock, [None] * 4) == pytest.approx([0, 40, 80, 120])


def test_what_says_nothing_plays_ten_a_second() -> None:
    clock = ManualClock()
    assert admitted_at(realtime(clock), clock, [None] * 3) == pytest.approx([0, 100, 200])


def test_a_given_pace_goes_before_the_files_times() -> None:
    clock = ManualClock()
    times = admitted_at(realtime(clock, fps=20, nominal_fps=30), clock, [0, 733, 1133])
    assert times == pytest.approx([0, 50, 100])


def test_the_schedule_does_not_drift_with_the_work() -> None:
    clock = ManualClock()
    times = admitted_at(realtime(clock, fps=100), clock, [None] * 1001, work_ms=7.3)
    assert times[-1] == pytest.approx(10_000)


def test_a_short_delay_is_caught_up() -> None:
    clock = ManualClock()
    pacer = realtime(clock, fps=10)
    admitted_at(pacer, clock, [None])
    clock.now_ns += 350 * MS
    assert admitted_at(pacer, clock, [None] * 5) == pytest.approx([350, 350, 350, 400, 500])


def test_after_a_long_delay_the_schedule_moves_instead_of_bursting() -> None:
    clock = ManualClock()
    pacer = realtime(clock, fps=10)
    admitted_at(pacer, clock, [None])
    clock.now_ns += 60_000 * MS
    assert admitted_at(pacer, clock, [None] * 3) == pytest.approx([60_000, 60_100, 60_200])


def test_a_file_that_begins_again_runs_on() -> None:
    clock = ManualClock()
    times = admitted_at(realtime(clock, nominal_fps=10), clock, [0, 100, 200, 0, 100])
    assert times == pytest.approx([0, 100, 200, 300, 400])


def limited(fps: float, at_ms: list[float]) -> list[float]:
    limit = Limit(fps=fps)
    return [at for at in at_ms if limit.admits(round(at * MS))]


def test_a_live_source_is_thinned_to_the_limit() -> None:
    at_30_fps = [index * 100 / 3 for index in range(300)]
    assert limited(10, at_30_fps) == pytest.approx([index * 100.0 for index in range(100)])
    assert len(limited(20, at_30_fps)) == pytest.approx(200, abs=2)


def test_jitter_costs_no_frame_where_the_limit_is_the_sources_own_rate() -> None:
    jittered = [index * 100.0 + (-12 if index % 2 else 12) for index in range(50)]
    assert limited(10, jittered) == jittered


def test_a_pause_is_not_made_up_for() -> None:
    burst = [0.0, *(5000.0 + index for index in range(50))]
    assert limited(10, burst) == [0.0, 5000.0]


def test_which_pacer_a_source_gets() -> None:
    clock = ManualClock()

    def chosen(*, live: bool, realtime: bool, fps: float | None) -> type[Pacer]:
        return type(pacer_for(live=live, realtime=realtime, fps=fps, nominal_fps=30, clock=clock, sleep=clock.sleep))

    assert chosen(live=True, realtime=True, fps=None) is Fast
    assert chosen(live=True, realtime=True, fps=5) is Fast
    assert chosen(live=False, realtime=True, fps=None) is Realtime
    assert chosen(live=False, realtime=False, fps=5) is Fast
