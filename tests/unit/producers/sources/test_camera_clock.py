import pytest
from producer_support import ManualClock

from producers.sources.camera_clock import BELIEVED_NS, NONSENSE_NS, CameraClock

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


def times_of(told: list[int | None], *, now: int = NOW, step: int = 0) -> list[int]:
    """The times of pictures with these times of the camera, at the host's time now, now + step ..."""
    host = ManualClock(now)
    clock = CameraClock(host)
    times = []
    for each in told:
        times.append(clock.time_of(each))
        host.now_ns += step
    return times


def test_without_a_camera_s_time_it_is_the_host_s() -> None:
    assert times_of([None, None], step=SECOND) == [NOW, NOW + SECOND]


def test_a_near_time_is_the_camera_s() -> None:
    assert times_of([NOW - BELIEVED_NS, NOW + BELIEVED_NS]) == [NOW - BELIEVED_NS, NOW + BELIEVED_NS]


def test_the_host_s_time_up_to_the_first_sender_report_and_never_backwards() -> None:
    told = [None, None, NOW + 900_000_000, NOW + 1_900_000_000, NOW + 2_900_000_000]
    # The camera is behind by a second and more: its first pictures have been given later times already.
    assert times_of(told, step=SECOND) == [
        NOW,
        NOW + SECOND,
        NOW + SECOND + 1,
        NOW + 1_900_000_000,
        NOW + 2_900_000_000,
    ]


@pytest.mark.parametrize("off", [-BELIEVED_NS - 1, BELIEVED_NS + 1, -NONSENSE_NS, NONSENSE_NS])
def test_a_time_that_is_off_is_handed_on_as_it_is(off: int) -> None:
    assert times_of([None, NOW + off, NOW + off]) == [NOW, NOW + off, NOW + off]


@pytest.mark.parametrize("off", [-NONSENSE_NS - 1, NONSENSE_NS + 1])
def test_nonsense_counts_as_none_and_decides_nothing(off: int) -> None:
    near = NOW + 5
    assert times_of([NOW + off, near]) == [NOW, near]


def test_a_run_stays_with_the_clock_that_it_has_begun_with() -> None:
    far, near = NOW + 60 * SECOND, NOW + SECOND
    assert times_of([near, far, near + 10]) == [near, near + 1, near + 10]
    assert times_of([far, near, far]) == [far, NOW, far]
