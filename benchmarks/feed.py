"""Frames into Kafka, as our cameras send them: key, headers, murmur2; all before a run, or at a pace."""

import time
from collections.abc import Callable, Iterator

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from benchmarks.pictures import camera_ids, there_and_back
from streams.contract.client_log import ClientLog
from streams.contract.errors import KafkaError as BrokerError
from streams.contract.frame import Frame
from streams.contract.headers import to_headers

_EPOCH = "20200101T000000000-bnch"


class Feed:
    """Publishes the pictures of some cameras in turn, each camera's in a run of its own.

    pictures: some scenes, which the cameras share. size: (width, height) of the pictures in pixels. sent, delivered:
    frames so far.
    """

    def __init__(
        self, bootstrap: str, *, pictures: list[list[bytes]], size: tuple[int, int], cameras: int, partitions: int
    ) -> None:
        config = {"enable.idempotence": True, "linger.ms": 0, "partitioner": "murmur2_random"}
        room = {"message.max.bytes": 100_000_000, "queue.buffering.max.kbytes": 256 * 1024}
        self._producer = Producer({"bootstrap.servers": bootstrap, **config, **room, "logger": ClientLog(quiet=True)})
        self.size = size
        self._cameras = camera_ids(cameras, partitions=partitions)
        self._pictures = [
            there_and_back(pictures[number % len(pictures)], start=number // len(pictures)) for number in range(cameras)
        ]
        self.sent = 0
        self.delivered = 0

    def send(self, topic: str) -> None:
        """Publish the next frame, captured now; it waits while the client has no room."""
        number = self.sent % len(self._cameras)
        camera, data, now = self._cameras[number], next(self._pictures[number]), time.time_ns()
        frame = Frame(
            camera_id=camera,
            epoch=_EPOCH,
            sequence=self.sent // len(self._cameras),
            captured_at_ns=now,
            width=self.size[0],
            height=self.size[1],
        )
        while True:
            try:
                self._producer.produce(
                    topic,
                    data,
                    camera,
                    headers=list(to_headers(frame)),
                    timestamp=now // 1_000_000,
                    on_delivery=self._told,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                break
        self.sent += 1
        self._producer.poll(0)

    def preload(self, topic: str, frames: int) -> None:
        """Publish so many frames, as fast as it goes, and wait until the broker has them."""
        for _ in range(frames):
            self.send(topic)
        self.flush()

    def paced(self, topic: str, *, fps: float, go_on: Callable[[], bool]) -> None:
        """Publish `fps` frames a second, of all cameras together, for as long as `go_on` says so."""
        for at in _ticks(fps):
            if not go_on():
                break
            time.sleep(max(0.0, at - time.monotonic()))
            self.send(topic)
        self.flush()

    def poll(self, timeout_s: float) -> None:
        """Hear of deliveries, for at most that long."""
        self._producer.poll(timeout_s)

    def flush(self) -> None:
        """Wait until the broker has all that was sent; KafkaError when it has not got them within a minute."""
        self._producer.flush(60)
        if self.delivered < self.sent:
            raise BrokerError(f"the broker has got {self.delivered} of {self.sent} frames")

    def _told(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        self.delivered += 1


def _ticks(fps: float) -> Iterator[float]:
    start, number = time.monotonic(), 0
    while True:
        yield start + number / fps
        number += 1
