from hypothesis import given
from hypothesis import strategies as st

from consumers.sinks.constant_rate import MAX_GAP_S, SECOND_NS, ConstantRate, estimate_fps


def times(*seconds: float) -> list[int]:
    return [round(SECOND_NS * (1_700_000_000 + second)) for second in seconds]


def test_learns_the_rate_despite_jitter_and_missing_frames() -> None:
    steady = times(*(each / 30 for each in range(30)))
    assert estimate_fps(steady) == 30
    assert estimate_fps(steady[:10] + steady[14:]) == 30
    assert estimate_fps([at + (1_000_000 if index % 2 else 0) for index, at in enumerate(steady)]) == 30
    assert estimate_fps(times(0, 5, 10)) == 0.2
    assert estimate_fps(times(*(each / 12.5 for each in range(13)))) == 12.5


def test_the_rate_has_limits_and_a_default() -> None:
    assert estimate_fps(times(3)) == estimate_fps(times(3, 3, 3)) == 25
    assert estimate_fps(times(0, 0.0001)) == 120


def test_a_steady_camera_gives_one_slot_a_frame_whatever_its_jitter() -> None:
    rate = ConstantRate(10)
    jitter = (0.0, 0.03, -0.03, 0.05, 0.0, -0.04)
    assert [rate.slots(at) for at in times(*(each / 10 + jitter[each % 6] for each in range(60)))] == [1] * 60


def test_repeats_over_a_gap_and_skips_what_is_too_much() -> None:
    rate = ConstantRate(10)
    assert [rate.slots(at) for at in times(0, 0.1, 0.5, 0.6)] == [1, 1, 4, 1]
    fast = ConstantRate(10)
    slots = [fast.slots(at) for at in times(*(each / 30 for each in range(300)))]
    assert set(slots) == {0, 1}
    assert abs(sum(slots) - 100) <= 1


def test_a_long_silence_is_cut_out_and_a_step_back_sets_the_clock_anew() -> None:
    rate = ConstantRate(10)
    assert [rate.slots(at) for at in times(0, 0.1, MAX_GAP_S + 50, MAX_GAP_S + 50.1, 3, 3.1)] == [1] * 6


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=100), st.sampled_from([5, 10, 29.97]))
def test_keeps_to_the_clock_within_a_frame(steps: list[float], fps: float) -> None:
    rate = ConstantRate(fps)
    at = shown = 0.0
    for step in [0.0, *steps]:
        at += step
        slots = rate.slots(round(at * SECOND_NS))
        shown += slots
        if slots:
            assert abs((shown - 1) / fps - at) <= 1.001 / fps
