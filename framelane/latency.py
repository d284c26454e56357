"""How long frames take from hop to hop, from the times in their headers."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, sqrt

from streams.contract.frame import Frame
from streams.contract.histogram import Histogram

# A hundred a decade, from 10 us to a day and more: figures are right to 1.2 %, however many frames there are.
PER_DECADE = 100
_LEAST_S, _DECADES = 1e-5, 10
BOUNDS_S = tuple(_LEAST_S * 10 ** (step / PER_DECADE) for step in range(_DECADES * PER_DECADE + 1))
PLACES = ("captured", "received", "started", "processed", "read")


class Latencies:
    """Lengths of time of one kind. Those below zero (a clock is ahead) are counted apart, and in no figure else."""

    def __init__(self) -> None:
        self._histogram = Histogram(BOUNDS_S)
        self.max_s = 0.0
        self.negative = 0
        self.least_s = 0.0

    def add(self, seconds: float) -> None:
        """Take one in."""
        if seconds < 0:
            self.negative += 1
            self.least_s = min(self.least_s, seconds)
            return
        self._histogram.observe(seconds)
        self.max_s = max(self.max_s, seconds)

    @property
    def count(self) -> int:
        """How many there were that are not negative."""
        return self._histogram.count

    def quantile(self, share: float) -> float | None:
        """The length, in seconds, that this share (0 to 1) of them did not exceed; None where there were none."""
        cumulative = self._histogram.cumulative()
        rank = max(1, ceil(share * cumulative[-1][1]))
        if rank == cumulative[-1][1]:
            return self.max_s
        low = 0.0
        for bound, count in cumulative:
            if count >= rank:
                return min(self.max_s, sqrt(low * bound) if low else bound)
            low = bound
        return None

    def counts(self, edges_s: "list[float]") -> list[int]:
        """How many lie between one edge and the next; those beyond the edges lie in the outermost."""
        found = [0] * (len(edges_s) - 1)
        before = 0
        for (low, _), (bound, count) in pairwise([(0.0, 0), *self._histogram.cumulative()]):
            middle = sqrt(low * bound) if low and bound != float("inf") else low or bound
            at = min(len(found) - 1, max(0, bisect_right(edges_s, middle) - 1))
            found[at] += count - before
            before = count
        return found


@dataclass(slots=True)
class Hop:
    """From one place to another. whole: from the first to the last, rather than a part of that."""

    start: str
    end: str
    whole: bool = False
    times: Latencies = field(default_factory=Latencies)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.start} -> {self.end}"


class HopTimes:
    """The latencies of all frames that were given, by hop, and from end to end by pipeline and camera.

    live: frames are given as they come, so that the moment of reading is a hop as well.
    """

    def __init__(self, *, live: bool) -> None:
        self._last = "read" if live else "processed"
        places = PLACES if live else PLACES[:-1]
        self.hops = [Hop(*pair) for pair in pairwise(places)]
        self.hops += [Hop("captured", place, whole=True) for place in ("processed", "read") if place in places]
        self.by_pipeline: dict[str, Latencies] = {}
        self.by_camera: dict[tuple[str, str], Latencies] = {}
        self.frames = 0
        self.first_ns = self.last_ns = 0

    def add(self, frame: Frame, *, read_ns: int) -> None:
        """Take a frame in. read_ns: when it was read, ns since 1970."""
        self.frames += 1
        captured = frame.captured_at_ns
        self.first_ns = min(self.first_ns or captured, captured)
        self.last_ns = max(self.last_ns, captured)
        at: Mapping[str, int] = {**frame.hops, "captured": captured, "read": read_ns}
        for hop in self.hops:
            if hop.start in at and hop.end in at:
                hop.times.add((at[hop.end] - at[hop.start]) / 1e9)
        if self._last in at:
            whole_s = (at[self._last] - captured) / 1e9
            self.by_pipeline.setdefault(frame.pipeline, Latencies()).add(whole_s)
            self.by_camera.setdefault((frame.pipeline, frame.camera_id), Latencies()).add(whole_s)

    @property
    def cameras(self) -> int:
        """Of how many cameras there were times."""
        return len({camera for _, camera in self.by_camera})

    @property
    def whole(self) -> str:
        """What the figures of pipelines and cameras are: from where to where."""
        return f"captured -> {self._last}"

    def shown(self) -> list[Hop]:
        """The hops of which anything is known."""
        return [hop for hop in self.hops if hop.times.count or hop.times.negative]

    def worst_cameras(self, most: int) -> Iterator[tuple[str, str, Latencies]]:
        """(pipeline, camera, its latencies) of those whose p99 is highest, the highest first."""
        worst = sorted(self.by_camera.items(), key=lambda item: -(item[1].quantile(0.99) or 0.0))
        yield from ((*of, times) for of, times in worst[:most])
