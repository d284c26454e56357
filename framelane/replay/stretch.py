"""Reading a partition from one offset to another, as fast as it comes."""

import threading
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.failures import permanent
from consumers.plain_consumer import plain_consumer
from consumers.settings import SubscriptionSettings
from streams.contract.client_log import ClientLog
from streams.contract.errors import BrokerUnavailable, FrameError
from streams.contract.headers import Record
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.records import to_record
from streams.contract.topics import MIB

# What cannot be read, and why.
Read = tuple[Record, FrameError | None]
_ASK_S = 10.0
_SCAN_RECORDS = 64
_SCAN_S = 0.1


class StretchReader:
    """Reads a partition; the group is the run's, which it does not join. To be used by one thread."""

    def __init__(self, kafka: KafkaSettings, topic: str, partition: int, *, group: str) -> None:
        self._place = TopicPartition(topic, partition)
        self._settings = SubscriptionSettings(kafka=kafka, topic=topic, group=group)
        self.consumer: Consumer = plain_consumer(
            kafka,
            group,
            log=ClientLog(quiet=True),
            # What retention has deleted meanwhile is jumped over, and counted by whoever reads.
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            enable_partition_eof=True,
            fetch_message_max_bytes=4 * MIB,
            fetch_max_bytes=8 * MIB,
            queued_max_messages_kbytes=8 * MIB // 1024,
            fetch_queue_backoff_ms=5,
            fetch_wait_max_ms=100,
            log_connection_close=False,
        )
        self._end = 0
        self.ended = True

    def seek(self, start: int, end: int) -> None:
        """Read from `start` up to `end`, without it."""
        self._end, self.ended = end, start >= end
        if not self.ended:
            self.consumer.assign([TopicPartition(self._place.topic, self._place.partition, start)])

    def read(self, count: int, *, timeout_s: float) -> list[Read]:
        """The next records, at most so many; fewer, or none, where no more has come in time. See `ended`."""
        found: list[Read] = []
        for message in self.consumer.consume(count, timeout=timeout_s) if not self.ended else ():
            error, offset = message.error(), message.offset() or 0
            if error is not None:
                # The last offsets may hold no record: then it is only told that the partition's end is reached.
                self.ended = self.ended or (error.code() == ClientError._PARTITION_EOF and offset >= self._end)
                if (wrong := permanent(error, self._settings)) is not None:
                    raise wrong
                continue
            if offset < self._end:
                found.append(_read(message))
            if offset >= self._end - 1:
                self.ended = True
                break
        if self.ended:
            self.consumer.unassign()
        return found

    def all(self, start: int, end: int, *, stop: threading.Event) -> Iterator[Record]:
        """Every record of these offsets, until somebody wants to stop."""
        self.seek(start, end)
        while not self.ended and not stop.is_set():
            for record, _ in self.read(_SCAN_RECORDS, timeout_s=_SCAN_S):
                yield record

    def oldest(self) -> int:
        """The oldest offset that is retained. Raises BrokerUnavailable."""
        try:
            bounds = self.consumer.get_watermark_offsets(self._place, timeout=_ASK_S)
        except KafkaException as error:
            raise BrokerUnavailable(f"{self._where} cannot be read: {error.args[0].str()}") from error
        if bounds is None:
            raise BrokerUnavailable(f"{self._where} cannot be read: no answer within {_ASK_S:g} s")
        return bounds[0]

    def close(self) -> None:
        """Let go of the connection."""
        self.consumer.close()

    @property
    def _where(self) -> str:
        return f"{self._place.topic}/{self._place.partition}"


def _read(message: Message) -> Read:
    try:
        return to_record(message), None
    except FrameError as error:
        # The client cannot hand over the name of one of its headers, so only its place is known, as to a worker.
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        return Record(topic, partition, offset, max(0, message.timestamp()[1]), None, None, ()), error
