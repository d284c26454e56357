"""On a connection whose broker never comes: what waits, waits for good."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
from producer_support import noise

from producers import AsyncCameraProducer, FrameProducer
from streams.contract.errors import BrokerUnavailable, FrameError, KafkaError, SettingError
from streams.contract.frame import Frame
from streams.contract.images import encode
from streams.contract.kafka_settings import KafkaSettings

MIB = 1024 * 1024
SMALL = encode(noise(64, 48, seed=1))
# Two of them have no room in the smallest buffer.
LARGE = encode(noise(640, 480, seed=1), "image/png")


class Deserted(FrameProducer):
    """Asks for no topic, which would take two seconds."""

    def __init__(self) -> None:
        super().__init__(KafkaSettings(bootstrap="127.0.0.1:1"), status_topic=None)

    def check_topic(self, topic: str, *, needed: bool = True) -> None:
        """Every topic is there."""


@pytest.fixture
def producer() -> Iterator[Deserted]:
    producer = Deserted()
    yield producer
    with suppress(KafkaError):
        producer.close(timeout_s=0)


def on_a_loop(case: Coroutine[Any, Any, None]) -> None:
    """Run it to its end, in so much time as any may take."""
    asyncio.run(asyncio.wait_for(case, 20))


async def fill(camera: AsyncCameraProducer) -> "asyncio.Task[Frame]":
    """Fill the buffer; returns a publish that waits for room."""
    await camera.publish(LARGE)
    waiting = asyncio.create_task(camera.publish(LARGE))
    await asyncio.wait([waiting], timeout=0.05)
    assert not waiting.done()
    return waiting


def test_the_loop_goes_on_while_a_publish_waits_for_room(producer: Deserted) -> None:
    async def case() -> None:
        camera = AsyncCameraProducer("a", producer=producer, buffer_bytes=MIB)
        waiting = await fill(camera)
        ticks = 0
        for _ in range(20):
            await asyncio.sleep(0)
            ticks += 1
        assert (ticks, waiting.done()) == (20, False)
        camera.change(policy="drop_oldest")
        assert (await waiting).sequence == 1
        with pytest.raises(BrokerUnavailable):
            await camera.close(timeout_s=0.1)

    on_a_loop(case())


def test_frames_are_numbered_in_the_order_of_the_calls(producer: Deserted) -> None:
    async def case() -> None:
        camera = AsyncCameraProducer("a", producer=producer)
        frames = await asyncio.gather(*(camera.publish(SMALL) for _ in range(20)))
        assert [frame.sequence for frame in frames] == list(range(20))
        times = [frame.captured_at_ns for frame in frames]
        assert times == sorted(times)
        epoch, later = await asyncio.gather(camera.begin_epoch(), camera.publish(SMALL))
        assert (later.epoch, later.sequence, camera.epoch) == (epoch, 0, epoch)
        camera.skip("paced")
        assert (camera.sums.captured, camera.sums.dropped, camera.lost) == (22, {"paced": 1}, {})
        with pytest.raises(BrokerUnavailable):
            await camera.close(timeout_s=0.1)

    on_a_loop(case())


def test_a_cancelled_publish_ends_at_once_and_leaves_the_others_in_order(producer: Deserted) -> None:
    async def case() -> None:
        camera = AsyncCameraProducer("a", producer=producer, buffer_bytes=MIB)
        begun = await fill(camera)
        queued = [asyncio.create_task(camera.publish(SMALL)) for _ in range(3)]
        await asyncio.sleep(0)
        for task in (begun, queued[1]):
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await begun
        with pytest.raises(asyncio.CancelledError):
            await queued[1]
        assert not queued[0].done()
        camera.change(buffer_bytes=4 * MIB)
        # The one that had begun is number 1; the one that had not has no number.
        assert [(await task).sequence for task in (queued[0], queued[2])] == [2, 3]
        assert camera.sums.captured == 4
        with pytest.raises(BrokerUnavailable, match="4 frames were not delivered"):
            await camera.close(timeout_s=0.1)

    on_a_loop(case())


def test_closing_tells_who_waits_and_who_comes_later(producer: Deserted) -> None:
    async def case() -> None:
        camera = AsyncCameraProducer("a", producer=producer, buffer_bytes=MIB)
        waiting = await fill(camera)
        queued = asyncio.create_task(camera.publish(SMALL))
        await asyncio.sleep(0)
        with pytest.raises(BrokerUnavailable, match="3 frames were not delivered"):
            await camera.flush(timeout_s=0.1)
        with pytest.raises(BrokerUnavailable, match="3 frames were not delivered"):
            await camera.close(timeout_s=0.1)
        for task in (waiting, queued):
            with pytest.raises(KafkaError, match="camera a: its producer is closed"):
                await task
        await camera.close()
        for call in (camera.publish(SMALL), camera.begin_epoch(), camera.flush()):
            with pytest.raises(KafkaError, match="is closed"):
                await call
        # The connection is shared: what it has got may still arrive.
        assert producer.status().cameras["a"].dropped == {"undelivered": 2}
        with pytest.raises(BrokerUnavailable, match="1 frames"):
            producer.close(timeout_s=0.1)

    on_a_loop(case())
    for thread in threading.enumerate():
        if thread.name.startswith(("publish-a", "flush-a", "close-a")):
            thread.join(10)
            assert not thread.is_alive()


def test_closing_that_is_cancelled_goes_on(producer: Deserted) -> None:
    async def case() -> None:
        camera = AsyncCameraProducer("a", producer=producer, buffer_bytes=MIB)
        waiting = await fill(camera)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(camera.close(timeout_s=0.3), 0.05)
        with pytest.raises(KafkaError, match="is closed"):
            await waiting

    on_a_loop(case())


def test_the_error_inside_an_async_with_is_the_one_that_is_seen(producer: Deserted) -> None:
    async def case() -> None:
        with pytest.raises(FrameError):
            async with AsyncCameraProducer("a", producer=producer) as camera:
                await camera.publish(b"no image")
        assert camera.sums.dropped == {"not_an_image": 1}

    on_a_loop(case())


def test_wrong_parameters_are_refused_before_anything_starts() -> None:
    threads = threading.active_count()
    for wrong in ({"quality": 0}, {"policy": "sometimes"}, {"buffer_bytes": 1}):
        with pytest.raises(SettingError):
            AsyncCameraProducer("a", bootstrap="localhost:1", **wrong)
    assert threading.active_count() == threads
