"""Faust's aiokafka consumer, mended where it would lose, repeat or delay frames.

What is changed, and why (Faust 0.15.3; each has a test that fails without it):

- Positions. Faust collects acks one by one and commits what it takes for contiguous, past frames in flight
  (faust-streaming#606), and acks by itself what it skips, cancels or sees raise. Here only the lanes' positions count:
  `ack` records nothing, and a commit asks the agent how far each partition is settled.
- Rebalance. Faust drops what is acked and not committed yet when partitions are revoked (faust-streaming#502). Here the
  flow is stopped first, frames in flight are finished within a time limit, and their positions are committed; only then
  Faust's own part runs.
- Standing still. When every partition's buffer is full, Faust's consumer sleeps for a whole second, and a fetch that is
  waiting does not notice a partition that became free. Here freed partitions wake both.
- Handing over. Faust makes four tasks for each record, to notice whether the flow is suspended while it is put into the
  stream's queue. Here what a fetch brings of a partition is one message, and one task unless that lasts.
- Waiting for empty partitions. aiokafka sends a broker one fetch at a time, and one of partitions without news lasts
  half a second; a partition with a backlog waits behind it. Here such a fetch is short while a lane is full.
- A fetch that a rebalance overtakes. What it brings Faust throws away and seeks back to the committed position, which a
  partition of a new group has not got: its first frames would be lost. Here the fetch itself is taken back.
- Receiving. aiokafka copies each frame several times on its way in; see `streams.receiving`.
- Stopping. Faust blocks the worker's loop until the consumer's thread has ended, and a rebalance that reaches that
  thread just then waits for the loop: neither goes on. Here the thread is waited for in another.
- Stopping while the group rebalances. Faust closes the consumer from the worker's thread then, which its loop forbids:
  it is not closed and does not leave the group, or now and then a connection is closed that its own thread is reading
  from, and the process crashes. Here it does not join again, and leaves when its thread stops.
- Unreadable records. One header whose name is not UTF-8 makes aiokafka raise on every fetch, and stops the pipeline for
  good. Here it is read past, and becomes a dead letter.
"""

import asyncio
import contextlib
import logging
from typing import Any

import uvloop
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP

from streams.agents import FrameAgent
from streams.batches import batch_of
from streams.consumer_thread import FETCH_WAIT_MS, FrameConsumerThread
from streams.lanes import Partition
from streams.unreadable import go_back, positions, read_past

log = logging.getLogger(__name__)

HELD_CHECK_S = 1.0
FETCH_CHECK_S = 1.0
COMMIT_TRIES = 3
# As FETCH_WAIT_MS, while some lane is full.
HELD_FETCH_WAIT_MS = 50


