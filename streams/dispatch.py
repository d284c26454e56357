"""From being taken in to a result: a frame is skipped, or gets its camera's turn, a thread, and a deadline."""

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial

from msgspec.structs import replace

from streams.contract.errors import FrameError
from streams.freshness import Newest, Pace, too_old
from streams.mailbox import Mailbox
from streams.outbox import FrameEntry, FrameLane, Outbox
from streams.pipeline import Run
from streams.pool import Task, ThreadPool
from streams.processing import FILTERED, STALE, Result, process
from streams.stage_times import StageTimes
from streams.stalls import Stalls

log = logging.getLogger(__name__)


class Dispatch:
    """Has frames processed; lives on the event loop. max_hung: of threads, before the worker has to end.

    complete: called with each frame and its result, once.
    """

    def __init__(
        self,
        pool: ThreadPool,
        *,
        max_hung: int,
        mailbox: Mailbox,
        outbox: Outbox,
        times: StageTimes,
        complete: Callable[[FrameEntry, Result], None],
    ) -> None:
        self._pool, self._mailbox, self._outbox, self._times = pool, mailbox, outbox, times
        self._stalls = Stalls(pool, limit=max_hung)
        self._report = complete
        self._newest: dict[FrameLane, Newest[FrameEntry]] = {}
        self._pace = Pace()
        # What a thread has, or will have; also after its lane was killed: should it hang, its thread is replaced.
        self.running: set[FrameEntry] = set()

    def begin(self, lane: FrameLane) -> None:
        """A lane's frames come from now on."""
        self._newest[lane] = Newest()

    def end(self, lane: FrameLane) -> None:
        """No more of them come."""
        del self._newest[lane]

    def ask(self, entry: FrameEntry, *, again: bool = False) -> None:
        """Have a frame processed, or skip it. again: it has asked before, and its pipeline was changed meanwhile."""
        work, settings = entry.work, entry.work.pipeline.settings
        if not settings.wants(work.camera):
            self.complete(entry, FILTERED)
        elif work.redriven is not None:
            # Out of its order anyway: it is never late, never one too many, and takes no newer frame's place.
            if work.redriven == settings.name:
                work.turns.ask(work.camera, partial(self._start, entry))
            else:
                self._skip(entry, FILTERED)
        elif too_old(work.record, settings):
            self._skip(entry, STALE)
        elif not again and self._pace.too_soon(work.camera, work.record.timestamp_ms, max_fps=settings.max_fps):
            self._skip(entry, FILTERED)
        else:
            before = self._newest[entry.lane].put(work.camera, entry) if settings.freshness == "freshest" else None
            if before is None or not self._supersede(before, entry):
                work.turns.ask(work.camera, partial(self._start, entry))

    def ask_again(self, entries: Iterable[FrameEntry]) -> None:
        """Have these frames, which no thread has, processed by the pipeline that is theirs by now."""
        self._newest = {lane: Newest() for lane in self._newest}
        for entry in entries:
            self.running.discard(entry)
            self.ask(entry, again=True)

    def give_back(self, entry: FrameEntry) -> None:
        """Nobody wants its result any more."""
        entry.work.given_back = True
        if entry.work.task is None or self._pool.cancel(entry.work.task):
            self.running.discard(entry)

    def complete(self, entry: FrameEntry, result: Result) -> None:
        """A frame's result is there."""
        self._times.add_all(result.seconds)
        entry.work.ready = time.monotonic()
        self._newest[entry.lane].forget(entry.work.camera, entry)
        self._report(entry, result)

    def check(self, now: float) -> None:
        """Turn frames that run for longer than `frame_timeout_ms` into dead letters. now: time.monotonic().

        Raises FramelaneError when too many threads hang: only a new process gets rid of them.
        """
        for entry in list(self.running):
            task, timeout_s = entry.work.task, entry.work.pipeline.settings.frame_timeout_ms / 1000
            if task is not None and task.started and self._stalls.overdue(task, now, timeout_s=timeout_s):
                self.time_out(entry, task, timeout_s)
        self._stalls.check_hung()

    def time_out(self, entry: FrameEntry, task: Task[Result], timeout_s: float) -> None:
        """Give up on a frame: it becomes a dead letter, and its camera begins with a new memory."""
        at = self._pool.abandon(task)
        if at is None:
            return
        self.running.discard(entry)
        log.error("%s of camera %s hangs at %s; its thread is replaced", entry.work.record.place, entry.work.camera, at)
        error = FrameError(f"not finished after {timeout_s:g} s, at {at}", reason="operator_timeout", stage="pipeline")
        if not entry.lane.killed:
            self.complete(entry, self._outbox.failed(entry, error))
            entry.work.task = None
            entry.work.turns.over(entry.work.camera, forget=True)

    def _supersede(self, older: FrameEntry, newer: FrameEntry) -> bool:
        """Skip the older frame, if nobody has begun it; whether the newer one has got its place in the queue."""
        if older.result is not None or older.work.begun:
            return False
        task, run = older.work.task, older.work.run
        if task is not None and run is not None:
            if not self._pool.supersede(task, self._task(newer, run)):
                newer.work.task = None
                self.running.discard(newer)
                return False
            self.running.discard(older)
        # Without a task it waits for its camera's turn, and the newer one comes next.
        self._skip(older, STALE)
        return task is not None

    def _skip(self, entry: FrameEntry, result: Result) -> None:
        entry.lane.lighten(entry)
        entry.work.record = replace(entry.work.record, value=None)
        self.complete(entry, result)

    def _start(self, entry: FrameEntry, run: Run) -> bool:
        if entry.work.given_back or entry.result is not None:
            return False
        self._pool.submit(self._task(entry, run))
        return True

    def _task(self, entry: FrameEntry, run: Run) -> Task[Result]:
        work = entry.work
        job = partial(
            process,
            work.record,
            run,
            pipeline=work.pipeline,
            received_ns=work.received_ns,
            trace=self._outbox.traced(work),
        )
        work.run = run
        work.task = Task(job, partial(self._ended, entry), group=entry.lane.partition)
        self.running.add(entry)
        return work.task

    def _ended(self, entry: FrameEntry, task: Task[Result]) -> None:
        # In the task's thread. Where all threads go on at once, a wake-up for each frame costs more than it gives.
        self._mailbox.post(self._finished, entry, task, has_time=self._pool.busy)

    def _finished(self, entry: FrameEntry, task: Task[Result]) -> None:
        self.running.discard(entry)
        self._stalls.ended(task, time.monotonic())
        if entry.lane.killed or task.cancelled:
            return
        self._times.add("queue", task.started - entry.work.taken)
        result = task.result
        if result is None:
            # Only what `process` cannot catch ends here, such as MemoryError while it made the dead letter.
            error = FrameError(f"{task.error!r}", reason="operator_error", stage="pipeline")
            result = self._outbox.failed(entry, error)
        self.complete(entry, result)
        # The task holds the entry: without this only a full garbage collection would let go of the frame's bytes.
        entry.work.task = None
        entry.work.turns.over(entry.work.camera)
