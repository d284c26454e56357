"""Faust's consumer, mended: what needs no broker."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState

from streams.consumer import FrameConsumer, FrameConsumerThread
from streams.stage_times import StageTimes

TP = TopicPartition("raw", 0)


def test_the_loop_is_free_while_the_thread_is_stopped() -> None:
    """The thread may be in the midst of a rebalance, which is answered in the loop."""

    async def run() -> None:
        loop, answered, stopped = asyncio.get_running_loop(), threading.Event(), threading.Event()

        def stop() -> None:
            loop.call_soon_threadsafe(answered.set)
            assert answered.wait(5), "the loop waits for the thread, which waits for the loop"
            stopped.set()

        thread = FrameConsumerThread.__new__(FrameConsumerThread)
        thread._thread, thread._started = SimpleNamespace(stop=stop), SimpleNamespace(is_set=lambda: False)
        await thread.stop()
        assert stopped.is_set()

    asyncio.run(run())


class Thread:
    """The consumer's thread, with aiokafka's own book of positions; `fetch` is what a fetch does."""

    def __init__(self, fetch: Callable[["Thread"], Mapping[Any, Any]]) -> None:
        self.subscription = SubscriptionState()
        self.subscription.subscribe({"raw"})
        self.subscription.assign_from_subscribed({TP})
        self.state.reset_to(0)
        self._consumer = SimpleNamespace(_subscription=self.subscription, seek=self.subscription.seek)
        self._fetch = fetch

    @property
    def state(self) -> Any:
        return self.subscription.subscription.assignment.state_value(TP)

    async def getmany(self, _active: object, _timeout_s: float) -> Mapping[Any, Any]:
        return self._fetch(self)

    async def call_thread(self, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return await call(*args)


def fetched(thread: Thread, first: int = 0) -> dict[TopicPartition, list[Any]]:
    thread.state.consumed_to(first + 5)
    return {TP: [SimpleNamespace(offset=offset) for offset in range(first, first + 5)]}


def consumer_of(thread: Thread) -> FrameConsumer:
    consumer = FrameConsumer.__new__(FrameConsumer)
    consumer._thread, consumer.flow_active = thread, True
    consumer.app = SimpleNamespace(consumer_generation_id=1)
    consumer._frames = SimpleNamespace(times=StageTimes())
    return consumer


def after_a_fetch(overtaken_by: Callable[[Thread, FrameConsumer], Mapping[Any, Any]]) -> tuple[Mapping[Any, Any], int]:
    """What a fetch hands on, and the position after it. overtaken_by: what happens while it waits."""

    async def run() -> tuple[Mapping[Any, Any], int]:
        thread = Thread(lambda thread: overtaken_by(thread, consumer))
        consumer = consumer_of(thread)
        return await consumer._getmany({TP}, 1.0), thread.state.position

    return asyncio.run(run())


def assigned_anew(thread: Thread, position: int) -> None:
    thread.subscription.assign_from_subscribed({TP})
    thread.state.reset_to(position)


def test_what_is_fetched_is_handed_on() -> None:
    records, position = after_a_fetch(lambda thread, _: fetched(thread))
    assert [record.offset for record in records[TP]] == [0, 1, 2, 3, 4]
    assert position == 5


@pytest.mark.parametrize("how", ["flow stopped", "new generation"])
def test_a_fetch_that_a_rebalance_overtakes_is_taken_back(how: str) -> None:
    def rebalance(thread: Thread, consumer: FrameConsumer) -> Mapping[Any, Any]:
        if how == "flow stopped":
            consumer.flow_active = False
        else:
            consumer.app.consumer_generation_id = 2
        assigned_anew(thread, 0)
        return fetched(thread)

    # Nothing of it is skipped, though no position was ever committed.
    assert after_a_fetch(rebalance) == ({}, 0)


def test_what_the_old_assignment_brought_moves_nothing_forward() -> None:
    def rebalance(thread: Thread, consumer: FrameConsumer) -> Mapping[Any, Any]:
        old = fetched(thread, first=20)
        consumer.flow_active = False
        assigned_anew(thread, 7)
        return old

    assert after_a_fetch(rebalance) == ({}, 7)


class Stream:
    """Where Faust's conductor delivers to; closed: it takes nothing until it is opened."""

    def __init__(self, *, closed: bool = False) -> None:
        self.taken: list[tuple[int, list[int]]] = []
        self.open = asyncio.Event()
        if not closed:
            self.open.set()

    async def deliver(self, batch: Any) -> None:
        await self.open.wait()
        self.taken.append((batch.generation_id, [record.offset for record in batch.records]))


def handing_to(stream: Stream) -> FrameConsumer:
    consumer = FrameConsumer.__new__(FrameConsumer)
    consumer.app = SimpleNamespace(topics=SimpleNamespace(_tp_to_callback={TP: stream.deliver}))
    consumer.callback = stream.deliver
    consumer._read_offset = defaultdict(lambda: None)
    consumer.suspend_flow = asyncio.Event()

    async def wait_first(*each: Awaitable[Any]) -> None:
        futures = [asyncio.ensure_future(one) for one in each]
        _, left = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        for one in left:
            one.cancel()

    consumer.wait_first = wait_first
    return consumer


def records(first: int, after: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in range(first, after)]


def test_what_a_fetch_brings_is_one_message_without_what_was_read_before() -> None:
    async def run() -> None:
        stream = Stream()
        consumer = handing_to(stream)
        await consumer._hand_over(TP, records(0, 5), 3)
        # Faust lets the last one through again, and so do we: the lanes know what they have.
        await consumer._hand_over(TP, records(2, 7), 3)
        await consumer._hand_over(TP, records(0, 4), 3)
        assert stream.taken == [(3, [0, 1, 2, 3, 4]), (3, [4, 5, 6])]

    asyncio.run(run())


def test_a_stream_that_is_full_is_waited_for() -> None:
    async def run() -> None:
        stream = Stream(closed=True)
        waiting = asyncio.ensure_future(handing_to(stream)._hand_over(TP, records(0, 2), 1))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        stream.open.set()
        await asyncio.wait_for(waiting, 10)
        assert stream.taken == [(1, [0, 1])]

    asyncio.run(run())


def test_a_stream_that_stands_still_is_not_waited_for_once_the_flow_is_suspended() -> None:
    async def run() -> None:
        stream = Stream(closed=True)
        consumer = handing_to(stream)
        waiting = asyncio.ensure_future(consumer._hand_over(TP, records(0, 2), 1))
        await asyncio.sleep(0)
        consumer.suspend_flow.set()
        await asyncio.wait_for(waiting, 10)
        stream.open.set()
        await asyncio.sleep(0)
        assert stream.taken == []

    asyncio.run(run())
