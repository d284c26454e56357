"""One connection to Kafka for any number of cameras."""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Self

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import Message, Producer

from producers.camera_state import CameraState
from producers.client import Broker, connect
from producers.deliveries import Outgoing, topic_missing
from producers.outbox import wait_all_empty
from producers.reports import StatusSender, topic_names
from streams.contract.errors import BrokerUnavailable, FramelaneError, KafkaError, SettingError
from streams.contract.kafka_settings import KafkaSettings, load_kafka_settings
from streams.contract.status import Status, StatusReporter
from streams.contract.topics import STATUS

logger = logging.getLogger(__name__)

# How long the last frames are waited for while none of them arrives.
FLUSH_TIMEOUT_S = 10.0
_POLL_S = 0.2


class FrameProducer:
    """Publishes the frames of many cameras; a `CameraProducer` is one camera on it.

    Deliveries are heard of on a thread of its own, so sums and ages are right even when no frame comes for a while.
    """

    def __init__(
        self,
        settings: KafkaSettings | None = None,
        *,
        status_topic: str | None = STATUS,
        stop: threading.Event | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """settings: default from the environment. status_topic: where it reports on itself; None: nowhere.

        stop: once set, no `publish` waits for room any more. clock: ns since 1970.
        Raises SettingError. No broker need be there: frames wait for it.
        """
        self.settings = settings or load_kafka_settings()
        self.clock = clock
        self.stop = stop or threading.Event()
        self.instance = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        self.broker = Broker(self.settings.bootstrap)
        self._producer: Producer = connect(self.settings, on_error=self.broker.on_error)
        self._cameras: dict[str, CameraState] = {}
        self._topics: set[str] = set()
        self._started_ns = clock()
        self._closed = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="deliveries", daemon=True)
        self._poller.start()
        self._reporter: StatusReporter | None = None
        if status_topic is not None:
            self._reporter = StatusReporter(StatusSender(self._producer), self.status, topic=status_topic)
            self._reporter.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        close_after(self.close, error)

    def register(self, camera: CameraState) -> None:
        """Take a camera into flushes and reports; SettingError for a second one of the same id."""
        if camera.camera_id in self._cameras:
            raise SettingError(
                f"camera {camera.camera_id}: this connection has a CameraProducer of that id already; use that one "
                "again (begin_epoch() begins a new run), or give the other camera an id of its own"
            )
        self._cameras[camera.camera_id] = camera

    def send(self, record: Outgoing, done: Callable[[ClientError | None], None]) -> None:
        """Hand a record to the client. Raises BufferError when that is full, KafkaException when it refuses."""

        def report(error: ClientError | None, _message: Message) -> None:
            if error is None:
                self.broker.on_answer()
            done(error)

        self._producer.produce(
            record.topic,
            value=record.value,
            key=record.camera_id.encode(),
            headers=list(record.headers),
            timestamp=record.captured_at_ns // 1_000_000,
            on_delivery=report,
        )

    def check_topic(self, topic: str) -> None:
        """Raise TopicMissing when a broker answers and has no such topic; asked once for each topic.

        A broker that does not answer within two seconds may come later: the frames wait for it.
        """
        if topic in self._topics:
            return
        names = topic_names(self._producer)
        if names is not None and topic not in names:
            raise topic_missing(topic)
        self._topics.add(topic)

    def status(self) -> Status:
        """What is reported on the status topic."""
        cameras = list(self._cameras.values())
        return Status(
            role="producer",
            instance=self.instance,
            version=_version(),
            started_ns=self._started_ns,
            reported_ns=self.clock(),
            state="running",
            cameras={camera.camera_id: camera.sums.snapshot() for camera in cameras},
            settings={camera.camera_id: dict(camera.about) for camera in cameras if camera.about},
        )

    def flush(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Wait until the broker has every frame. Raises what a delivery met, or KafkaError when some are still out.

        timeout_s: how long to wait while nothing arrives; each frame that does begins it anew.
        """
        self._finish(list(self._cameras.values()), timeout_s)

    def close(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Flush, give up what the broker did not take in time, report a last time, and let go of the connection.

        Raises what a delivery met, or KafkaError saying how many frames were not delivered.
        """
        if self._closed.is_set():
            return
        failure: FramelaneError | None = None
        try:
            self.flush(timeout_s=timeout_s)
        except FramelaneError as error:
            failure = error
        for camera in self._cameras.values():
            camera.outbox.close("undelivered")
        if any(camera.outbox.pending for camera in self._cameras.values()):
            self._purge()
        if self._reporter is not None:
            self._reporter.close()
            if self._producer.flush(1.0):
                self._purge()
        self._closed.set()
        self._poller.join()
        if failure is not None:
            raise failure

    def finish_camera(self, camera: CameraState, *, timeout_s: float) -> None:
        """Flush one camera; raises as `flush` does."""
        self._finish([camera], timeout_s)

    def _finish(self, cameras: list[CameraState], timeout_s: float) -> None:
        pending = wait_all_empty([camera.outbox for camera in cameras], timeout_s=timeout_s)
        left = {camera.camera_id: count for camera, count in zip(cameras, pending, strict=True)}
        for camera in cameras:
            camera.raise_failure()
        total = sum(left.values())
        if not total:
            return
        which = ", ".join(f"{camera_id}: {count}" for camera_id, count in left.items() if count)
        trouble = self.broker.trouble
        kind = BrokerUnavailable if trouble else KafkaError
        raise kind(
            f"{total} frames were not delivered to {self.settings.bootstrap} ({which}): "
            f"it took none for {timeout_s:g} s" + (f": {trouble}" if trouble else "")
        )

    def _purge(self) -> None:
        """Give up what the client still has; each record's fate is told at once."""
        self._producer.purge()
        self._producer.flush(1.0)

    def _poll(self) -> None:
        pumped = time.monotonic()
        while not self._closed.is_set():
            self._producer.poll(_POLL_S)
            if time.monotonic() - pumped < _POLL_S:
                continue
            # What came back is sent again, even while its camera has nothing new.
            for camera in list(self._cameras.values()):
                camera.outbox.pump()
            pumped = time.monotonic()


def close_after(close: Callable[[], None], error: BaseException | None) -> None:
    """Close at the end of a `with`: what went wrong inside it is what the caller must see, so then close only logs."""
    try:
        close()
    except FramelaneError as failure:
        if error is None:
            raise
        logger.warning("while closing: %s", failure)


def _version() -> str:
    try:
        return version("framelane")
    except PackageNotFoundError:
        return "unknown"
