"""The agent: takes events from Faust, has them processed, publishes in order, and knows what may be committed.

Its body never waits for a lane, for Faust has one queue and one fetch loop for all partitions: a lane that is full
has the fetching of its own partition paused. All of it runs on the event loop; only `process` runs in threads.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from functools import partial
from typing import Protocol

from streams.accounts import INVALID_CAMERA, Accounts
from streams.cameras import Turns
from streams.contract.errors import FrameError, FramelaneError
from streams.contract.headers import Record, camera_of
from streams.kept import KeptTurns
from streams.lanes import Lane, LaneLimits, Partition
from streams.mailbox import Mailbox
from streams.memories import Memories
from streams.outbox import FrameEntry, FrameLane, Outbox, Work
from streams.pipeline import Pipeline, Run
from streams.pool import Task, ThreadPool
from streams.processing import FILTERED, Result, process
from streams.settings import WorkerSettings
from streams.warmup import Warmup

log = logging.getLogger(__name__)

DEADLINE_CHECK_S = 0.1


class Fetching(Protocol):
    """What the agent tells the consumer."""

    def hold(self, partition: Partition) -> None:
        """Fetch no more of this partition."""

    def release(self, partition: Partition) -> None:
        """Fetch it again."""


class FrameAgent:
    """Everything that happens to frames between Faust's stream and Kafka, for one pipeline in one process."""

    def __init__(
        self, pipeline: Pipeline, settings: WorkerSettings, *, accounts: Accounts, mailbox: Mailbox, pool: ThreadPool
    ) -> None:
        self.pipeline, self.settings, self.accounts = pipeline, settings, accounts
        self._mailbox, self._pool = mailbox, pool
        self._shared: Run = pipeline.open()
        self._limits = LaneLimits(frames=settings.lane_frames, size=settings.lane_bytes)
        self._lanes: dict[Partition, FrameLane] = {}
        self._turns: dict[FrameLane, Turns] = {}
        self._kept = KeptTurns()
        self._memories = Memories(settings.memory_cameras)
        self.warmup = Warmup(settings, mailbox=mailbox, pool=pool)
        self._running: set[FrameEntry] = set()
        # Killed lanes leave a gap behind: what still comes must not be taken, for its position would pass the gap.
        self._fenced = False
        self._given_up = False
        self._changed = asyncio.Event()
        self.stage_seconds: dict[str, float] = {}
        self.outbox = Outbox(pipeline, accounts, moved=self._after)
        # Set by the consumer, which Faust makes.
        self.fetching: Fetching

    def take(self, record: Record, *, generation: int, unreadable: str = "") -> None:
        """Take a record in; its partition's older generations are over.

        unreadable: why the client could not read the record, which then is only where it lies.
        """
        if self._fenced:
            return
        partition = Partition(record.topic, record.partition)
        lane = self._lanes.get(partition)
        if lane is None or lane.generation != generation:
            lane = self._new_lane(partition, generation, first=record.offset)
        elif lane.restarts(record.offset):
            log.warning("%s begins anew at offset %d: the topic was made again", partition, record.offset)
            lane = self._new_lane(partition, generation, first=record.offset)
        entry = lane.add(
            offset=record.offset, size=len(record.value or b""), work=Work(record, INVALID_CAMERA, time.time_ns())
        )
        if entry is None:
            return
        self._begin(entry, unreadable)
        if lane.full:
            self.fetching.hold(partition)

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

    def lag(self, high_watermarks: Mapping[tuple[str, int], int | None]) -> dict[str, int]:
        """Frames behind, by `topic/partition`: high watermark minus position, where both are known."""
        behind = {}
        for (topic, number), high in high_watermarks.items():
            lane = self._lanes.get(Partition(topic, number))
            if high is not None and lane is not None and lane.position is not None:
                behind[f"{topic}/{number}"] = max(0, high - lane.position)
        return behind

    @property
    def in_flight(self) -> int:
        """Frames taken in and not settled."""
        return sum(len(lane) for lane in self._lanes.values())

    async def drain(self, limit_s: float) -> bool:
        """Give back what is not begun, and wait for what is; whether that was done within the limit."""
        for lane in self._lanes.values():
            for entry in lane.shed(lambda work: work.begun):
                self._give_back(entry)
        self.warmup.stop_all()
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
        self._fenced = True
        for lane in self._lanes.values():
            self._kill(lane)
        self._lanes.clear()

    def assigned(self, partitions: Collection[Partition] = ()) -> None:
        """These partitions are assigned, to be read from their committed positions.

        The generation may be the one before: a member that joins again unchanged causes no new one.
        """
        self._fenced = self._given_up
        self._kept.keep_only(partitions)

    async def watch_deadlines(self) -> None:
        """Turn frames that run for longer than `frame_timeout_ms` into dead letters; runs until it is cancelled.

        Raises FramelaneError when too many threads hang: only a new process gets rid of them.
        """
        timeout_s = self.pipeline.settings.frame_timeout_ms / 1000
        while True:
            await asyncio.sleep(DEADLINE_CHECK_S)
            now = time.monotonic()
            for entry in list(self._running):
                task = entry.work.task
                if task is not None and task.started and now - task.started > timeout_s:
                    self._time_out(entry, task, timeout_s)
            self.warmup.end_hung(now, timeout_s)
            if self._pool.hung > (self.settings.max_hung or 4 * self.settings.threads):
                raise FramelaneError(f"{self._pool.hung} threads hang in operators; see the dead letters")

    def _new_lane(self, partition: Partition, generation: int, *, first: int) -> FrameLane:
        before = self._lanes.pop(partition, None)
        if before is not None:
            self._kill(before)
        lane: FrameLane = Lane(partition, generation, limits=self._limits, publish=self.outbox.publish)
        self._lanes[partition] = lane
        turns = self._kept.take(partition, first, self.pipeline)
        if turns is None:
            turns = Turns(self.pipeline, self._shared, memories=self._memories)
            self.warmup.begin(turns, self.pipeline, partition, before=first)
        self._turns[lane] = turns
        return lane

    def _begin(self, entry: FrameEntry, unreadable: str) -> None:
        work = entry.work
        try:
            if unreadable:
                raise FrameError(unreadable, reason="bad_headers", stage="headers")  # noqa: TRY301 - as for a bad key
            work.camera = camera_of(work.record)
        except FrameError as error:
            self.accounts.consumed(work.camera)
            self._complete(entry, self.outbox.failed(entry, error))
            return
        self.accounts.consumed(work.camera)
        if not self.pipeline.settings.wants(work.camera):
            self._complete(entry, FILTERED)
            return
        self._turns[entry.lane].ask(work.camera, partial(self._start, entry))

    def _start(self, entry: FrameEntry, run: Run) -> None:
        work = entry.work
        if work.given_back:
            self._turns[entry.lane].over(work.camera)
            return
        job = partial(
            process,
            work.record,
            run,
            settings=self.pipeline.settings,
            label=self.pipeline.label,
            received_ns=work.received_ns,
        )
        work.task = Task(job, lambda task: self._mailbox.post(self._finished, entry, task))
        self._running.add(entry)
        self._pool.submit(work.task)

    def _finished(self, entry: FrameEntry, task: Task[Result]) -> None:
        self._running.discard(entry)
        if entry.lane.killed or task.cancelled:
            return
        result = task.result
        if result is None:
            # Only what `process` cannot catch ends here, such as MemoryError while it made the dead letter.
            result = self.outbox.failed(entry, FrameError(f"{task.error!r}", reason="operator_error", stage="pipeline"))
        self._complete(entry, result)
        # The task holds the entry: without this only a full garbage collection would let go of the frame's bytes.
        entry.work.task = None
        self._turns[entry.lane].over(entry.work.camera)

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
            self._turns[entry.lane].over(entry.work.camera, forget=True)

    def _complete(self, entry: FrameEntry, result: Result) -> None:
        for stage, seconds in result.seconds.items():
            self.stage_seconds[stage] = self.stage_seconds.get(stage, 0.0) + seconds
        entry.lane.complete(entry, result)
        self._after(entry.lane)

    def _after(self, lane: FrameLane) -> None:
        if lane.roomy and not lane.killed:
            self.fetching.release(lane.partition)
        if not len(lane):
            self._changed.set()

    def _kill(self, lane: FrameLane) -> None:
        turns = self._turns.pop(lane)
        if lane.position is not None and not len(lane) and turns.warm:
            self._kept.put(lane.partition, lane.position, turns)
        else:
            turns.clear()
            self.warmup.stop(turns)
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
