"""Requests out, replies in: an image becomes a record of one of the gateway's cameras, and its name finds the reply.

The gateway has sixteen cameras, `<gateway>-0` to `<gateway>-15`, however many connections there are, so that metrics,
operators' memories and lanes stay as few. A request is the next frame of the camera that has the fewest under way; its
name, `<camera>/<epoch>/<sequence>`, is that of the reply, or of the dead letter, whichever comes. Each start is an
epoch of its own, so that nothing is taken for a reply that was asked for before it.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException, Message, Producer

from framelane.gateway.answers import ANY_PIXELS, Failure, Reply, Route, Unanswered
from framelane.gateway.replies import ReplyReader
from producers.client import Broker, make_client
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_frame, to_headers
from streams.contract.identity import check_camera_id, new_epoch
from streams.contract.images import inspect
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.records import to_record
from streams.contract.topics import MIB

log = logging.getLogger(__name__)

CAMERAS = 16
# How often delivery reports are asked for: only failures are waited for.
_TICK_S = 0.05
_LEAST_QUEUE_KBYTES = 64 * 1024
_TOO_LARGE = (ClientError.MSG_SIZE_TOO_LARGE, ClientError.INVALID_MSG_SIZE)


class _Camera:
    """One of the gateway's cameras: its id, its frames' numbers, and how many are under way."""

    def __init__(self, camera_id: str) -> None:
        self.id = camera_id
        self.numbers = itertools.count()
        self.under_way = 0


class _Waiting(NamedTuple):
    """A request that waits for its answer."""

    answer: asyncio.Future[Reply]
    route: Route


class Exchange:
    """Asks workers, by way of Kafka, for processed images. For one event loop."""

    def __init__(
        self, kafka: KafkaSettings, routes: Sequence[Route], *, name: str, timeout_s: float, size: int = 256 * MIB
    ) -> None:
        """name: of the gateway; SettingError where no camera can have it. timeout_s: how long a reply is waited for.

        size: bytes of requests that may wait for the broker.
        """
        self._size = size
        self._kafka, self.routes, self.timeout_s = kafka, {route.name: route for route in routes}, timeout_s
        self._epoch = new_epoch(time.time_ns())
        self._cameras = [_Camera(check_camera_id(f"{name}-{number}")) for number in range(CAMERAS)]
        self._next = 0
        self._waiting: dict[str, _Waiting] = {}
        # Set when it can work no more: only a new start helps. `broken` says why.
        self.ended = asyncio.Event()
        self.broken = ""
        self._loop: asyncio.AbstractEventLoop
        self._producer: Producer
        self._ticking: asyncio.Task[None]
        self._broker = Broker(kafka.bootstrap)
        self._odd_labels: set[str] = set()
        self._dead_letters = {route.dead_letter for route in routes}
        topics = {route.replies for route in routes} | self._dead_letters
        keys = [camera.id.encode() for camera in self._cameras]
        self._reader = ReplyReader(kafka, topics, keys=keys, deliver=self._from_reader, failed=self._fail)

    @property
    def under_way(self) -> int:
        """Requests that wait for their reply."""
        return len(self._waiting)

    async def start(self) -> None:
        """Connect. Raises KafkaError when the broker does not answer, and SettingError for what the client refuses."""
        self._loop = asyncio.get_running_loop()
        ours: dict[str, str | int | float | bool] = {
            "client.id": "framelane-gateway",
            "queue.buffering.max.kbytes": max(_LEAST_QUEUE_KBYTES, self._size // 1024),
            # Whoever asked has got its answer by then, and a worker need not begin it.
            "message.timeout.ms": max(1000, int(1000 * self.timeout_s)),
        }
        self._producer = make_client(self._kafka, ours, on_error=self._on_error)
        await asyncio.to_thread(self._reader.start)
        self._ticking = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Let go of Kafka; whoever still waits is told that there will be no answer."""
        for name in list(self._waiting):
            self._settle(name, Unanswered("the gateway is ending", failure="unavailable", name=name))
        self._ticking.cancel()
        await asyncio.to_thread(self._reader.close)

    async def ask(self, data: bytes, route: Route, *, traceparent: str = "") -> Reply:
        """Have an image processed; raises Unanswered, with the reason, when there is no reply.

        data: the image as it came: whatever is wrong with it, the worker finds, and writes it to the dead letters.
        """
        camera = self._idlest()
        frame = _frame(data, camera.id, self._epoch, next(camera.numbers), traceparent=traceparent)
        waiting = self._waiting[frame.name] = _Waiting(self._loop.create_future(), route)
        camera.under_way += 1
        try:
            self._send(frame, data, route)
            async with asyncio.timeout(self.timeout_s):
                reply: Reply = await waiting.answer
        except TimeoutError:
            trouble = f"; the broker: {self._broker.trouble}" if self._broker.trouble else ""
            raise Unanswered(
                f"no reply within {self.timeout_s:g} s: no worker of pipeline {route.name} runs, all are too slow, or "
                f"an operator has filtered the image out{trouble}",
                failure="no_reply",
                name=frame.name,
            ) from None
        else:
            self._compare(reply, route)
            return reply
        finally:
            camera.under_way -= 1
            del self._waiting[frame.name]

    def _compare(self, reply: Reply, route: Route) -> None:
        """Tell once of replies that another pipeline has made than the gateway knows."""
        if not route.made(reply) and reply.pipeline not in self._odd_labels:
            self._odd_labels.add(reply.pipeline)
            log.warning(
                "replies of pipeline %s are made by %s: its workers have other settings than this gateway",
                route.label,
                reply.pipeline,
            )

    def _idlest(self) -> _Camera:
        """The camera with the fewest frames under way; those with as few take turns."""
        turn = self._cameras[self._next :] + self._cameras[: self._next]
        camera = min(turn, key=lambda each: each.under_way)
        self._next = (self._cameras.index(camera) + 1) % CAMERAS
        return camera

    def _send(self, frame: Frame, data: bytes, route: Route) -> None:
        try:
            self._producer.produce(
                route.requests,
                key=frame.camera_id,
                value=data,
                headers=_headers(frame),
                timestamp=frame.captured_at_ns // 1_000_000,
                on_delivery=lambda error, _: self._on_delivery(frame.name, error),
            )
        except BufferError as error:
            raise Unanswered(
                f"too much waits for the broker at {self._kafka.bootstrap}", failure="unavailable", name=frame.name
            ) from error
        except KafkaException as error:
            raise self._undelivered(frame.name, error.args[0]) from error
        # A broker that is down is noticed here as well.
        self._producer.poll(0)

    def _on_delivery(self, name: str, error: ClientError | None) -> None:
        if error is None:
            self._broker.on_answer()
            return
        self._settle(name, self._undelivered(name, error))

    def _undelivered(self, name: str, error: ClientError) -> Unanswered:
        failure: Failure = "too_large" if error.code() in _TOO_LARGE else "unavailable"
        mend = "; the topic takes no image so large (max.message.bytes)" if failure == "too_large" else ""
        return Unanswered(f"the request cannot be sent: {error.str()}{mend}", failure=failure, name=name)

    def _on_error(self, error: ClientError) -> None:
        self._broker.on_error(error)
        if error.fatal():
            self._fail(f"the client of the broker at {self._kafka.bootstrap} can go on no more: {error.str()}")

    def _fail(self, why: str) -> None:
        """It can work no more; may be called in any thread."""
        self.broken = self.broken or why
        self._loop.call_soon_threadsafe(self.ended.set)

    async def _tick(self) -> None:
        while True:
            self._producer.poll(0)
            await asyncio.sleep(_TICK_S)

    def _from_reader(self, messages: Sequence[Message]) -> None:
        self._loop.call_soon_threadsafe(self._take, messages)

    def _take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            try:
                record = to_record(message)
            except FrameError:
                continue
            texts = {name: value for name, value in record.headers if value is not None}
            name = texts.get("ce_id", b"").decode(errors="replace")
            if name not in self._waiting:
                # It was given up, or belongs to the time before this start.
                continue
            letter = record.topic in self._dead_letters
            label = texts.get("dl_pipeline" if letter else "ce_pipeline", b"").decode(errors="replace")
            route = self._waiting[name].route
            if route.label and label.partition("@")[0] != route.name:
                # Another pipeline reads the same requests.
                continue
            self._settle(name, _failed(name, texts) if letter else _answer(name, record))

    def _settle(self, name: str, answer: Reply | Unanswered) -> None:
        waiting = self._waiting.get(name)
        # A worker that was killed may have answered before; the second answer is the same.
        if waiting is None or waiting.answer.done():
            return
        if isinstance(answer, Reply):
            waiting.answer.set_result(answer)
        else:
            waiting.answer.set_exception(answer)


