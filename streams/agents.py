"""The agent: takes events from Faust, has them processed, publishes in order, and knows what may be committed.

Its body never waits for a lane, for Faust has one queue and one fetch loop for all partitions: a lane that is full
has the fetching of its own partition paused. All of it runs on the event loop; only `process` runs in threads.
"""

import asyncio
import logging
import time
from collections.abc import Collection

from streams.accounts import INVALID_CAMERA, Accounts
from streams.contract.errors import FrameError
from streams.contract.headers import Record, camera_of
from streams.contract.redrive import redriven_for
from streams.dispatch import Dispatch
from streams.fetching import Fetching
from streams.gaps import Gaps
from streams.lane_turns import LaneTurns
from streams.lanes import Lane, LaneLimits, Partition
from streams.mailbox import Mailbox
from streams.outbox import FrameEntry, FrameLane, Outbox, Work
from streams.pipeline import Pipeline, Run
from streams.pool import ThreadPool
from streams.processing import Result
from streams.settings import WorkerSettings
from streams.stage_times import StageTimes
from streams.swapping import swap_turns

log = logging.getLogger(__name__)

DEADLINE_CHECK_S = 0.1


class FrameAgent:
    """Everything that happens to frames between Faust's stream and Kafka, for one pipeline in one process."""

    def __init__(
        self, pipeline: Pipeline, settings: WorkerSettings, *, accounts: Accounts, mailbox: Mailbox, pool: ThreadPool
    ) -> None:
        self.pipeline, self.settings, self.accounts = pipeline, settings, accounts
        self._pool = pool
        self.shared: Run = pipeline.open()
        self._limits = LaneLimits(frames=settings.lane_frames, size=settings.lane_bytes)
        self._lanes: dict[Partition, FrameLane] = {}
        self.turns = LaneTurns(settings, mailbox=mailbox, pool=pool)
        # Killed lanes leave a gap behind: what still comes must not be taken, for its position would pass the gap.
        self.fenced = self._given_up = False
        self._changed = asyncio.Event()
        self.times, self._gaps, self.rebalances = StageTimes(), Gaps(), 0
        self.outbox = Outbox(accounts, times=self.times, moved=self._after)
        self.dispatch = Dispatch(
            pool,
            max_hung=settings.max_hung or 4 * settings.threads,
            mailbox=mailbox,
            outbox=self.outbox,
            times=self.times,
            complete=self._complete,
        )
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
        waiting = swap_turns(self.turns.settled(), pipeline, shared, keep_memory=keep, pool=self._pool)
        self.dispatch.ask_again(waiting)

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

    def assigned(self, partitions: Collection[Partition] = ()) -> None:
        """These partitions are assigned, to be read from their committed positions.

        The generation may be the one before: a member that joins again unchanged causes no new one.
        """
        self.rebalances += 1
        self.fenced = self._given_up
        # The lanes hold this very object: those of partitions that stay get their new share with it.
        share = self.settings.lanes_bytes // max(1, len(partitions))
        self._limits.size = min(self.settings.lane_bytes, share)
        self.turns.assigned(partitions)

    async def watch_deadlines(self) -> None:
        """Turn frames that run for longer than `frame_timeout_ms` into dead letters; runs until it is cancelled.

        Raises FramelaneError when too many threads hang: only a new process gets rid of them.
        """
        while True:
            await asyncio.sleep(DEADLINE_CHECK_S)
            now = time.monotonic()
            self.turns.warmup.end_hung(now)
            self.dispatch.check(now)

    def _new_lane(self, partition: Partition, generation: int, *, first: int) -> FrameLane:
        before = self._lanes.pop(partition, None)
        if before is not None:
            self._kill(before)
        lane = self._lanes[partition] = Lane(partition, generation, limits=self._limits, publish=self.outbox.publish)
        self.turns.begin(lane, self.pipeline, self.shared, first=first)
        self.dispatch.begin(lane)
        return lane

    def _begin(self, entry: FrameEntry, unreadable: str) -> None:
        work = entry.work
        try:
            if unreadable:
                raise FrameError(unreadable, reason="bad_headers", stage="headers")  # noqa: TRY301 - as for a bad key
            work.camera = camera_of(work.record)
        except FrameError as error:
            self.accounts.consumed(work.camera, size=entry.size)
            self.dispatch.complete(entry, self.outbox.failed(entry, error))
            return
        work.redriven = redriven_for(work.record.headers)
        missing = 0 if work.redriven is not None else self._gaps.before(entry.lane, work.camera, work.record)
        self.accounts.consumed(work.camera, size=entry.size, missing=missing)
        self.dispatch.ask(entry)

    def _complete(self, entry: FrameEntry, result: Result) -> None:
        entry.lane.complete(entry, result)
        self._after(entry.lane)

    def _after(self, lane: FrameLane) -> None:
        if lane.roomy and not lane.killed:
            self.fetching.release(lane.partition)
        if not len(lane):
            self._changed.set()

    def _kill(self, lane: FrameLane) -> None:
        self.turns.end(lane)
        self.dispatch.end(lane)
        for entry in lane.kill():
            # Those that are settled, behind one that is not, have been counted.
            if not entry.settled:
                self._give_back(entry)
        self.fetching.release(lane.partition)
        self._changed.set()

    def _give_back(self, entry: FrameEntry) -> None:
        self.accounts.returned(entry.work.camera)
        self.dispatch.give_back(entry)
