"""The threads in which frames are processed.

`concurrent.futures` has no way to give up a thread that hangs in native code, and waits for it at exit. Here such a
thread is abandoned and another takes its place.
"""

import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Task(Generic[Result]):
    """One piece of work. started: time.monotonic() when a thread took it up, 0.0 before."""

    __slots__ = (
        "abandoned",
        "cancelled",
        "done",
        "error",
        "finished",
        "result",
        "started",
        "successor",
        "thread_id",
        "work",
    )

    def __init__(self, work: Callable[[], Result], done: Callable[["Task[Result]"], None]) -> None:
        self.work, self.done = work, done
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.started = 0.0
        self.thread_id = 0
        self.successor: Task[Result] | None = None
        self.cancelled = self.abandoned = self.finished = False


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
        for _ in range(threads):
            self._start_thread()

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

    def abandon(self, task: Task[Result]) -> str | None:
        """Give up on a task that runs too long, and start a thread in place of its one.

        Returns where the task is at, as "file:line in function", for the report; None when it has just finished.
        """
        with self._decide:
            if task.finished:
                return None
            task.abandoned = True
            self.hung += 1
        self._start_thread()
        stack = sys._current_frames().get(task.thread_id)
        if stack is None:
            return "unknown"
        at = traceback.extract_stack(stack)[-1]
        return f"{at.filename.rpartition('/')[2]}:{at.lineno} in {at.name}"

    def close(self) -> None:
        """Let the threads end once the queue is empty; hung ones end with the process."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _start_thread(self) -> None:
        threading.Thread(target=self._run, name="frames", daemon=True).start()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            with self._decide:
                while task.cancelled and task.successor is not None:
                    task = task.successor
                if task.cancelled:
                    continue
                task.thread_id = threading.get_ident()
                task.started = time.monotonic()
            try:
                task.result = task.work()
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked, as a future does
                task.error = error
            with self._decide:
                if task.abandoned:
                    self.hung -= 1
                    return  # another thread has this one's place
                task.finished = True
            task.done(task)
            # A thread that waits for work must not hold on to the frame that it had.
            del task
