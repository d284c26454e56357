"""Cameras of a fault: frames for the raw topic at a steady rate, and what the broker confirms for the ledger."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, Message, Producer
from ledger import Confirmed, FrameName, Ledger, Place
from producer_support import java_partition
from worker_support import JPEG

from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.kafka_settings import PARTITIONER

EPOCH = "e1"
# For headers of ten megabytes; as much as the embedded broker takes.
MAX_RECORD_BYTES = 32 * 1024 * 1024


Headers = dict[str, str | bytes | None]


@dataclass(frozen=True, slots=True)
class Content:
    """A frame's bytes, and the reason and stage of the dead letter that it must become; "" if none, or any stage.

    forge: what becomes of its headers.
    """

    value: bytes | None = JPEG
    reason: str = ""
    stage: str = ""
    forge: Callable[[Headers], Headers] = dict


GOOD = Content()
Contents = Callable[[str, int], Content]


def good_only(_camera: str, _sequence: int) -> Content:
    """Nothing but good frames."""
    return GOOD


def camera_on_each(partitions: int, *, prefix: str = "camera") -> list[str]:
    """Names of cameras, the first on partition 0, the next on partition 1, and so on."""
    found: dict[int, str] = {}
    for number in range(1000):
        name = f"{prefix}-{number}"
        found.setdefault(java_partition(name.encode(), partitions), name)
    return [found[partition] for partition in range(partitions)]


class Feed:
    """A producer for some cameras; a context manager: at its end all that was sent is confirmed.

    fps: of each camera. contents: what a camera's frame of a sequence shows.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        cameras: Sequence[str],
        *,
        ledger: Ledger,
        fps: float = 25.0,
        contents: Contents = good_only,
    ) -> None:
        self.topic, self.cameras, self.ledger, self.fps, self.contents = topic, cameras, ledger, fps, contents
        client: dict[str, str | int | bool] = {
            "bootstrap.servers": bootstrap,
            "partitioner": PARTITIONER,
            "enable.idempotence": True,
        }
        client["message.max.bytes"] = MAX_RECORD_BYTES
        # It may outlive the broker, and has nothing to say of that.
        self._producer = Producer({**client, "log_level": 0})
        self._sequences = dict.fromkeys(cameras, 0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed")

    def __enter__(self) -> "Feed":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.flush()

    def send(self, camera: str, content: Content | None = None) -> None:
        """Put one frame of a camera on the topic now; for when the feed is not running."""
        sequence = self._sequences[camera]
        self._sequences[camera] += 1
        content = content or self.contents(camera, sequence)
        frame = Frame(
            camera_id=camera,
            epoch=EPOCH,
            sequence=sequence,
            captured_at_ns=time.time_ns(),
            width=320,
            height=240,
        )
        self._producer.produce(
            self.topic,
            key=camera,
            value=content.value,
            headers=content.forge({**dict(to_headers(frame))}),
            on_delivery=self._on_delivery(FrameName(camera, EPOCH, sequence), time.time(), content),
        )
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has all that was sent."""
        left = self._producer.flush(60)
        assert left == 0, f"{left} frames were not confirmed within a minute"

    def _run(self) -> None:
        for due in self._ticks():
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            for camera in self.cameras:
                self.send(camera)

    def _ticks(self) -> Iterator[float]:
        # By the schedule and not by the last frame: a feed that the machine has held up offers as much as ever.
        started, number = time.monotonic(), 0
        while True:
            yield started + number / self.fps
            number += 1

    def _on_delivery(
        self, name: FrameName, sent_s: float, content: Content
    ) -> Callable[[KafkaError | None, Message], Any]:
        def confirm(error: KafkaError | None, message: Message) -> None:
            if error is None:
                offset = message.offset()
                assert offset is not None and offset >= 0, f"the broker has {name} and does not say where"
                place = Place(message.partition() or 0, offset)
                self.ledger.confirm(
                    Confirmed(name=name, place=place, sent_s=sent_s, reason=content.reason, stage=content.stage)
                )

        return confirm
