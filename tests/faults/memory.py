"""The resident memory of workers, sampled while they run."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil
from figures import slope

MB = 1_000_000
SAMPLE_S = 0.02
# A process fills its buffers first; a line through less than this says nothing.
WARM_UP_S, SLOPE_S = 20.0, 60.0


class MemorySamples:
    """Samples the processes that `pids` names; a context manager."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids
        self._samples: dict[int, list[tuple[float, float]]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory")

    def __enter__(self) -> "MemorySamples":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def of(self, pid: int) -> list[tuple[float, float]]:
        """(time.monotonic(), MB) of a process, oldest first."""
        return list(self._samples.get(pid, []))

    @property
    def largest_mb(self) -> float:
        """The most that any of them had, in MB."""
        return max((mb for samples in list(self._samples.values()) for _, mb in list(samples)), default=0.0)

    def slopes_mb_per_min(self) -> list[float]:
        """How the memory of each process rose, by least squares, of those that were watched for long enough."""
        long = [each for each in map(list, list(self._samples.values())) if each[-1][0] - each[0][0] >= SLOPE_S]
        return [slope([(at / 60, mb) for at, mb in each if at - each[0][0] >= WARM_UP_S]) for each in long]

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            for pid in list(self._pids()):
                with suppress(psutil.Error):
                    rss = psutil.Process(pid).memory_info().rss
                    self._samples.setdefault(pid, []).append((time.monotonic(), rss / MB))
