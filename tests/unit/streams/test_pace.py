"""The pace of a warm-up: all frames where there is time; else evenly up to the newest, and never past the time."""

import itertools

import pytest

from streams.pace import Pace, Speed, Stride


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def warm_up(frames: list[str], *, frame_s: float, budget_s: float, threads: int = 1) -> tuple[list[int], float]:
    """Simulate one; the indexes of the frames that were run, and how long it took."""
    clock = Clock()
    pace, stride = Pace(budget_s, threads=threads, clock=clock), Stride()
    taken = []
    for index, camera in enumerate(frames):
        share = pace.share("lane", camera, coming=len(frames) - index, waiting=0)
        if stride.take(camera, share):
            taken.append(index)
            # With several threads, each frame takes as long, but as many run at the same time.
            clock.now += frame_s / min(threads, len(set(frames)))
            pace.ran(frame_s)
    return taken, clock.now


def test_with_time_for_all_every_frame_is_run() -> None:
    taken, _ = warm_up(["a"] * 200, frame_s=0.01, budget_s=3)
    assert taken == list(range(200))


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_without_it_they_are_skipped_evenly_up_to_the_newest(threads: int) -> None:
    frames = ["a", "b"] * 500
    taken, seconds = warm_up(frames, frame_s=0.02, budget_s=3, threads=threads)
    assert seconds <= 3.001
    assert len(taken) > 0.8 * 3 / 0.02 * min(threads, 2)
    assert taken[-1] >= 990
    for camera in (0, 1):
        mine = [index for index in taken if index % 2 == camera]
        gaps = [later - earlier for earlier, later in itertools.pairwise(mine[2:-3])]
        assert max(gaps) <= 2 * min(gaps) + 2, gaps


def test_cameras_get_the_same_share_however_they_alternate() -> None:
    frames = ["a", "b", "c"] * 200
    taken, _ = warm_up(frames, frame_s=0.02, budget_s=4)
    counts = [sum(frames[index] == camera for index in taken) for camera in "abc"]
    assert max(counts) - min(counts) <= 2


def test_frames_that_become_slower_are_skipped_more_and_the_newest_still_reached() -> None:
    clock = Clock()
    pace, stride = Pace(3.0, threads=1, clock=clock), Stride()
    taken = []
    for index in range(400):
        if stride.take("a", pace.share("lane", "a", coming=400 - index, waiting=0)):
            taken.append(index)
            seconds = 0.005 if index < 100 else 0.05
            clock.now += seconds
            pace.ran(seconds)
    assert clock.now <= 3.1
    assert taken[-1] >= 380


def test_what_waits_and_what_other_lanes_have_counts_as_well() -> None:
    clock = Clock()
    pace = Pace(1.0, threads=1, clock=clock)
    pace.ran(0.01)
    alone = pace.share("one", "a", coming=100, waiting=0)
    assert alone == pytest.approx(0.9)
    assert pace.share("one", "a", coming=100, waiting=45) == pytest.approx(0.45)
    pace.share("two", "a", coming=100, waiting=0)
    assert pace.share("one", "a", coming=100, waiting=0) == pytest.approx(0.45)
    pace.gone("two")
    assert pace.share("one", "a", coming=100, waiting=0) == alone
    clock.now = 2.0
    assert pace.share("one", "a", coming=100, waiting=0) == 0.0
    assert pace.left_s == 0.0


def test_the_speed_of_reading_does_not_count_the_wait_for_those_that_process() -> None:
    clock = Clock()
    speed = Speed(clock=clock)
    # Until the first one is there, nothing is known.
    clock.now += 5.0
    assert speed.reach(10.0) is None
    speed.read(waited=0.0)
    for _ in range(100):
        clock.now += 0.02
        speed.read(waited=0.01)
    assert speed.reach(10.0) == pytest.approx(700, abs=1)
    assert speed.reach(10.0) is None
