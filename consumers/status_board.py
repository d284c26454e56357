"""What every role last said of itself on `frames.status`."""

import time
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import confluent_kafka
import msgspec
from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from consumers.plain_consumer import plain_consumer
from streams.contract.client_log import ClientLog
from streams.contract.errors import BrokerUnavailable, KafkaError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.status import CameraSums, Status, decode_status
from streams.contract.topics import STATUS

# Reports that come at once, as partitions come or go, are too close together for a rate.
_RATE_OVER_NS = 1_000_000_000
_DENIED = confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED
# Of each instance: enough for the last report, its forerunner, and some that came at once.
_KEPT = 6


@dataclass(slots=True)
class CameraRow:
    """One camera, over all producers and workers. Rates are frames per second between the last two reports.

    age_p50_ms, age_p99_ms: capture to published, the worst of the workers; None where nothing was published.
    """

    camera: str
    captured_fps: float = 0.0
    processed_fps: float = 0.0
    produced: CameraSums = field(default_factory=CameraSums)
    worked: CameraSums = field(default_factory=CameraSums)
    age_p50_ms: float | None = None
    age_p99_ms: float | None = None

    @property
    def dropped(self) -> int:
        """Frames that the producer dropped, for whatever reason."""
        return sum(self.produced.dropped.values())

    @property
    def dead_lettered(self) -> int:
        """Frames that ended as dead letters, for whatever reason."""
        return sum(self.worked.dead_lettered.values())

    @property
    def finished(self) -> int:
        """Frames that the workers are done with."""
        return self.worked.processed + self.worked.filtered + self.worked.stale + self.dead_lettered


_OF_PRODUCERS = ("captured", "produced", "fitted", "bytes_out", "reconnects")


class StatusBoard:
    """Reads the status topic from its beginning on, and keeps the last two reports of each instance.

    since_ns: reports of instances that started before are ignored; ns since 1970. Raises SettingError when the client
    refuses its settings.
    """

    def __init__(self, kafka: KafkaSettings, *, since_ns: int = 0, topic: str = STATUS) -> None:
        self._consumer = plain_consumer(kafka, "framelane.status-board", log=ClientLog())
        self.topic = topic
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        self._since_ns = since_ns
        self._last: dict[str, Status] = {}
        self._before: dict[str, Status] = {}

    def read(self, timeout_s: float) -> None:
        """Take in what has arrived, waiting at most that long for the first of it."""
        self.take(self.poll(timeout_s))

    def poll(self, timeout_s: float) -> list[bytes]:
        """The reports that have arrived, still as bytes for `take`; waits at most that long for the first of them."""
        messages = self._consumer.consume(500, timeout=timeout_s)
        return [message.value() or b"" for message in messages if message.error() is None]

    def take(self, values: Iterable[bytes]) -> None:
        """Take in reports as they were polled."""
        for value in values:
            self._take(value)

    def catch_up(self, timeout_s: float) -> None:
        """Take in all that there is now; only the last reports of each instance are decoded.

        The topic has to exist. Raises KafkaError where there is no right to read it, BrokerUnavailable after so long.
        """
        give_up = time.monotonic() + timeout_s
        end = self._end(timeout_s)
        last: defaultdict[bytes, deque[bytes]] = defaultdict(lambda: deque(maxlen=_KEPT))
        while end and self._place().offset < end:
            if time.monotonic() > give_up:
                raise BrokerUnavailable(f"topic {self.topic}: not read to its end within {timeout_s:g} s")
            for message in self._consumer.consume(500, timeout=0.1):
                if (error := message.error()) is None:
                    last[message.key() or b""].append(message.value() or b"")
                elif error.code() == _DENIED:
                    raise KafkaError(_no_right(self.topic))
        for values in last.values():
            self.take(values)

    def last(self) -> list[tuple[Status, Status | None]]:
        """The last report of each instance, and the one before it where there is one to take rates from."""
        return [(status, self._before.get(key)) for key, status in sorted(self._last.items())]

    def workers(self) -> list[Status]:
        """The last report of each worker."""
        return [status for status in self._last.values() if status.role == "worker"]

    def rows(self) -> list[CameraRow]:
        """What is known of each camera, by name."""
        rows: dict[str, CameraRow] = {}
        for key, status in self._last.items():
            for camera, sums in status.cameras.items():
                row = rows.setdefault(camera, CameraRow(camera))
                _add(row, status, sums, self._before.get(key))
        return [rows[camera] for camera in sorted(rows)]

    def forget(self, *, before_ns: int) -> None:
        """Drop the instances that have not reported since, which would add up for as long as this process runs."""
        for key in [key for key, status in self._last.items() if status.reported_ns < before_ns]:
            del self._last[key]
            self._before.pop(key, None)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _end(self, timeout_s: float) -> int:
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(self.topic, 0), timeout=timeout_s)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() == _DENIED:
                raise KafkaError(_no_right(self.topic)) from error
            raise BrokerUnavailable(f"topic {self.topic} cannot be read: {cause.str()}") from error
        return high if high > low else 0

    def _place(self) -> TopicPartition:
        return self._consumer.position([TopicPartition(self.topic, 0)])[0]

    def _take(self, value: bytes) -> None:
        try:
            status = decode_status(value)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return
        if status.started_ns >= self._since_ns:
            self._note(status)

    def _note(self, status: Status) -> None:
        last = self._last.get(status.key)
        if last is not None and last.started_ns != status.started_ns:
            # The same name, as of a container's only process, and counts from 0 again.
            self._before.pop(status.key, None)
        elif last is not None and status.state != "stopped" and status.reported_ns - last.reported_ns >= _RATE_OVER_NS:
            # The closing report may follow right after another: rates over so short a time would be noise.
            self._before[status.key] = last
        self._last[status.key] = status


def _no_right(topic: str) -> str:
    return f"topic {topic}: this user may not read it; add the ACLs: Read and Describe on it"


def _add(row: CameraRow, status: Status, sums: CameraSums, before: Status | None) -> None:
    earlier = before.cameras.get(row.camera, CameraSums()) if before else None
    elapsed_s = (status.reported_ns - before.reported_ns) / 1e9 if before else 0.0
    if status.role == "producer":
        _accumulate(row.produced, sums)
        if earlier and elapsed_s > 0:
            row.captured_fps += (sums.captured - earlier.captured) / elapsed_s
    elif status.role == "worker":
        _accumulate(row.worked, sums)
        if earlier and elapsed_s > 0:
            row.processed_fps += (sums.processed - earlier.processed) / elapsed_s
        row.age_p50_ms = _worst(row.age_p50_ms, sums.age_p50_ms)
        row.age_p99_ms = _worst(row.age_p99_ms, sums.age_p99_ms)


def _accumulate(total: CameraSums, more: CameraSums) -> None:
    for name in (*_OF_PRODUCERS, "consumed", "processed", "filtered", "stale", "returned"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    for name in ("dropped", "dead_lettered"):
        by_reason = getattr(total, name)
        for reason, count in getattr(more, name).items():
            by_reason[reason] = by_reason.get(reason, 0) + count


def _worst(one: float | None, other: float | None) -> float | None:
    return max((age for age in (one, other) if age is not None), default=None)
