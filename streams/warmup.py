"""Warming memories: when a partition arrives, operators that look back see again what they would have seen by then.

The frames before a lane's first one are run through the stateful operators, in order and camera by camera, and nothing
comes out. The lane's own frames wait meanwhile, but no longer than until a deadline, whatever happens here. All of it
runs on the event loop, but for what `Reader` says.
"""

import logging
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from streams.cameras import Turns
from streams.contract.headers import Record, to_frame
from streams.contract.topics import MIB
from streams.history import Span
from streams.in_flight import InFlight
from streams.lanes import Partition
from streams.mailbox import Mailbox
from streams.pace import Pace, Stride
from streams.pipeline import Pipeline, Run
from streams.pool import Task, ThreadPool
from streams.settings import WorkerSettings

log = logging.getLogger(__name__)

# What is read and not run yet; with what the client has fetched it makes 32 MiB at most.
MAX_BYTES = 16 * MIB
FRAMES_A_THREAD = 4


class History(Protocol):
    """Where the frames before a position come from."""

    def read(self, span: Span) -> None:
        """Have them read; the span's reader is told."""


class Warmup:
    """Warms the memories of lanes. history: set by the application; without it, or with no time for it, nothing is.

    Lanes that begin while others are being warmed share the deadline with them, unless half of the time is over.
    """

    def __init__(self, settings: WorkerSettings, *, mailbox: Mailbox, pool: ThreadPool) -> None:
        self.history: History | None = None
        self._settings, self._mailbox, self._pool = settings, mailbox, pool
        self._in_flight = InFlight(max_frames=FRAMES_A_THREAD * settings.threads, max_bytes=MAX_BYTES)
        self._lanes: dict[Turns, _Lane] = {}
        # Those that have arrived; None: not its turn yet.
        self._frames: dict[_Frame, Task[None] | None] = {}
        self._pace: Pace | None = None

    def begin(self, turns: Turns, pipeline: Pipeline, partition: Partition, *, before: int) -> None:
        """A lane is there whose first frame has the offset `before`: hold its frames until its memories are warm."""
        max_s = self._settings.warmup_max_s
        if self.history is None or not pipeline.has_memory or not max_s or not before:
            return
        if self._pace is None or not self._lanes or self._pace.left_s < max_s / 2:
            self._pace = Pace(time.monotonic() + max_s, threads=self._settings.threads)
        lane = _Lane(self, turns, pipeline, partition, self._pace)
        self._lanes[turns] = lane
        turns.hold()
        self._mailbox.later(self._pace.left_s, self._end, lane)
        self.history.read(
            Span(lane, partition, before, memory_frames=pipeline.memory_frames, deadline=self._pace.deadline)
        )

    def stop(self, turns: Turns) -> None:
        """A lane has ended."""
        lane = self._lanes.get(turns)
        if lane is not None:
            self._end(lane, warm=False)

    def stop_all(self) -> None:
        """No frame waits for this any more."""
        for lane in list(self._lanes.values()):
            self._end(lane, warm=False)

    def end_hung(self, now: float) -> None:
        """Give up on frames past their time limit; their cameras begin afresh. now: time.monotonic()."""
        for frame, task in list(self._frames.items()):
            timeout_s = frame.lane.pipeline.settings.frame_timeout_ms / 1000
            if task is None or not task.started or now - task.started <= timeout_s:
                continue
            at = self._pool.abandon(task)
            if at is None:
                continue
            place, camera = frame.record.place, frame.camera
            log.error(
                "%s of camera %s hangs at %s while memories are warmed; its thread is replaced", place, camera, at
            )
            # What hangs once may hang again, and too many hung threads would end the worker: at each start anew.
            self.stop_all()
            self._leave(frame)
            frame.lane.turns.over(camera, forget=True)

    # -- what a lane's reader asks for, in its thread

    @property
    def waiting(self) -> int:
        """Frames that are read and have not been run."""
        return self._in_flight.frames

    def enter(self, frame: "_Frame") -> None:
        """Have a frame run; waits while there are too many."""
        if self._in_flight.enter(frame.size, unless=lambda: frame.lane.over):
            self._mailbox.post(self._arrived, frame)

    def ended(self, lane: "_Lane") -> None:
        """No more frames are read."""
        self._mailbox.post(self._all_read, lane)

    # -- on the loop

    def _arrived(self, frame: "_Frame") -> None:
        lane = frame.lane
        lane.pending += 1
        self._frames[frame] = None
        if lane.over or not lane.turns.ask_before(frame.camera, partial(self._start, frame)):
            self._leave(frame)

    def _all_read(self, lane: "_Lane") -> None:
        lane.all_read = True
        if not lane.pending:
            self._end(lane)

    def _start(self, frame: "_Frame", run: Run) -> bool:
        lane = frame.lane
        if lane.over:
            return False
        job = partial(_remember, frame.record, run, lane.pipeline.settings.max_pixels)
        task = Task(
            job,
            lambda task: self._mailbox.post(self._finished, frame, task, time.monotonic() - task.started),
            group=lane.partition,
        )
        self._frames[frame] = task
        self._pool.submit(task)
        return True

    def _finished(self, frame: "_Frame", task: Task[None], seconds: float) -> None:
        lane = frame.lane
        if self._frames.get(frame) is not task:
            return
        lane.pace.ran(seconds)
        lane.cameras.add(frame.camera)
        lane.frames += 1
        lane.turns.over(frame.camera)
        self._leave(frame)

    def _leave(self, frame: "_Frame") -> None:
        del self._frames[frame]
        self._in_flight.leave(frame.size)
        frame.lane.pending -= 1
        if frame.lane.all_read and not frame.lane.pending:
            self._end(frame.lane)

    def _end(self, lane: "_Lane", *, warm: bool = True) -> None:
        if lane.over:
            return
        lane.over = True
        del self._lanes[lane.turns]
        lane.pace.gone(lane)
        # First, so that the frames which waited stand behind those that still run.
        lane.turns.release(warm=warm)
        for frame, task in list(self._frames.items()):
            if frame.lane is not lane:
                continue
            if task is None:
                self._leave(frame)
            elif self._pool.cancel(task):
                self._leave(frame)
                lane.turns.over(frame.camera)
        lane.tell()


