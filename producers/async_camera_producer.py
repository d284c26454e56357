"""One camera into Kafka, for scripts that run an asyncio loop."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Self

from producers.camera_producer import CameraProducer
from producers.frame_producer import FLUSH_TIMEOUT_S, FrameProducer
from producers.outbox import MAX_BYTES, Policy
from producers.pictures import DEFAULT_QUALITY
from streams.contract.errors import FramelaneError, KafkaError
from streams.contract.frame import Frame
from streams.contract.images import Image
from streams.contract.status import CameraSums
from streams.contract.topics import RAW

logger = logging.getLogger(__name__)


class AsyncCameraProducer:
    """A `CameraProducer` whose `publish` is awaited: a thread of its own encodes the pictures, and waits for room.

    Frames go out in the order in which `publish` was called, by however many tasks. As an `async with` it waits at the
    end until the broker has every frame. Close it in any case: its thread may wait for room, and Python's end for that.
    """

    def __init__(
        self,
        camera_id: str,
        *,
        bootstrap: str | None = None,
        producer: FrameProducer | None = None,
        topic: str = RAW,
        quality: int = DEFAULT_QUALITY,
        size: tuple[int, int] | None = None,
        policy: Policy = "block",
        buffer_bytes: int = MAX_BYTES,
        fit: bool = False,
    ) -> None:
        """As for `CameraProducer`; it takes a few milliseconds, and waits for no broker."""
        self._camera = CameraProducer(
            camera_id,
            bootstrap=bootstrap,
            producer=producer,
            topic=topic,
            quality=quality,
            size=size,
            policy=policy,
            buffer_bytes=buffer_bytes,
            fit=fit,
        )
        self.camera_id = self._camera.camera_id
        self._clock = time.time_ns if producer is None else producer.clock
        self._publisher = ThreadPoolExecutor(1, thread_name_prefix=f"publish-{camera_id}")
        # What flushes must not stand in line behind what waits for room.
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix=f"flush-{camera_id}")
        self._under_way: set[Future[Frame]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        try:
            await self.close()
        except FramelaneError as failure:
            # What went wrong inside is what the caller must see.
            if error is None:
                raise
            logger.warning("while closing: %s", failure)

    @property
    def epoch(self) -> str:
        """The name of the run that the next frame belongs to."""
        return self._camera.epoch

    @property
    def sums(self) -> CameraSums:
        """What became of the frames up to now."""
        return self._camera.sums

    @property
    def lost(self) -> dict[str, int]:
        """Frames dropped without being asked to, by reason."""
        return self._camera.lost

    def describe(self, about: Mapping[str, object]) -> None:
        """Say what a person would want to see in the reports; nothing secret."""
        self._camera.describe(about)

    def skip(self, reason: str) -> None:
        """Count a picture that is left out on purpose; it has no number, so it leaves no gap."""
        self._camera.skip(reason)

    def change(
        self,
        *,
        topic: str | None = None,
        policy: Policy | None = None,
        buffer_bytes: int | None = None,
        fit: bool | None = None,
    ) -> None:
        """As `CameraProducer.change`: at once, also for pictures that wait for their turn."""
        self._camera.change(topic=topic, policy=policy, buffer_bytes=buffer_bytes, fit=fit)

    async def publish(
        self,
        picture: bytes | Image,
        *,
        captured_at_ns: int | None = None,
        media_time_ns: int | None = None,
        traceparent: str = "",
    ) -> Frame:
        """As `CameraProducer.publish`; the array must not be written into before this returns.

        With the policy "block" this is what waits while the buffer is full, and the loop goes on. Cancelled while the
        picture waits for its turn, it is not published, not counted, and leaves no gap; cancelled later, its frame is
        on its way. In both cases this ends at once, and the others keep their order.
        Raises KafkaError once it is closed, and when it is closed while this waits.
        """
        self._check_open()
        call: Callable[[], Frame] = partial(
            self._camera.publish,
            picture,
            captured_at_ns=captured_at_ns,
            media_time_ns=media_time_ns,
            traceparent=traceparent,
            called_at_ns=self._clock(),
        )
        future = self._publisher.submit(call)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return await asyncio.wrap_future(future)

    async def begin_epoch(self) -> str:
        """Begin a new run, with numbers from 0, for the pictures published from now on. Returns the epoch's name."""
        self._check_open()
        return await asyncio.wrap_future(self._publisher.submit(self._camera.begin_epoch))

    async def flush(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Wait until the broker has every picture that was published before. Raises as `CameraProducer.flush` does."""
        self._check_open()
        await self._apart(self._flusher, self._camera.flush_all, timeout_s)

    async def close(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Flush, and close the connection unless it is shared. Raises as `CameraProducer.close` does.

        Nothing is published from now on. What still waits for room when nothing arrives for timeout_s is given up: its
        `publish` raises KafkaError. Cancelled, this ends at once, and the closing goes on.
        """
        if self._closed:
            return
        self._closed = True
        # Of its own, so that it begins at once and no cancellation can prevent it.
        closer = ThreadPoolExecutor(1, thread_name_prefix=f"close-{self.camera_id}")
        try:
            await self._apart(closer, self._camera.close_all, timeout_s)
        finally:
            for pool in (self._publisher, self._flusher, closer):
                pool.shutdown(wait=False)

    async def _apart(self, pool: ThreadPoolExecutor, finish: Callable[..., None], timeout_s: float) -> None:
        before = tuple(self._under_way)

        def coming() -> int:
            return sum(not future.done() for future in before)

        await asyncio.wrap_future(pool.submit(finish, timeout_s=timeout_s, busy=coming))

    def _check_open(self) -> None:
        if self._closed:
            raise KafkaError(f"camera {self.camera_id}: its producer is closed; frames go there no more")
