import random

import pytest
from frame_support import CAPTURED_AT_NS, frame_of, picture
from track_support import frame_at

from streams.contract.frame import Frame
from streams.operators.base import Opened
from streams.operators.checks import ParameterError
from streams.operators.timelapse import Timelapse

# 2026-01-02T03:04:05.6789Z: the next full minute is 54.3211 s later.
TO_MINUTE = 54.3211


def passing(operate: Opened, frames: list[Frame]) -> list[int]:
    passed = []
    for frame in frames:
        result = operate(frame)
        assert result is None or result is frame
        passed += [frame.sequence] if result else []
    return passed


def test_the_first_frame_of_each_interval_passes() -> None:
    frames = [frame_at(second, at_s=second) for second in range(200)]

    assert passing(Timelapse(every_s=60).open(), frames) == [0, 55, 115, 175]


def test_a_frame_on_the_boundary_is_of_the_new_interval() -> None:
    frames = [frame_at(0, at_s=0), frame_at(1, at_s=TO_MINUTE - 1e-6), frame_at(2, at_s=TO_MINUTE)]

    assert passing(Timelapse(every_s=60).open(), frames) == [0, 2]


def test_it_does_not_matter_where_a_worker_began() -> None:
    chance = random.Random(1)
    at_s, frames = 0.0, []
    for index in range(300):
        at_s += chance.uniform(0.1, 3.0)
        frames.append(frame_at(index, at_s=at_s))
    operator = Timelapse(every_s=7.5)
    whole = passing(operator.open(), frames)

    for start in range(operator.memory_frames, 300):
        warmed = operator.open()
        passing(warmed, frames[start - operator.memory_frames : start])
        assert passing(warmed, frames[start:]) == [index for index in whole if index >= start]


def test_an_interval_without_frames_has_none() -> None:
    frames = [frame_at(index, at_s=at_s) for index, at_s in enumerate([0, 60, 400, 401, 460])]

    assert passing(Timelapse(every_s=60).open(), frames) == [0, 1, 2, 4]


def test_a_producer_that_starts_again_makes_no_frame_more() -> None:
    frames = [frame_at(0, at_s=1), frame_at(1, at_s=2), frame_at(0, at_s=3, epoch="20260102T030408678-efgh")]

    assert passing(Timelapse(every_s=60).open(), frames) == [0]


def test_a_redriven_frame_of_the_past_does_not_pass_and_is_forgotten() -> None:
    frames = [frame_at(index, at_s=index) for index in range(100, 104)]
    old = frame_at(3, at_s=3)

    assert passing(Timelapse(every_s=60).open(), [*frames[:2], old, *frames[2:]]) == [100]


def test_a_clock_that_is_put_back_holds_nothing_up() -> None:
    frames = [frame_at(index, at_s=at_s) for index, at_s in enumerate([7200, 7201, 0, 1, 2, 60])]

    # The first one back may be a redriven one.
    assert passing(Timelapse(every_s=60).open(), frames) == [0, 3, 5]


def test_each_camera_has_a_memory_of_its_own() -> None:
    operator = Timelapse(every_s=60)
    first, second = operator.open(), operator.open()

    assert operator.memory_frames > 0
    assert first(frame_at(0)) and second(frame_at(0)) and not first(frame_at(1))


def test_it_looks_at_no_picture() -> None:
    frame = frame_of(picture()).changed(_image=None, data=b"", captured_at_ns=CAPTURED_AT_NS)

    assert Timelapse.needs == "none" and Timelapse().open()(frame) is frame


def test_refuses() -> None:
    with pytest.raises(ParameterError, match=r"timelapse: every_s = 0.0: expected seconds from 0.001 to a year"):
        Timelapse(every_s=0.0)