class FrameConsumer(driver.Consumer):  # type: ignore[misc]
    """The worker's consumer. `app.frames` is the agent that it serves, `app.drain_s` the limit of a rebalance."""

    # Otherwise Faust's own lines would come under our name, and at our level.
    logger = logging.getLogger("faust.framelane.consumer")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frames: FrameAgent = self.app.frames
        self._frames.fetching = self
        self._held: set[TP] = set()
        self._freed = asyncio.Event()

    def _new_consumer_thread(self) -> FrameConsumerThread:
        return FrameConsumerThread(self, loop=self.loop, beacon=self.beacon, thread_loop=uvloop.new_event_loop())

    # -- what the agent asks for

    def hold(self, partition: Partition) -> None:
        """Fetch no more of this partition for now."""
        tp = TP(*partition)
        self._held.add(tp)
        self._fetcher_waits(HELD_FETCH_WAIT_MS)
        self.on_buffer_full(tp)

    def release(self, partition: Partition) -> None:
        """Fetch it again."""
        tp = TP(*partition)
        if tp in self._held:
            self._held.discard(tp)
            self._fetcher_waits(HELD_FETCH_WAIT_MS if self._held else FETCH_WAIT_MS)
        self.on_buffer_drop(tp)

    def _fetcher_waits(self, wait_ms: int) -> None:
        # Read by the fetcher, in its thread, for each fetch that it sends.
        self._thread._consumer._fetcher._fetch_max_wait_ms = wait_ms

    # -- handing over

    async def _drain_messages(self, fetcher: Any) -> None:
        """Give what arrives to the stream; called by Faust's fetcher."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                await asyncio.sleep(0)
                records, active = await self._wait_next_records(FETCH_CHECK_S)
                generation = self.app.consumer_generation_id
                for tp, batch in (records or {}).items():
                    if not self.flow_active or self.app.consumer_generation_id != generation:
                        break
                    if tp in active or tp in self._buffered_partitions:
                        await self._hand_over(tp, batch, generation)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    async def _hand_over(self, tp: TP, records: list[Any], generation: int) -> None:
        before = self._read_offset[tp]
        new = records if before is None else [record for record in records if record.offset >= before]
        if not new:
            return
        deliver = self.app.topics._tp_to_callback.get(tp, self.callback)
        handed = asyncio.ensure_future(deliver(batch_of(tp, new, generation=generation)))
        # Which is as long as it takes, unless the stream's queue is full or the flow is suspended.
        await asyncio.sleep(0)
        if handed.done():
            handed.result()
        else:
            await self.wait_first(handed, self.suspend_flow.wait())
        self._read_offset[tp] = new[-1].offset

    # -- standing still

    def on_buffer_drop(self, tp: TP) -> None:
        """A buffer has room again: Faust's own for the stream, or the lane's."""
        if tp not in self._held and tp in self._buffered_partitions:
            super().on_buffer_drop(tp)
            self._freed.set()
            self._thread.partition_freed()

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - the name is Faust's
        while self.flow_active and self._buffered_partitions and not self._get_active_partitions():
            self._freed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), HELD_CHECK_S)
            if self.should_stop:
                break
        return await super()._wait_next_records(timeout)

    # -- unreadable records, and fetches that a rebalance overtakes

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        consumer, generation = self._thread._consumer, self.app.consumer_generation_id
        before = positions(consumer)
        try:
            records = await super()._getmany(active_partitions, timeout)
        except UnicodeDecodeError:
            records = await self._thread.call_thread(read_past, consumer, before)
        if records and not (self.flow_active and self.app.consumer_generation_id == generation):
            await self._thread.call_thread(go_back, consumer, {tp: batch[0].offset for tp, batch in records.items()})
            return {}
        self._frames.times.arrived(records or ())
        return records

    # -- positions

    def ack(self, message: Any) -> bool:
        """Faust is done with a message, which says nothing of its frame."""
        message.acked = True
        self._unacked_messages.discard(message)
        return False

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit how far the lanes are settled."""
        # Not those of a topic that was deleted: aiokafka would repeat the commit until the topic is made again, which
        # then would be read from there on.
        cluster = self._thread._consumer._client.cluster
        lanes = [lane for lane in self._frames.uncommitted() if cluster.partitions_for_topic(lane.partition.topic)]
        positions = {TP(*lane.partition): lane.position for lane in lanes}
        if not positions or not await self._commit_offsets(positions):
            return False
        # Faust leaves out what is no longer assigned, and says nothing of it.
        assigned = self.assignment()
        for lane in lanes:
            if TP(*lane.partition) in assigned:
                lane.committed = positions[TP(*lane.partition)]
        return True

    # -- rebalance and stop

    async def wait_empty(self) -> None:
        """Finish what is in flight and commit it; called by Faust when it stops, and by us before a rebalance."""
        await self._frames.drain(self.app.drain_s)
        # Left to itself when it takes too long: Faust answers the cancelling of a commit with another one.
        last = asyncio.ensure_future(self._commit_all())
        done, _ = await asyncio.wait({last}, timeout=self.app.drain_s)
        if not done:
            log.warning("the broker did not take the last commit within %.0f s", self.app.drain_s)
        elif error := last.exception():
            raise error

    async def _commit_all(self) -> None:
        # A commit that runs already took its positions before the last frames were settled, and `commit` then only
        # waits for that one. What is no longer assigned stays uncommitted however often it is tried.
        for _ in range(COMMIT_TRIES):
            if not self._frames.uncommitted():
                break
            await self.commit()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit before Faust forgets the partitions."""
        if self.assignment():
            if not self.app.should_stop:
                self.stop_flow()
                self.app.flow_control.suspend()
                self.pause_partitions(self.assignment())
                self.app.flow_control.clear()
            # Also while stopping: the drain that runs then must not be cut short by the group's rebalance.
            await self.wait_empty()
        self._frames.kill_all()
        # Faust clears its queues without telling that they have room again.
        self._buffered_partitions.clear()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take frames again."""
        self._frames.assigned({Partition(*tp) for tp in assigned})
        await super().on_partitions_assigned(assigned, generation_id)


class FrameTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with our consumer."""

    Consumer = FrameConsumer