def _frame(data: bytes, camera_id: str, epoch: str, number: int, *, traceparent: str) -> Frame:
    """The request as a frame; what is no image has no size and no type."""
    try:
        header = inspect(data)
        (width, height), content_type = header.upright, header.content_type
    except FrameError:
        width = height = 0
        content_type = ""
    return Frame(
        camera_id=camera_id,
        epoch=epoch,
        sequence=number,
        captured_at_ns=time.time_ns(),
        width=width,
        height=height,
        content_type=content_type,
        traceparent=traceparent,
    )


def _headers(frame: Frame) -> list[tuple[str, str | bytes | None]]:
    unknown = set() if frame.content_type else {"content-type", "ce_width", "ce_height"}
    return [(name, value) for name, value in to_headers(frame) if name not in unknown]


def _answer(name: str, record: Record) -> Reply | Unanswered:
    try:
        frame = to_frame(record, max_pixels=ANY_PIXELS)
    except FrameError as error:
        return Unanswered(f"its reply cannot be read: {error}", failure=error.reason, name=name)
    return Reply(
        name=frame.name,
        data=frame.data,
        content_type=frame.content_type,
        pipeline=frame.pipeline,
        captured_at_ns=frame.captured_at_ns,
        hops=frame.hops,
    )


def _failed(name: str, texts: dict[str, bytes]) -> Unanswered:
    reason = texts.get("dl_reason", b"").decode(errors="replace")
    stage, error = (texts.get(key, b"").decode(errors="replace") for key in ("dl_stage", "dl_error"))
    return Unanswered(f"{reason} at {stage}: {error}", failure=reason, name=name)  # type: ignore[arg-type]
