"""How long the stages of a pipeline take on this machine: measured on synthetic frames, without a broker."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from framelane.footage import around
from streams.contract.errors import FrameError, SettingError
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_frame
from streams.contract.images import encode
from streams.pipeline import Pipeline
from streams.pipeline_settings import PipelineSettings, waits_for_others

# Enough pictures for what moves to be seen, and enough rounds for a median.
_PICTURES = 24
_MIN_FRAMES, _MAX_FRAMES, _MAX_S = 3, 60, 4.0
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Milliseconds of processor time for a frame, by stage: medians. failure: why there are none."""

    milliseconds: Mapping[str, float]
    failure: str = ""

    @property
    def total(self) -> float:
        """All stages together, in ms."""
        return sum(self.milliseconds.values())


def synthetic_frames(size: tuple[int, int]) -> list[Frame]:
    """Frames of the synthetic camera, as a worker reads them. size: (width, height) in pixels.

    Raises SettingError where that is too small for its scene.
    """
    from producers.scene import Scene
    from producers.stamp import MIN_HEIGHT, MIN_WIDTH

    if size[0] < MIN_WIDTH or size[1] < MIN_HEIGHT:
        raise SettingError(f"--size {size[0]}x{size[1]}: at least {MIN_WIDTH}x{MIN_HEIGHT} is needed")
    scene = Scene("synthetic", size=size, fps=15.0, seed=0)
    records = (
        Record("frames.raw", 0, number, 0, b"synthetic", encode(scene.draw(number), quality=_QUALITY), [])
        for number in range(_PICTURES)
    )
    return [to_frame(record) for record in records]


def measure(
    settings: PipelineSettings, frames: Sequence[Frame], *, most: int = _MAX_FRAMES, most_s: float = _MAX_S
) -> tuple[StageTimes, StageTimes]:
    """With the plan and without it, frame by frame in turn, so that both meet the same machine.

    most, most_s: it ends after so many frames or seconds, whichever comes first.
    """
    if waits_for_others(settings):
        not_here = StageTimes({}, "not measured, as one of its stages waits for programs elsewhere")
        return not_here, not_here
    runs = [Pipeline(replace(settings, plan=plan), clock=time.thread_time).open() for plan in (True, False)]
    seconds: tuple[dict[str, list[float]], ...] = ({}, {})
    began = time.monotonic()
    for number in range(most):
        frame = around(frames, number)
        for run, stages in zip(runs, seconds, strict=True):
            try:
                outcome = run(frame)
            except FrameError as error:
                failed = StageTimes({}, f"it fails on frame {number}: {error.stage}: {error}")
                return failed, failed
            for stage, taken in outcome.seconds.items():
                stages.setdefault(stage, []).append(taken)
        if number >= _MIN_FRAMES and time.monotonic() - began > most_s:
            break
    planned, unplanned = (
        StageTimes({stage: 1000 * median(taken) for stage, taken in each.items()}) for each in seconds
    )
    return planned, unplanned
