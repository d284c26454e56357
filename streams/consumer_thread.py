"""The thread in which the worker's consumer talks to Kafka; what is changed in it, and why, stands in `consumer`."""

import asyncio
import contextlib
import logging
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP

from streams.contract.topics import MIB
from streams.receiving import receive_whole

COMMIT_CHECK_S = 0.5
# Of all partitions in one response. It is held three times over while it is taken apart; if smaller, there are more.
FETCH_BYTES = 8 * MIB
# How long the broker may keep a fetch of partitions that have nothing new. Shorter ones are more, and each costs as
# much as fetching a frame.
FETCH_WAIT_MS = 200


class FrameConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that talks to Kafka for the consumer."""

    # As for the consumer itself.
    logger = logging.getLogger("faust.framelane.thread")
    _thread: Any
    _leaving = False

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        consumer = super()._create_consumer(loop)
        receive_whole(consumer._client)
        # Faust has no names for these.
        consumer._fetch_max_bytes = FETCH_BYTES
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        self._freed = asyncio.Event()
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, and see to it that one that stops does not join its group again."""
        await super().on_start()
        coordinator = self._consumer._coordinator
        join = coordinator._do_rejoin_group

        async def join_unless_leaving(subscription: Any) -> Any:
            if not self._leaving:
                return await join(subscription)
            # aiokafka asks again and again until it is closed, which it is once the thread stops.
            await asyncio.wait([coordinator._closing])
            return False

        coordinator._do_rejoin_group = join_unless_leaving

    def close(self) -> None:
        """Called by Faust in the worker's thread, when a rebalance meets its stop."""
        self._leaving = True

    async def stop(self) -> None:
        """Stop, and leave the worker's loop free meanwhile."""
        thread, self._thread = self._thread, None
        await super().stop()
        if thread is not None:
            await asyncio.to_thread(thread.stop)

    def partition_freed(self) -> None:
        """End a wait for records of other partitions; may be called in any thread."""
        # The loop is closed: the consumer has stopped, and waits for nothing.
        with contextlib.suppress(RuntimeError):
            self.thread_loop.call_soon_threadsafe(self._freed.set)

    async def _commit(self, offsets: Any) -> bool:
        # aiokafka repeats it until the topic is there again, which then would be read from the old one's position.
        commit = asyncio.ensure_future(super()._commit(offsets))
        try:
            while not (await asyncio.wait([commit], timeout=COMMIT_CHECK_S))[0]:
                cluster = self._consumer._client.cluster
                if not all(cluster.partitions_for_topic(tp.topic) for tp in offsets):
                    return False
            return bool(commit.result())
        finally:
            commit.cancel()

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the name is Faust's
        max_records: int | None = None,
    ) -> Any:
        # Faust's own would wait for these partitions alone, and as long as it was told: so it is asked without waiting,
        # and once more when there may be something, here or on a partition that was freed.
        records = await super()._fetch_records(consumer, active_partitions, 0, max_records)
        if records or not timeout:
            return records
        waiter, freed = consumer._fetcher._create_fetch_waiter(), asyncio.ensure_future(self._freed.wait())
        try:
            await asyncio.wait([waiter, freed], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if waiter.done():
                waiter.result()
        finally:
            freed.cancel()
            waiter.cancel()
            self._freed.clear()
        return await super()._fetch_records(consumer, active_partitions, 0, max_records)
