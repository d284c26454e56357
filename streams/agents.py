"""The agent: takes events from Faust, has them processed, publishes in order, and knows what may be committed.

Its body never waits for a lane, for Faust has one queue and one fetch loop for all partitions: a lane that is full
has the fetching of its own partition paused. All of it runs on the event loop; only `process` runs in threads.
"""

import asyncio
import logging
import time
from dataclasses import replace
from functools import partial

from streams.accounts import INVALID_CAMERA, Accounts
from streams.contract.errors import FrameError
from streams.contract.headers import Record, camera_of
from streams.fetching import Fetching
from streams.freshness import Newest, Pace, too_old
from streams.gaps import Gaps
from streams.lane_turns import LaneTurns
from streams.lanes import Lane, LaneLimits, Partition
from streams.mailbox import Mailbox
from streams.outbox import FrameEntry, FrameLane, Outbox, Work
from streams.pipeline import Pipeline, Run
from streams.pool import Task, ThreadPool
from streams.processing import FILTERED, STALE, Result, process
from streams.settings import WorkerSettings
from streams.stages import StageTimes
from streams.stalls import Stalls
from streams.swapping import swap_turns

log = logging.getLogger(__name__)

DEADLINE_CHECK_S = 0.1


class FrameAgent:
    """Everything that happens to frames between Faust's stream and Kafka, for one pipeline in one process."""

    def __init__(
        self, pipeline: Pipeline, settings: WorkerSettings, *, accounts: Accounts, mailbox: Mailbox, pool: ThreadPool
    ) -> None:
        self.pipeline, self.settings, self.accounts = pipeline, settings, accounts
        self._mailbox, self._pool = mailbox, pool
        self._stalls = Stalls(pool, limit=settings.max_hung or 4 * settings.threads)
        self.shared: Run = pipeline.open()
        self._limits = LaneLimits(frames=settings.lane_frames, size=settings.lane_bytes)
        self._lanes: dict[Partition, FrameLane] = {}
        self.turns = LaneTurns(settings, mailbox=mailbox, pool=pool)
        self._newest: dict[FrameLane, Newest[FrameEntry]] = {}
        self._pace = Pace()
        self._running: set[FrameEntry] = set()
        # Killed lanes leave a gap behind: what still comes must not be taken, for its position would pass the gap.
        self.fenced = self._given_up = False
        self._changed = asyncio.Event()
        self.times, self._gaps, self.rebalances = StageTimes(), Gaps(), 0
        self.outbox = Outbox(accounts, times=self.times, moved=self._after)
        # Set by the consumer, which Faust makes.
        self.fetching: Fetching

    def take(self, record: Record, *, generation: int, unreadable: str = "") -> None:
        """Take a record in; its partition's older generations are over.

        unreadable: why the client could not read the record, which then is only where it lies.
        """
        if self.fenced:
            return
        partition = Partition(record.topic, record.partition)
        lane = self._lanes.get(partition)
        if lane is None or lane.generation != generation:
            lane = self._new_lane(partition, generation, first=record.offset)
        elif lane.restarts(record.offset):
            log.warning("%s begins anew at offset %d: the topic was made again", partition, record.offset)
            lane = self._new_lane(partition, generation, first=record.offset)
        work = Work(record, INVALID_CAMERA, time.time_ns(), self.pipeline, self.turns.of[lane])
        entry = lane.add(offset=record.offset, size=len(record.value or b""), work=work)
        if entry is None:
            return
        self.times.taken(partition)
        self._begin(entry, unreadable)
        if lane.full:
            self.fetching.hold(partition)

    def swap(self, pipeline: Pipeline, shared: Run) -> None:
        """Go on with another pipeline of the same name, group and topics; shared: what it opened.

        Frames that are begun finish with the one before, and carry its label; all others are the new one's. Where both
        have the same operators each camera keeps its memory, else it begins anew.
        """
        keep = pipeline.has_memory and pipeline.has_operators_of(self.pipeline)
        self.pipeline, self.shared = pipeline, shared
        self._newest = {lane: Newest() for lane in self._newest}
        for entry in swap_turns(self.turns.settled(), pipeline, shared, keep_memory=keep, pool=self._pool):
            self._running.discard(entry)
            self._ask(entry, again=True)

    def room(self) -> None:
        """The publisher takes records again."""
        for lane in list(self._lanes.values()):
            lane.advance()
            self._after(lane)

    def uncommitted(self) -> list[FrameLane]:
        """The lanes whose position may be committed and is not: the offset after their contiguous settled prefix."""
        if self._given_up:
            return []
        return [lane for lane in self._lanes.values() if lane.position is not None and lane.position != lane.committed]

    @property
    def lanes(self) -> dict[Partition, FrameLane]:
        """The lanes by partition: a copy, so that any thread may look through it."""
        return self._lanes.copy()

    @property
    def in_flight(self) -> int:
        """Frames taken in and not settled."""
        return sum(map(len, self.lanes.values()))

    async def drain(self, limit_s: float) -> bool:
        """Give back what is not begun, and wait for what is; whether that was done within the limit."""
        for lane in self._lanes.values():
            for entry in lane.shed(lambda work: work.begun):
                self._give_back(entry)
        self.turns.warmup.stop_all()
        deadline = time.monotonic() + limit_s
        while self.in_flight:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                log.warning("%d frames were not finished within %.1f s; they come again", self.in_flight, limit_s)
                return False
        return True

    def kill_all(self, *, for_good: bool = False) -> None:
        """Every partition is given up: nothing of theirs is published or committed, and nothing is taken any more.

        That is until `assigned`; or for good, as the worker cannot go on.
        """
        self._given_up = self._given_up or for_good
        self.fenced = True
        for lane in self._lanes.values():
            self._kill(lane)
        self._lanes.clear()

    def assigned(self, partitions: set[Partition] | frozenset[Partition] = frozenset()) -> None:
        """These partitions are assigned, to be read from their committed positions.

        The generation may be the one before: a member that joins again unchanged causes no new one.
        """
        self.rebalances += 1
        self.fenced = self._given_up
        self.turns.assigned(partitions)

    async def watch_deadlines(self) -> None:
        """Turn frames that run for longer than `frame_timeout_ms` into dead letters; runs until it is cancelled.

        FramelaneError when too many threads hang: only a new process gets rid of them.
        """
        while True:
            await asyncio.sleep(DEADLINE_CHECK_S)
            now = time.monotonic()
            for entry in list(self._running):
                task, timeout_s = entry.work.task, entry.work.pipeline.settings.frame_timeout_ms / 1000
                if task is not None and task.started and self._stalls.overdue(task, now, timeout_s=timeout_s):
                    self._time_out(entry, task, timeout_s)
            self.turns.warmup.end_hung(now)
            self._stalls.check_hung()

    def _new_lane(self, partition: Partition, generation: int, *, first: int) -> FrameLane:
        before = self._lanes.pop(partition, None)
        if before is not None:
            self._kill(before)
        lane = self._lanes[partition] = Lane(partition, generation, limits=self._limits, publish=self.outbox.publish)
        self.turns.begin(lane, self.pipeline, self.shared, first=first)
        self._newest[lane] = Newest()
        return lane

    def _begin(self, entry: FrameEntry, unreadable: str) -> None:
        work = entry.work
        try:
            if unreadable:
                raise FrameError(unreadable, reason="bad_headers", stage="headers")  # noqa: TRY301 - as for a bad key
            work.camera = camera_of(work.record)
        except FrameError as error:
            self.accounts.consumed(work.camera, size=entry.size)
            self._complete(entry, self.outbox.failed(entry, error))
            return
        missing = self._gaps.before(entry.lane, work.camera, work.record)
        self.accounts.consumed(work.camera, size=entry.size, missing=missing)
        self._ask(entry)

    def _ask(self, entry: FrameEntry, *, again: bool = False) -> None:
        work, settings = entry.work, entry.work.pipeline.settings
        if not settings.wants(work.camera):
            self._complete(entry, FILTERED)
        elif too_old(work.record, settings):
            self._skip(entry, STALE)
        elif not again and self._pace.too_soon(work.camera, work.record.timestamp_ms, max_fps=settings.max_fps):
            self._skip(entry, FILTERED)
        else:
            before = self._newest[entry.lane].put(work.camera, entry) if settings.freshness == "freshest" else None
            if before is None or not self._supersede(before, entry):
                work.turns.ask(work.camera, partial(self._start, entry))

    def _supersede(self, older: FrameEntry, newer: FrameEntry) -> bool:
        """Skip the older frame, if nobody has begun it; whether the newer one has got its place in the queue."""
        if older.result is not None or older.work.begun:
            return False
        task, run = older.work.task, older.work.run
        if task is not None and run is not None:
            if not self._pool.supersede(task, self._task(newer, run)):
                newer.work.task = None
                self._running.discard(newer)
                return False
            self._running.discard(older)
        # Without a task it waits for its camera's turn, and the newer one comes next.
        self._skip(older, STALE)
        return task is not None

    def _skip(self, entry: FrameEntry, result: Result) -> None:
        entry.lane.lighten(entry)
        entry.work.record = replace(entry.work.record, value=None)
        self._complete(entry, result)

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
            settings=work.pipeline.settings,
            label=work.pipeline.label,
            received_ns=work.received_ns,
            trace=self.outbox.traced(work),
        )
        work.run = run
        work.task = Task(job, lambda task: self._mailbox.post(self._finished, entry, task), group=entry.lane.partition)
        self._running.add(entry)
        return work.task

    def _finished(self, entry: FrameEntry, task: Task[Result]) -> None:
        self._running.discard(entry)
        self._stalls.ended(task, time.monotonic())
        if entry.lane.killed or task.cancelled:
            return
        self.times.add("queue", task.started - entry.work.taken)
        result = task.result
        if result is None:
            # Only what `process` cannot catch ends here, such as MemoryError while it made the dead letter.
            result = self.outbox.failed(entry, FrameError(f"{task.error!r}", reason="operator_error", stage="pipeline"))
        self._complete(entry, result)
        # The task holds the entry: without this only a full garbage collection would let go of the frame's bytes.
        entry.work.task = None
        entry.work.turns.over(entry.work.camera)

    def _time_out(self, entry: FrameEntry, task: Task[Result], timeout_s: float) -> None:
        at = self._pool.abandon(task)
        if at is None:
            return
        self._running.discard(entry)
        log.error("%s of camera %s hangs at %s; its thread is replaced", entry.work.record.place, entry.work.camera, at)
        error = FrameError(f"not finished after {timeout_s:g} s, at {at}", reason="operator_timeout", stage="pipeline")
        if not entry.lane.killed:
            self._complete(entry, self.outbox.failed(entry, error))
            entry.work.task = None
            entry.work.turns.over(entry.work.camera, forget=True)

    def _complete(self, entry: FrameEntry, result: Result) -> None:
        self.times.add_all(result.seconds)
        entry.work.ready = time.monotonic()
        self._newest[entry.lane].forget(entry.work.camera, entry)
        entry.lane.complete(entry, result)
        self._after(entry.lane)

    def _after(self, lane: FrameLane) -> None:
        if lane.roomy and not lane.killed:
            self.fetching.release(lane.partition)
        if not len(lane):
            self._changed.set()

    def _kill(self, lane: FrameLane) -> None:
        self.turns.end(lane)
        del self._newest[lane]
        for entry in lane.kill():
            # Those that are settled, behind one that is not, have been counted.
            if not entry.settled:
                self._give_back(entry)
        self.fetching.release(lane.partition)
        self._changed.set()

    def _give_back(self, entry: FrameEntry) -> None:
        self.accounts.returned(entry.work.camera)
        entry.work.given_back = True
        # A running task keeps its place here: should it hang, its thread still has to be replaced.
        if entry.work.task is None or self._pool.cancel(entry.work.task):
            self._running.discard(entry)
