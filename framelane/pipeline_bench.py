"""What a pipeline costs on this machine: processor time by stage, and frames a second by threads; without a broker."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import median

from framelane.footage import around
from framelane.stage_times import StageTimes, measure
from streams.contract.frame import Frame
from streams.pipeline import Pipeline, Run
from streams.pipeline_settings import PipelineSettings

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """Frames a second of so many threads, one figure for each round."""

    threads: int
    plan: bool
    fps: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.fps)


@dataclass(frozen=True, slots=True)
class PipelineCost:
    """What one pipeline costs. planned, unplanned: with `plan = true` and `false`.

    speeds: by threads, with the plan and without it; empty where the stages cannot be measured.
    """

    label: str
    size: tuple[int, int]
    frames: int
    planned: StageTimes
    unplanned: StageTimes
    speeds: tuple[Speed, ...]

    @property
    def stages(self) -> list[str]:
        """The stages in their order; those that only one of both has, too."""
        return list(dict.fromkeys([*self.unplanned.milliseconds, *self.planned.milliseconds]))


def cost_of(
    settings: PipelineSettings, frames: Sequence[Frame], *, threads: Sequence[int], seconds: float
) -> PipelineCost:
    """Measure it. seconds: how long each figure is taken for, at the least; the figures of a round alternate."""
    planned, unplanned = measure(settings, list(frames), most=len(frames), most_s=2 * seconds)
    speeds: list[Speed] = []
    if not planned.failure:
        ways = [(count, plan) for count in threads for plan in (True, False)]
        found: dict[tuple[int, bool], list[float]] = {way: [] for way in ways}
        for number in range(ROUNDS):
            for count, plan in ways[number % len(ways) :] + ways[: number % len(ways)]:
                found[count, plan].append(_fps(replace(settings, plan=plan), frames, count, seconds))
        speeds = [Speed(count, plan, tuple(figures)) for (count, plan), figures in found.items()]
    size = frames[0].width, frames[0].height
    return PipelineCost(settings.label, size, len(frames), planned, unplanned, tuple(speeds))


def _fps(settings: PipelineSettings, frames: Sequence[Frame], threads: int, seconds: float) -> float:
    """Frames/s of so many threads, each with the frames of a camera of its own, as a worker with as many has them."""
    pipeline = Pipeline(settings)
    shared = None if pipeline.has_memory else pipeline.open()
    runs: list[Run] = [shared or pipeline.open() for _ in range(threads)]
    until = time.perf_counter() + seconds

    def work(run: Run) -> int:
        number = 0
        while time.perf_counter() < until:
            run(around(frames, number))
            number += 1
        return number

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, runs))
    return done / (time.perf_counter() - started)
