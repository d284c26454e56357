"""Reading a topic here and there, forwards and backwards, within the time that one request has."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.failures import permanent
from consumers.lookup.places import Offsets, Stretch
from consumers.offsets import bounds_of, offsets_at, partitions_of
from consumers.plain_consumer import seeking_consumer
from consumers.settings import SubscriptionSettings
from consumers.view.past.problems import OutOfTime
from streams.contract.errors import BrokerUnavailable, FrameError, KafkaError
from streams.contract.headers import Record
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.records import to_record
from streams.contract.topics import MIB

FETCH_BYTES = 2 * MIB
_SLICE_S = 0.1
# A stretch that is read backwards: at first few records, then more, and never more bytes than this at a time.
_FIRST, _MOST, _MOST_BYTES = 16, 4096, 16 * MIB


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a request may take. until_s: by time.monotonic(). stopping: the view ends."""

    until_s: float
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def left_s(self) -> float:
        """Seconds left; raises OutOfTime when there are none."""
        left = self.until_s - time.monotonic()
        if left <= 0 or self.stopping.is_set():
            raise OutOfTime("not found in the time that a request has: the topic is long or the broker slow; try again")
        return left


def open_reader(kafka: KafkaSettings) -> Consumer:
    """A client for `TopicReader`."""
    return seeking_consumer(kafka, "framelane.view.past", fetch_bytes=FETCH_BYTES)


class TopicReader:
    """One topic, for one request. Raises OutOfTime, TopicMissing, BrokerUnavailable, or KafkaError."""

    def __init__(self, consumer: Consumer, kafka: KafkaSettings, topic: str, budget: Budget) -> None:
        self.topic, self.asked = topic, 0
        self._consumer, self._budget = consumer, budget
        self._settings = SubscriptionSettings(kafka=kafka, topic=topic)
        self._offsets: dict[int, Offsets] | None = None

    def offsets(self) -> dict[int, Offsets]:
        """Where each partition begins and ends, as of the first time that this is asked."""
        if self._offsets is None:
            self.asked += 1
            try:
                partitions = partitions_of(self._consumer, self._settings, timeout_s=self._budget.left_s)
                self._offsets = {each: self._bounds(each) for each in partitions}
            except KafkaException as error:
                raise self._failed(error.args[0]) from error
        return self._offsets

    def offsets_at(self, ends: Mapping[int, Offsets], at_ms: int) -> dict[int, int]:
        """The first offset of that time (ms since 1970) or later in each partition; its end where none is."""
        self.asked += 1
        try:
            found = offsets_at(self._consumer, self.topic, ends, at_ms=max(0, at_ms), timeout_s=self._budget.left_s)
        except KafkaException as error:
            raise self._failed(error.args[0]) from error
        return {partition: found.get(partition, each.end) for partition, each in ends.items()}

    def fetch(self, partition: int, start: int, end: int, *, wide: bool = False) -> Stretch:
        """Some of what lies between two offsets, from the first on. wide: more of it."""
        self.asked += 1
        messages: list[Message] = []
        size = 0
        for message in self.span(partition, start, end):
            messages.append(message)
            size += len(message.value() or b"")
            if size >= FETCH_BYTES * (6 if wide else 1):
                return Stretch(messages, (message.offset() or 0) + 1)
        return Stretch(messages, end)

    def span(self, partition: int, start: int, end: int) -> Iterator[Message]:
        """All that lies from the offset `start` up to, but without, `end`, in order."""
        if start >= end:
            return
        try:
            self._consumer.assign([TopicPartition(self.topic, partition, start)])
            while True:
                message = self._consumer.poll(min(_SLICE_S, self._budget.left_s))
                # What an earlier request has left over is of another place.
                if message is None or (message.topic(), message.partition()) != (self.topic, partition):
                    continue
                if (error := message.error()) is not None:
                    if error.code() == ClientError._PARTITION_EOF:
                        return
                    if found := permanent(error, self._settings):
                        raise found
                    continue
                offset = message.offset() or 0
                if start <= offset < end:
                    yield message
                if offset >= end - 1:
                    return
        except KafkaException as error:
            raise self._failed(error.args[0]) from error
        finally:
            self._consumer.unassign()

    def forward(self, partition: int, start: int, end: int, key: bytes | None = None) -> Iterator[Record]:
        """The records of a key, in order; None: all of them."""
        for message in self.span(partition, start, end):
            if key in (None, message.key()) and (record := _record(message)) is not None:
                yield record

    def backward(self, partition: int, start: int, end: int, key: bytes) -> Iterator[Record]:
        """The records of a key, the last one first."""
        count = _FIRST
        while start < end:
            low = max(start, end - count)
            records, size = [], 0
            for message in self.span(partition, low, end):
                size += len(message.value() or b"")
                if message.key() == key and (record := _record(message)) is not None:
                    records.append(record)
            yield from reversed(records)
            mean = max(1, size // (end - low))
            end, count = low, max(1, min(2 * count, _MOST, _MOST_BYTES // mean))

    def _bounds(self, partition: int) -> Offsets:
        return Offsets(*bounds_of(self._consumer, self.topic, partition, timeout_s=self._budget.left_s))

    def _failed(self, error: ClientError) -> KafkaError:
        return permanent(error, self._settings) or BrokerUnavailable(
            f"topic {self.topic} at {self._settings.kafka.bootstrap} cannot be read: {error.str()}; try again"
        )


def _record(message: Message) -> Record | None:
    try:
        return to_record(message)
    except FrameError:
        # A header's name is no text: no record of ours.
        return None
