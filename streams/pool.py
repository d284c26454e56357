"""The threads in which frames are processed.

`concurrent.futures` has no way to give up a thread that hangs in native code, and waits for it at exit. Here such a
thread is abandoned and another takes its place. Before that, when a task runs for unusually long, it is relieved: an
extra thread does the work of the others, and no other task of its group is begun, for that may hang as well.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from streams.thread_place import thread_place

Result = TypeVar("Result")


class Task(Generic[Result]):
    """One piece of work. started: time.monotonic() when a thread took it up, 0.0 before.

    group: of those that may hang for the same reason.
    """

    __slots__ = (
        "abandoned",
        "cancelled",
        "done",
        "error",
        "finished",
        "group",
        "relieved",
        "result",
        "started",
        "successor",
        "thread_id",
        "work",
    )

    def __init__(
        self, work: Callable[[], Result], done: Callable[["Task[Result]"], None], *, group: Hashable = None
    ) -> None:
        self.work, self.done, self.group = work, done, group
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.started = 0.0
        self.thread_id = 0
        self.successor: Task[Result] | None = None
        self.cancelled = self.abandoned = self.finished = self.relieved = False


class ThreadPool:
    """Daemon threads that take tasks in the order in which they were submitted.

    A task's `done` is called in the thread that ran it, unless it was cancelled first or abandoned meanwhile.
    """

    def __init__(self, threads: int) -> None:
        self._tasks: queue.SimpleQueue[Task[object] | None] = queue.SimpleQueue()
        self._threads = threads
        # Whether a task is begun or cancelled, finished or abandoned, is decided once: no thread is replaced that goes
        # on, and none is forgotten that hangs.
        self._decide = threading.Lock()
        # Threads that hang in a task that was given up.
        self.hung = 0
        # Tasks that are relieved, and neither finished nor given up; by group, what is set aside because of them.
        self.relieved = 0
        self._stalled: dict[Hashable, list[Task[object]]] = {}
        self._aside: dict[Hashable, deque[Task[object]]] = {}
        for _ in range(threads):
            self._start_thread()

    @property
    def busy(self) -> bool:
        """Whether there is work waiting for every thread."""
        return self._tasks.qsize() >= self._threads

    def submit(self, task: Task[Result]) -> None:
        """Have the task run by the next free thread."""
        self._tasks.put(task)  # type: ignore[arg-type]

    def cancel(self, task: Task[Result]) -> bool:
        """Nobody wants the result any more; whether that came before a thread took the task up."""
        with self._decide:
            task.cancelled = True
            return task.started == 0

    def supersede(self, task: Task[Result], successor: Task[Result]) -> bool:
        """Have the successor run in the task's place in the queue; False when the task is begun, or cancelled."""
        with self._decide:
            # What is cancelled may have been taken out of the queue already.
            if task.started or task.cancelled:
                return False
            task.cancelled, task.successor = True, successor
            return True

    def take_back(self, task: Task[Result]) -> bool:
        """Take back a task that no thread has taken up; whether that was in time. If not, nothing is changed."""
        with self._decide:
            in_time = task.started == 0
            task.cancelled = task.cancelled or in_time
            return in_time

    def relieve(self, task: Task[Result]) -> None:
        """Start a thread in place of a task's one while that lasts, and begin no other task of its group."""
        with self._decide:
            if task.finished or task.abandoned or task.relieved:
                return
            task.relieved = True
            self.relieved += 1
            self._stalled.setdefault(task.group, []).append(task)  # type: ignore[arg-type]
            self._aside.setdefault(task.group, deque())
        self._start_thread()

    def abandon(self, task: Task[Result]) -> str | None:
        """Give up on a task that runs too long, and start a thread in place of its one.

        Returns where the task is at, as "file:line in function", for the report; None when it has just finished.
        """
        with self._decide:
            if task.finished:
                return None
            task.abandoned = True
            self.hung += 1
            self._end_relief(task)
        if not task.relieved:
            self._start_thread()
        return thread_place(task.thread_id)

    def close(self) -> None:
        """Let the threads end once the queue is empty; hung ones end with the process."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _start_thread(self) -> None:
        threading.Thread(target=self._run, name="frames", daemon=True).start()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            task = self._take_up(task)
            if task is None:
                continue
            try:
                task.result = task.work()
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked, as a future does
                task.error = error
            if not self._end(task):
                return
            # A thread that waits for work must not hold on to the frame that it had.
            del task

    def _take_up(self, task: Task[object]) -> Task[object] | None:
        """What to run for a task from the queue, if anything: it begins."""
        with self._decide:
            while task.cancelled and task.successor is not None:
                task = task.successor
            if task.cancelled:
                return None
            if (aside := self._aside.get(task.group)) is not None:
                aside.append(task)
                return None
            task.thread_id = threading.get_ident()
            task.started = time.monotonic()
            return task

    def _end(self, task: Task[object]) -> bool:
        """A task has ended; whether its thread goes on, for another one may have its place."""
        with self._decide:
            if task.abandoned:
                self.hung -= 1
                return False
            task.finished = True
            self._end_relief(task)
        task.done(task)
        return not task.relieved

    def _end_relief(self, task: Task[Result]) -> None:
        if not task.relieved:
            return
        self.relieved -= 1
        stalled = self._stalled[task.group]
        stalled.remove(task)  # type: ignore[arg-type]
        if not stalled:
            del self._stalled[task.group]
            for each in self._aside.pop(task.group):
                self._tasks.put(each)
