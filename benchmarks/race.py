"""One run of a contender, timed by what arrives at the broker; and rounds of several in turn."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.bench import Bench, Input
from benchmarks.figures import Sample, turns
from benchmarks.job import PROGRESS, Job
from benchmarks.outputs import Outputs
from benchmarks.processes import Contender, Refused
from benchmarks.reading import EndOffsets
from streams.contract.errors import FramelaneError

# The window leaves out the start, and the end, when some partitions are through and others not.
_FROM, _TO = 0.1, 0.95
_POLL_S = 0.1
_STILL_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """Somebody in a race. contender: the name of its file; job: what it is asked; outputs: what must come out.

    exact: whether the pixels must be those of the plain way, bit by bit. ends: whether it ends by itself once all is
    done, as what publishes in transactions does.
    """

    label: str
    contender: str
    given: Input
    job: Job
    outputs: Outputs
    exact: bool = True
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a run. at_s: by a clock of its own. frames: outputs up to then. cpu_s, broker_cpu_s: used up to then.

    broker_cpu_s is None where the broker is not ours to look at.
    """

    at_s: float
    frames: int
    cpu_s: float
    broker_cpu_s: float | None

    def until(self, end: "Mark") -> Sample:
        """What a frame took from here to there, where there are some in between."""
        done = end.frames - self.frames
        broker_s = (
            None if self.broker_cpu_s is None or end.broker_cpu_s is None else end.broker_cpu_s - self.broker_cpu_s
        )
        return Sample(
            fps=done / (end.at_s - self.at_s),
            cpu_ms=1000 * (end.cpu_s - self.cpu_s) / done,
            broker_cpu_ms=None if broker_s is None else 1000 * broker_s / done,
        )


def race(bench: Bench, entrants: Sequence[Entrant], *, title: str) -> dict[str, list[Sample]]:
    """Rounds in which each entrant runs once, by label; who begins moves on from round to round.

    A worker that does not know what it is asked for drops out, and is not in the result.
    """
    found: dict[str, list[Sample]] = {entrant.label: [] for entrant in entrants}
    for number, entrant in turns(entrants, bench.settings.rounds):
        if entrant.label not in found:
            continue
        try:
            sample = run_once(bench, entrant)
        except Refused as refusal:
            del found[entrant.label]
            bench.say(f"{title}: {entrant.label} is left out, as it refuses its pipeline: {refusal}")
            continue
        found[entrant.label].append(sample)
        bench.say(
            f"{title} {number + 1}/{bench.settings.rounds}  {entrant.label}: "
            f"{sample.fps:.0f} frames/s, {sample.cpu_ms:.1f} ms a frame"
        )
    return found


def run_once(bench: Bench, entrant: Entrant) -> Sample:
    """Run an entrant over its whole input, look at what came out, and return how fast that was."""
    frames, partitions = entrant.given.frames, entrant.given.partitions
    with bench.job(entrant.job, partitions=partitions) as job:
        count = _counter(entrant, job, partitions)
        with Contender(entrant.contender, job) as contender:
            start = wait_for_frames(bench, contender, count, math.ceil(_FROM * frames))
            end = wait_for_frames(bench, contender, count, math.ceil(_TO * frames))
            wait_for_frames(bench, contender, count, frames)
            if entrant.ends:
                contender.wait_for_end()
        # The ends of transactions have offsets, too, and none is a frame.
        part = frames / count() if entrant.ends else 1.0
        fidelity_db = entrant.outputs.check(job, entrant.label, exact=entrant.exact)
    if end.frames == start.frames:
        raise FramelaneError(f"{entrant.label}: too fast to be timed with {frames} frames; give more (--frames)")
    sample = start.until(end)
    return replace(sample, fps=sample.fps * part, cpu_ms=sample.cpu_ms / part, fidelity_db=fidelity_db)


def _counter(entrant: Entrant, job: Job, partitions: int) -> Callable[[], int]:
    if entrant.contender != "in_process":
        return EndOffsets(job.bootstrap, job.output, partitions=partitions).count
    progress = Path(job.folder, PROGRESS)
    return lambda: progress.stat().st_size if progress.exists() else 0


def wait_for_frames(bench: Bench, contender: Contender, count: Callable[[], int], wanted: int) -> Mark:
    """Wait until so many outputs are there; FramelaneError when none has come for a minute."""
    last, since = -1, time.monotonic()
    while True:
        frames = count()
        if frames >= wanted:
            # All at one moment: the window's ends are where it was looked, not where the count was passed.
            return Mark(time.perf_counter(), frames, contender.cpu_s(), bench.broker_cpu_s())
        contender.check()
        if frames > last:
            last, since = frames, time.monotonic()
        elif time.monotonic() - since > _STILL_S:
            raise FramelaneError(f"{contender.name}: {frames} outputs of {wanted}, and no more for {_STILL_S:g} s")
        time.sleep(_POLL_S)
