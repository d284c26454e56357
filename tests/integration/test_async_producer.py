"""Cameras of an asyncio script into a real Kafka."""

import asyncio
import time
from collections.abc import Callable

import pytest
from kafka_support import drain, unique
from producer_support import frames_of, noise

from producers import AsyncCameraProducer
from streams.contract.errors import BrokerUnavailable, TopicMissing
from streams.contract.images import encode

MakeTopic = Callable[..., str]


def test_frames_arrive_in_the_order_of_the_calls(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def script() -> AsyncCameraProducer:
        async with AsyncCameraProducer("gate-1", bootstrap=kafka_bootstrap, topic=topic) as camera:
            first = await camera.publish(noise(640, 480, seed=0))
            await camera.flush()
            assert camera.sums.produced == 1
            rest = await asyncio.gather(*(camera.publish(noise(320, 240, seed=seed)) for seed in range(1, 40)))
            assert [frame.sequence for frame in (first, *rest)] == list(range(40))
        return camera

    camera = asyncio.run(script())
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert [frame.sequence for frame in frames] == list(range(40))
    assert {frame.epoch for frame in frames} == {camera.epoch}
    assert camera.sums.produced == 40


def test_what_is_still_to_be_encoded_when_it_is_closed_arrives(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def script() -> None:
        camera = AsyncCameraProducer("a", bootstrap=kafka_bootstrap, topic=topic)
        tasks = [asyncio.create_task(camera.publish(noise(640, 480, seed=seed))) for seed in range(30)]
        await asyncio.sleep(0)
        await camera.close()
        assert all(task.done() for task in tasks)
        await asyncio.gather(*tasks)

    asyncio.run(script())
    assert [frame.sequence for frame in frames_of(drain(kafka_bootstrap, topic))] == list(range(30))


def test_a_missing_topic_is_said_at_the_first_frame(kafka_bootstrap: str) -> None:
    async def script() -> None:
        async with AsyncCameraProducer("a", bootstrap=kafka_bootstrap, topic=unique("nowhere")) as camera:
            await camera.publish(noise(64, 48, seed=1))

    with pytest.raises(TopicMissing):
        asyncio.run(script())


def test_the_loop_goes_on_where_no_broker_is() -> None:
    large = encode(noise(640, 480, seed=1), "image/png")
    pauses: list[float] = []

    async def tick() -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            pauses.append(now - before)
            before = now

    async def script() -> None:
        ticker = asyncio.create_task(tick())
        camera = AsyncCameraProducer("a", bootstrap="127.0.0.1:1", buffer_bytes=1024 * 1024)
        await camera.publish(large)
        # There is no room, and no broker to make some.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(camera.publish(large), 0.5)
        with pytest.raises(BrokerUnavailable, match="a: 2"):
            await camera.close(timeout_s=0.5)
        ticker.cancel()
        assert camera.sums.dropped == {"undelivered": 2}

    started = time.monotonic()
    asyncio.run(script())
    assert time.monotonic() - started < 15
    assert len(pauses) > 50
    # Encoding and waiting happen elsewhere; what is left is a busy machine.
    assert sorted(pauses)[len(pauses) * 9 // 10] < 0.1
