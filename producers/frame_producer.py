"""One connection to Kafka for any number of cameras."""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Self, get_args

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import Message, Producer

from producers.camera_state import CameraState
from producers.client import BATCH_BYTES, Acks, Broker, connect
from producers.deliveries import Outgoing, topic_missing
from producers.outbox import Policy, wait_all_empty
from producers.reports import StatusSender, topic_names
from producers.roster import Roster
from producers.sums import Sums
from producers.topic_limits import Administrator, TopicLimits
from streams.contract.errors import BrokerUnavailable, FramelaneError, KafkaError, SettingError
from streams.contract.histogram import Histogram
from streams.contract.kafka_settings import KafkaSettings, load_kafka_settings
from streams.contract.status import CameraSums, Status, StatusReporter
from streams.contract.topics import STATUS

logger = logging.getLogger(__name__)

# How long the last frames are waited for while none of them arrives.
FLUSH_TIMEOUT_S = 10.0
_POLL_S = 0.2
# How long a topic's limit is waited for, once its broker has answered.
_LIMIT_S = 1.0
_BUSY_S = 0.02


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
        acks: Acks = "all",
    ) -> None:
        """settings: default from the environment. status_topic: where it reports on itself; None: nowhere.

        stop: once set, no `publish` waits for room any more. clock: ns since 1970.
        acks: "all": a frame has arrived once all replicas in sync have it, and arrives once. "1": once the partition's
        leader has it: a broker that fails may lose what it has confirmed, and a frame that is sent again because its
        answer did not come may be there twice. One request at a time is under way to each broker then, so that frames
        stay in order; over a line with a long way that is slower, not faster.
        Raises SettingError. No broker need be there: frames wait for it.
        """
        if acks not in get_args(Acks):
            raise SettingError(f"acks {acks!r}: expected one of {', '.join(get_args(Acks))}, as text")
        self.settings = settings or load_kafka_settings()
        self.clock = clock
        self.stop = stop or threading.Event()
        self.instance = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        self.broker = Broker(self.settings.bootstrap)
        self._producer: Producer = connect(self.settings, on_error=self.broker.on_error, acks=acks)
        self._administrator = Administrator(self.settings)
        self.limits = TopicLimits(self._administrator.ask)
        self._roster = Roster(reports=status_topic is not None)
        self._topics: set[str] = set()
        self._started_ns = clock()
        self._closed = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="deliveries", daemon=True)
        self._poller.start()
        self._reporter: StatusReporter | None = None
        if status_topic is not None:
            self._reporter = StatusReporter(StatusSender(self._producer), self._report, topic=status_topic)
            self._reporter.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        close_after(self.close, error)

    def register(
        self, camera_id: str, *, policy: Policy, buffer_bytes: int, stop: threading.Event | None = None
    ) -> CameraState:
        """Take a camera into flushes and reports. Raises SettingError for a second one of the same id.

        An id that was forgotten gets what it had: its sums go on, and what it still has to send goes first. stop: ends
        its waits for room; default: the connection's.
        """

        def make() -> CameraState:
            return CameraState(
                camera_id,
                self.send,
                sums=Sums(clock=self.clock),
                limits=self.limits,
                policy=policy,
                stop=stop or self.stop,
                buffer_bytes=buffer_bytes,
            )

        camera, was_here = self._roster.add(camera_id, make)
        if was_here:
            camera.outbox.reopen(stop or self.stop)
            camera.outbox.change(policy=policy, max_bytes=buffer_bytes)
            camera.about = {}
        return camera

    def forget(self, camera_id: str) -> None:
        """Let a camera go that is removed; another CameraProducer of its id has it back.

        What it has published is still sent, in the background, and `flush` and `close` wait for it; once the broker has
        that, and its sums are reported, it is in `status` no more. Raises SettingError for an id that was never here.
        """
        self._roster.forget(camera_id)

    def send(self, record: Outgoing, done: Callable[[ClientError | None], None]) -> None:
        """Hand a record to the client. Raises BufferError when that is full, KafkaException when it refuses."""

        def report(error: ClientError | None, _message: Message) -> None:
            if error is None:
                self.broker.on_answer()
            done(error)

        self._producer.produce(
            record.topic,
            value=record.value,
            key=record.key,
            headers=list(record.headers),
            timestamp=record.captured_at_ns // 1_000_000,
            on_delivery=report,
        )

    def check_topic(self, topic: str, *, needed: bool = True) -> None:
        """Raise TopicMissing when a broker answers and has no such topic; asked once for each topic.

        A broker that does not answer within two seconds may come later: the frames wait for it. Asks for the topic's
        limit, too, and waits another second for that where the broker answers. needed: False: it may come later, too,
        so there is but a warning.
        """
        if topic in self._topics:
            return
        self.limits.ask(topic)
        names = topic_names(self._producer)
        if names is not None and topic not in names:
            if needed:
                raise topic_missing(topic)
            logger.warning("%s; frames are kept until it is there", topic_missing(topic))
        elif names is not None:
            self._check_limit(topic)
        self._topics.add(topic)

    def status(self) -> Status:
        """What is reported on the status topic."""
        cameras = self._roster.to_tell()
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

    def ages(self) -> dict[str, Histogram]:
        """How long frames took from capture to delivered, by camera; copies."""
        return {camera.camera_id: camera.sums.age_histogram() for camera in self._roster.all()}

    def sums(self) -> dict[str, CameraSums]:
        """The sums of every camera that has been here; they only grow."""
        return {camera.camera_id: camera.sums.snapshot() for camera in self._roster.all()}

    def flush(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Wait until the broker has every frame. Raises what a delivery met, or KafkaError when some are still out.

        timeout_s: how long to wait while nothing arrives; each frame that does begins it anew.
        """
        self._finish(self._roster.all(), timeout_s)

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
        for camera in self._roster.all():
            camera.outbox.close("undelivered")
        if any(camera.outbox.pending for camera in self._roster.all()):
            self._purge()
        if self._reporter is not None:
            self._reporter.close()
            if self._producer.flush(1.0):
                self._purge()
        self._closed.set()
        self._poller.join()
        self._administrator.close()
        if failure is not None:
            raise failure

    def finish_camera(self, camera: CameraState, *, timeout_s: float, busy: Callable[[], int] = lambda: 0) -> None:
        """Flush one camera; raises as `flush` does. busy: how many of its frames are on their way to here."""
        self._finish([camera], timeout_s, busy)

    def _check_limit(self, topic: str) -> None:
        limit = self.limits.wait(topic, timeout_s=_LIMIT_S)
        batch = int(self.settings.librdkafka.get("batch.size", BATCH_BYTES))
        if limit is not None and limit < batch:
            logger.warning(
                "topic %s takes %d bytes at a time, but small frames go together in batches of up to %d, which it "
                'refuses: let it take more (its max.message.bytes), or set "batch.size" = %d in [kafka.librdkafka]',
                topic,
                limit,
                batch,
                limit,
            )

    def _report(self) -> Status:
        closed = self._roster.closed()
        status = self.status()
        self._roster.mark_told(closed)
        return status

    def _finish(self, cameras: list[CameraState], timeout_s: float, busy: Callable[[], int] = lambda: 0) -> None:
        boxes = [camera.outbox for camera in cameras]
        pending = wait_all_empty(boxes, timeout_s=timeout_s)
        coming, moved_at = busy(), time.monotonic()
        while coming and not any(pending) and time.monotonic() < moved_at + timeout_s:
            time.sleep(_BUSY_S)
            pending = wait_all_empty(boxes, timeout_s=timeout_s)
            if busy() != coming:
                coming, moved_at = busy(), time.monotonic()
        pending[:1] = [pending[0] + busy()] if cameras else []
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
            for camera in self._roster.all():
                camera.outbox.pump()
            self._administrator.poll()
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
