"""The resident memory of workers, sampled while they run."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

MB = 1_000_000
SAMPLE_S = 0.02


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

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            for pid in list(self._pids()):
                with suppress(psutil.Error):
                    rss = psutil.Process(pid).memory_info().rss
                    self._samples.setdefault(pid, []).append((time.monotonic(), rss / MB))