@dataclass(slots=True, eq=False)
class _Lane:
    """A lane that is being warmed, as the reader of its history.

    all_read: nothing more arrives. pending: frames that have arrived and are not done with.
    """

    warmup: Warmup
    turns: Turns
    pipeline: Pipeline
    partition: Partition
    pace: Pace
    stride: Stride = field(default_factory=Stride)
    over: bool = False
    all_read: bool = False
    pending: int = 0
    frames: int = 0
    skipped: int = 0
    cameras: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)

    # -- in the thread that reads

    def wants(self, camera: str) -> bool:
        return self.pipeline.settings.wants(camera)

    def takes(self, camera: str, coming: int) -> bool:
        share = self.pace.share(self, camera, coming=coming, waiting=self.warmup.waiting)
        taken = self.stride.take(camera, share)
        self.skipped += not taken
        return taken

    def read(self, record: Record, camera: str) -> None:
        self.warmup.enter(_Frame(self, record, camera))

    def ended(self) -> None:
        self.warmup.ended(self)

    # -- on the loop

    def tell(self) -> None:
        """Log what was done."""
        seconds = time.monotonic() - self.started
        log.info(
            "%s/%d: memories are warm: cameras %d, frames %d, skipped %d, in %.1f s",
            *self.partition,
            len(self.cameras),
            self.frames,
            self.skipped,
            seconds,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """A frame of the past on its way through a memory."""

    lane: _Lane
    record: Record
    camera: str

    @property
    def size(self) -> int:
        return len(self.record.value or b"")


def _remember(record: Record, run: Run, max_pixels: int) -> None:
    """Run in a thread. What raises here did so when it was this frame's turn, and has been told of then."""
    try:
        run.remember(to_frame(record, max_pixels=max_pixels))
    except Exception as error:  # noqa: BLE001 - operators are anyone's code, and this frame is none that is owed
        log.debug("%s cannot be remembered: %s", record.place, error)
