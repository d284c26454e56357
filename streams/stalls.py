"""Frames that run for unusually long: other partitions do not wait for the threads that they hold.

A hung frame has its thread until its deadline, and the frames behind it may hang too: without this, those of one
partition soon hold every thread, and all other partitions stand still.
"""

from streams.contract.errors import FramelaneError
from streams.pool import Task, ThreadPool
from streams.processing import Result

STALL_S = 0.1
# An operator that is slow by nature hangs no more than a fast one: what is usual is measured.
TIMES_USUAL = 4
_FORGET = 1 / 16


class Stalls:
    """Relieves tasks that run for too long. limit: how many threads may stall, and how many may hang for good."""

    def __init__(self, pool: ThreadPool, *, limit: int) -> None:
        self._pool, self._limit = pool, limit
        self._usual_s = 0.0

    def ended(self, task: Task[Result], now: float) -> None:
        """A task has come to its end. now: time.monotonic()."""
        self._usual_s += (now - task.started - self._usual_s) * _FORGET

    def overdue(self, task: Task[Result], now: float, *, timeout_s: float) -> bool:
        """Whether a task that is begun is past its deadline; it is relieved when it runs for unusually long."""
        lasts_s = now - task.started
        if lasts_s > max(STALL_S, TIMES_USUAL * self._usual_s) and self._pool.relieved < self._limit:
            self._pool.relieve(task)
        return lasts_s > timeout_s

    def check_hung(self) -> None:
        """Raise FramelaneError when too many threads hang: only a new process gets rid of them."""
        if self._pool.hung > self._limit:
            raise FramelaneError(f"{self._pool.hung} threads hang in operators; see the dead letters")
