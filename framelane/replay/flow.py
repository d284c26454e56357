"""The frames of one partition on their way through the threads: taken in order, given out in order.

Belongs to one thread, but for what the pool's threads call. There is no Kafka and no clock in what it decides, so what
comes out of it depends on the records alone; only a thread that hangs is given up by time.
"""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from streams.cameras import Turns
from streams.contract.errors import FrameError
from streams.contract.headers import Record, camera_of, to_frame
from streams.contract.redrive import redriven_for
from streams.contract.topics import MIB
from streams.freshness import Pace
from streams.memories import Memories
from streams.pipeline import Pipeline, Run
from streams.pool import Task, ThreadPool
from streams.processing import FILTERED, Result, failed, process

log = logging.getLogger(__name__)

OTHER, REDRIVEN, REMEMBERED = Result("other"), Result("redriven"), Result("remembered")
_MAX_BYTES = 16 * MIB
_FRAMES_A_THREAD = 8
# A frame is given up only when nobody would wait for it any longer: what comes out must not depend on the machine.
_LEAST_HANG_S, _TIMES_THE_TIMEOUT = 60.0, 10
_LOOK_S = 1.0


@dataclass(slots=True, eq=False)
class Entry:
    """A frame on its way. silent: only to be remembered. result: None as long as it is not there."""

    record: Record
    silent: bool
    camera: str = ""
    result: Result | None = None
    task: Task[Result] | None = None
    received_ns: int = field(default_factory=time.time_ns)

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self.record.value or b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What the partitions of a process share: the pipeline, what it opened, the threads, which cameras are meant."""

    pipeline: Pipeline
    shared: Run
    pool: ThreadPool
    threads: int
    wants: Callable[[str], bool]


class Flow:
    """The frames of one partition; ends with `close`."""

    def __init__(self, works: Works, *, hang_s: float | None = None) -> None:
        """hang_s: for how long a frame may run before it is given up; default: ten times as long as in a worker."""
        self._works = works
        # No limit: which camera is forgotten would depend on which partitions this process happens to have.
        self._turns = Turns(works.pipeline, works.shared, memories=Memories())
        self._pace = Pace()
        self._max_frames = _FRAMES_A_THREAD * works.threads
        self._entries: deque[Entry] = deque()
        self._ended: queue.SimpleQueue[Entry] = queue.SimpleQueue()
        self._bytes = 0
        timeout_s = works.pipeline.settings.frame_timeout_ms / 1000
        self._hang_s = max(_LEAST_HANG_S, _TIMES_THE_TIMEOUT * timeout_s) if hang_s is None else hang_s
        self._looked = time.monotonic()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def room(self) -> int:
        """How many more frames may be taken."""
        return max(0, self._max_frames - len(self._entries)) if self._bytes < _MAX_BYTES else 0

    def take(self, record: Record, *, silent: bool = False, unreadable: FrameError | None = None) -> None:
        """Take a frame in. silent: it was published already. unreadable: why only its place is known."""
        entry = Entry(record, silent)
        self._entries.append(entry)
        self._bytes += entry.size
        entry.result = self._without_running(entry, unreadable)
        if entry.result is None:
            self._run(entry)

    def warm(self, record: Record) -> None:
        """Only have the memories see a frame, which lies before the stretch and is meant."""
        entry = Entry(record, silent=True, camera=camera_of(record))
        self._entries.append(entry)
        self._bytes += entry.size
        self._run(entry)

    def finished(self, *, timeout_s: float) -> Iterator[Entry]:
        """Those that are done, with all before them, in order; waits for so long where nothing is done meanwhile."""
        self._collect(timeout_s)
        while self._entries and self._entries[0].result is not None:
            entry = self._entries.popleft()
            self._bytes -= entry.size
            yield entry

    def close(self) -> None:
        """Nobody wants what is not finished."""
        for entry in self._entries:
            if entry.task is not None:
                self._works.pool.cancel(entry.task)
        self._turns.clear()
        self._entries.clear()

    def _without_running(self, entry: Entry, unreadable: FrameError | None) -> Result | None:
        """What becomes of a frame that no operator is to see; None for one that is to be run."""
        record, settings = entry.record, self._works.pipeline.settings
        try:
            if unreadable is not None:
                raise unreadable
            entry.camera = camera_of(record)
        except FrameError as error:
            return failed(record, error, pipeline=self._works.pipeline)
        if not self._works.wants(entry.camera):
            return OTHER
        if redriven_for(record.headers) is not None:
            # It lies in the input a second time, and the first is where it belongs.
            return REDRIVEN
        if self._pace.too_soon(entry.camera, record.timestamp_ms, max_fps=settings.max_fps):
            return FILTERED
        return REMEMBERED if entry.silent and not self._works.pipeline.has_memory else None

    def _run(self, entry: Entry) -> None:
        self._turns.ask(entry.camera, partial(self._start, entry))

    def _start(self, entry: Entry, run: Run) -> bool:
        pipeline = self._works.pipeline
        if entry.silent:
            job = partial(_remember, entry.record, run, pipeline.settings.max_pixels)
        else:
            job = partial(process, entry.record, run, pipeline=pipeline, received_ns=entry.received_ns)
        entry.task = Task(job, lambda _: self._ended.put(entry))
        self._works.pool.submit(entry.task)
        return True

    def _collect(self, timeout_s: float) -> None:
        """Take in what the threads have done."""
        wait = timeout_s > 0 and bool(self._entries) and self._entries[0].result is None
        while True:
            try:
                entry = self._ended.get(timeout=timeout_s) if wait else self._ended.get_nowait()
            except queue.Empty:
                break
            wait = False
            if entry.result is None:
                self._settle(entry)
        now = time.monotonic()
        if now - self._looked >= min(_LOOK_S, self._hang_s):
            self._looked = now
            self._give_up_hung(now)

    def _settle(self, entry: Entry) -> None:
        task = entry.task
        assert task is not None
        if task.result is None:
            # Only what `process` cannot catch ends here, such as MemoryError while it made the dead letter.
            error = FrameError(f"{task.error!r}", reason="operator_error", stage="pipeline")
            entry.result = failed(entry.record, error, pipeline=self._works.pipeline)
        else:
            entry.result = task.result
        # The task holds the entry: without this only a full garbage collection would let go of the frame's bytes.
        entry.task = None
        self._turns.over(entry.camera)

    def _give_up_hung(self, now: float) -> None:
        for entry in self._entries:
            task = entry.task
            if task is None or not task.started or now - task.started <= self._hang_s:
                continue
            at = self._works.pool.abandon(task)
            if at is None:
                continue
            log.error("%s of camera %s hangs at %s; its thread is replaced", entry.record.place, entry.camera, at)
            error = FrameError(f"not finished after {self._hang_s:g} s", reason="operator_timeout", stage="pipeline")
            entry.result, entry.task = failed(entry.record, error, pipeline=self._works.pipeline), None
            self._turns.over(entry.camera, forget=True)


def _remember(record: Record, run: Run, max_pixels: int) -> Result:
    """Run in a thread. What raises here did so when it was this frame's turn, and has been told of then."""
    try:
        run.remember(to_frame(record, max_pixels=max_pixels))
    except Exception as error:  # noqa: BLE001 - operators are anyone's code, and this frame is none that is owed
        log.debug("%s cannot be remembered: %s", record.place, error)
    return REMEMBERED
