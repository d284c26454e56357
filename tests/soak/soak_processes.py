"""Memory, descriptors and threads of processes over time, looked at from outside."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import psutil
from figures import slope

MIB = 1024 * 1024
SAMPLE_S = 5.0
# A process fills its buffers first.
WARM_UP = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """at_s: time.monotonic(). mb: resident, in MiB."""

    at_s: float
    mb: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Trend:
    """What became of a process after the first fifth of its time. Growths: the last quarter's median less the first's.

    lived_s: all of its time. mb: the last quarter's.
    """

    name: str
    lived_s: float
    mb: float
    mb_per_min: float
    mb_growth: float
    descriptors_growth: float
    threads_growth: float


class ProcessSamples:
    """Samples of processes, from `watch` until each has ended; a context manager with a thread of its own."""

    def __init__(self, *, every_s: float = SAMPLE_S) -> None:
        self._every_s = every_s
        self._watched: dict[str, psutil.Process] = {}
        self.samples: dict[str, list[Sample]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="processes")

    def __enter__(self) -> "ProcessSamples":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def watch(self, name: str, pid: int) -> None:
        """Begin to sample a process."""
        self.samples[name] = []
        self._watched[name] = psutil.Process(pid)

    def trends(self, *, least_s: float) -> list[Trend]:
        """Of all that were watched for so long at least."""
        found = [trend(name, list(samples)) for name, samples in self.samples.items() if len(samples) > 1]
        return [each for each in found if each.lived_s >= least_s]

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            for name, process in list(self._watched.items()):
                try:
                    with process.oneshot():
                        mb, threads = process.memory_info().rss / MIB, process.num_threads()
                    # That of a process which has ended, and for which nobody has waited yet, is 0.
                    if mb:
                        self.samples[name].append(Sample(time.monotonic(), mb, process.num_fds(), threads))
                except psutil.Error:
                    del self._watched[name]


def trend(name: str, samples: Sequence[Sample]) -> Trend:
    """The trend of one process."""
    lived_s = samples[-1].at_s - samples[0].at_s
    settled = [each for each in samples if each.at_s - samples[0].at_s >= WARM_UP * lived_s]
    quarter = max(1, len(settled) // 4)

    def growth(of: Callable[[Sample], float]) -> float:
        return median(map(of, settled[-quarter:])) - median(map(of, settled[:quarter]))

    return Trend(
        name=name,
        lived_s=lived_s,
        mb=median(each.mb for each in settled[-quarter:]),
        mb_per_min=slope([(each.at_s / 60, each.mb) for each in settled]),
        mb_growth=growth(lambda each: each.mb),
        descriptors_growth=growth(lambda each: each.descriptors),
        threads_growth=growth(lambda each: each.threads),
    )
