"""Reading what a topic holds now: from a time up to its end, as often as asked; and single records by their place."""

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.client import open_client
from consumers.failures import Failures, permanent
from consumers.offsets import ends_of, partitions_of, starts_at
from consumers.settings import SubscriptionSettings
from streams.contract.errors import BrokerUnavailable, FrameError, KafkaError, TopicMissing
from streams.contract.headers import Record
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.records import to_record
from streams.contract.topics import MIB

T = TypeVar("T")
# Python hears Ctrl-C between calls of the client only.
_SLICE_S = 0.1
_FETCH_S = 30.0
# The end of a partition is told only when the broker has waited so long for more.
_TO_THE_END = {"enable.partition.eof": True, "fetch.wait.max.ms": 100}


class BoundedRead:
    """A topic from `since` to its end as of when this is made; a context manager.

    No group is joined and nothing is committed. It waits for a broker that is away. Raises TopicMissing, SettingError,
    or KafkaError for what waiting does not mend.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, *, since_ns: int | None = None) -> None:
        """Look where to begin and to end. since_ns: ns since 1970, by the records' timestamps; None: all there is."""
        self._settings = SubscriptionSettings(kafka=kafka, topic=topic, since_ns=since_ns or 0)
        self._failures = Failures(self._settings)
        self._consumer = open_client(self._settings, failures=self._failures, more=_TO_THE_END)
        try:
            self._bound()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def records(self, starts: Mapping[int, int] | None = None) -> Iterator[Record]:
        """The records, in order within each partition; for one iteration at a time.

        starts: offsets by partition, to read only these partitions, from there; default: all, from `since`.
        """
        starts = self._starts if starts is None else starts
        left = {partition for partition, at in starts.items() if at < self._ends.get(partition, 0)}
        self._consumer.assign([self._place(partition, starts[partition]) for partition in sorted(left)])
        while left:
            message = self._consumer.poll(_SLICE_S)
            self._failures.check()
            if message is None:
                continue
            partition, offset, error = message.partition(), message.offset(), message.error()
            if error is not None and error.code() != ClientError._PARTITION_EOF:
                self._failures.note(error)
                continue
            if partition not in left or offset is None:
                continue
            # The last offsets of a partition may hold no record: then it is only told that its end is reached.
            if error is not None or offset + 1 >= self._ends[partition]:
                left.discard(partition)
                self._consumer.incremental_unassign([self._place(partition)])
            if error is None and offset < self._ends[partition]:
                try:
                    yield to_record(message)
                except FrameError:
                    # The client cannot read the name of one of its headers: no record of ours.
                    continue

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _bound(self) -> None:
        settings, consumer = self._settings, self._consumer
        partitions = self._patiently(lambda s: partitions_of(consumer, settings, timeout_s=s))
        self._ends = self._patiently(lambda s: ends_of(consumer, settings.topic, partitions, timeout_s=s))
        starts = self._patiently(
            lambda s: starts_at(consumer, settings.topic, partitions, since_ns=settings.since_ns, timeout_s=s)
        )
        self._starts = {start.partition: start.offset for start in starts}

    def _patiently(self, call: Callable[[float], T]) -> T:
        return self._failures.patiently(call, serve=lambda: self._consumer.poll(0))

    def _place(self, partition: int, offset: int = 0) -> TopicPartition:
        return TopicPartition(self._settings.topic, partition, offset)


class SingleRecords:
    """Records of any topic, one at a time, by where they lie; connects when the first is asked for."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._failures = Failures(SubscriptionSettings(kafka=kafka))
        self._consumer: Consumer | None = None

    def partitions(self, topic: str) -> list[int]:
        """The topic's partitions; none when it does not exist. Raises BrokerUnavailable, or KafkaError."""
        settings = SubscriptionSettings(kafka=self._kafka, topic=topic)
        try:
            return partitions_of(self._client(), settings, timeout_s=_FETCH_S)
        except TopicMissing:
            return []
        except KafkaException as error:
            raise self._failed(topic, error.args[0]) from error

    def get(self, topic: str, partition: int, offset: int) -> Record | None:
        """The record; None when it is not there any more, or never was.

        Raises BrokerUnavailable, or KafkaError for what waiting does not mend.
        """
        if partition not in self.partitions(topic):
            return None
        place, consumer, give_up = TopicPartition(topic, partition, offset), self._client(), time.monotonic() + _FETCH_S
        try:
            marks = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_FETCH_S)
            if marks is None:
                self._failures.check()
                raise self._away(topic, f"no answer within {_FETCH_S:g} s")
            if not marks[0] <= offset < marks[1]:
                return None
            consumer.assign([place])
            while time.monotonic() < give_up:
                message = consumer.poll(_SLICE_S)
                self._failures.check()
                # What an earlier call left over is of another place.
                if message is None or (message.topic(), message.partition()) != (topic, partition):
                    continue
                if (wrong := message.error()) is not None:
                    if found := self._permanent(topic, wrong):
                        raise found
                    continue
                consumer.unassign()
                return to_record(message) if message.offset() == offset else None
        except FrameError:
            return None
        except KafkaException as error:
            raise self._failed(topic, error.args[0]) from error
        raise self._away(topic, f"no answer within {_FETCH_S:g} s")

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        if self._consumer is not None:
            self._consumer.close()

    def _client(self) -> Consumer:
        if self._consumer is None:
            settings = SubscriptionSettings(kafka=self._kafka)
            more = {"queued.max.messages.kbytes": 8 * MIB // 1024, "fetch.wait.max.ms": 50}
            self._consumer = open_client(settings, failures=self._failures, more=_TO_THE_END | more)
        return self._consumer

    def _failed(self, topic: str, error: ClientError) -> KafkaError:
        # A refused password is told to the callback only; the call itself just gets no answer.
        self._failures.check()
        return self._permanent(topic, error) or self._away(topic, error.str())

    def _permanent(self, topic: str, error: ClientError) -> KafkaError | None:
        return permanent(error, SubscriptionSettings(kafka=self._kafka, topic=topic))

    def _away(self, topic: str, why: str) -> BrokerUnavailable:
        return BrokerUnavailable(f"topic {topic} at {self._kafka.bootstrap} cannot be read: {why}; try again")
