"""Reading short stretches of a topic, wherever they lie. It joins no group and commits nothing."""

import secrets
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.failures import permanent
from consumers.lookup.places import Offsets, Stretch
from consumers.plain_consumer import seeking_consumer
from consumers.settings import SubscriptionSettings
from framelane.admin_client import AdminConnection
from framelane.topic_offsets import topic_offsets
from streams.contract.errors import BrokerUnavailable, KafkaError, TopicMissing
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import MIB, create_command

FETCH_BYTES = 8 * MIB
# Brokers answer with 55 MiB at most, unless told otherwise.
_WIDER = 6
_MOST_RECORDS = 50_000
_TIMEOUT_S = 10.0
# Ctrl-C is heard between calls of the client only.
_SLICE_S = 0.1


class PlaceReader:
    """One topic, read here and there; close it, or use it with `with`.

    asked: how many questions the broker has been asked so far: for offsets, and for records from a place on.
    Its calls raise BrokerUnavailable when no answer comes in ten seconds, KafkaError for what waiting does not mend.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, *, fetch_bytes: int = FETCH_BYTES) -> None:
        """fetch_bytes: about how much one fetch gives; at least one batch of records comes, however large."""
        self.topic = topic
        self.asked = 0
        self._settings = SubscriptionSettings(kafka=kafka, topic=topic)
        self._fetch_bytes = fetch_bytes
        self._consumer = _consumer(kafka, fetch_bytes)
        self._wide: Consumer | None = None

    def offsets(self) -> dict[int, Offsets]:
        """Each partition's oldest offset and its end; without those that have no leader. Raises TopicMissing."""
        self.asked += 1
        kafka = self._settings.kafka
        found = topic_offsets(AdminConnection(kafka), [self.topic]).get(self.topic)
        if found is None:
            create = create_command([self.topic], reach=kafka.reach)
            raise TopicMissing(f"no topic {self.topic} on {kafka.bootstrap}, or no right to it; make it: {create}")
        return {partition: offsets for partition, offsets in found.items() if offsets.end >= 0}

    def offsets_at(self, ends: Mapping[int, Offsets], at_ms: int) -> dict[int, int]:
        """The first offset of that time (ms since 1970) or later in each of the partitions; its end where none is."""
        self.asked += 1
        asked = [TopicPartition(self.topic, partition, max(0, at_ms)) for partition in ends]
        try:
            found = self._consumer.offsets_for_times(asked, timeout=_TIMEOUT_S)
        except KafkaException as error:
            raise self._failed(error.args[0], "the offsets of a time") from error
        for each in found:
            if each.error is not None:
                raise self._failed(each.error, f"partition {each.partition}")
        return {each.partition: each.offset if each.offset >= 0 else ends[each.partition].end for each in found}

    def fetch(self, partition: int, start: int, end: int, *, wide: bool = False) -> Stretch:
        """What one fetch gives from the offset `start` on, and no further than `end`. wide: one six times as large."""
        self.asked += 1
        if wide and self._wide is None:
            self._wide = _consumer(self._settings.kafka, _WIDER * self._fetch_bytes)
        consumer = self._wide if wide and self._wide else self._consumer
        messages: list[Message] = []
        next_offset = end
        for message in self._read(consumer, partition, start, end):
            # The rest of the answer lies in the client's queue already.
            rest = consumer.consume(_MOST_RECORDS, timeout=0)
            came = [message, *(each for each in rest if each.error() is None and each.partition() == partition)]
            messages = [each for each in came if start <= (each.offset() or 0) < end]
            next_offset = min(end, (came[-1].offset() or 0) + 1)
            break
        return Stretch(messages, next_offset)

    def span(self, partition: int, start: int, end: int) -> Iterator[Message]:
        """All records from the offset `start` up to, but without, `end`, in order."""
        self.asked += 1
        return self._read(self._consumer, partition, start, end)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
        if self._wide is not None:
            self._wide.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, consumer: Consumer, partition: int, start: int, end: int) -> Iterator[Message]:
        if start >= end:
            return
        where = f"{self.topic}/{partition}/{start}"
        try:
            consumer.assign([TopicPartition(self.topic, partition, start)])
            give_up = time.monotonic() + _TIMEOUT_S
            while time.monotonic() < give_up:
                message = consumer.poll(_SLICE_S)
                if message is None:
                    continue
                if (error := message.error()) is not None:
                    if error.code() == ClientError._PARTITION_EOF and message.partition() == partition:
                        return
                    if found := permanent(error, self._settings):
                        raise found
                    continue
                offset = message.offset() or 0
                if message.partition() != partition or offset < start:
                    continue
                if offset < end:
                    yield message
                if offset >= end - 1:
                    return
                give_up = time.monotonic() + _TIMEOUT_S
        except KafkaException as error:
            raise self._failed(error.args[0], where) from error
        finally:
            consumer.unassign()
        raise BrokerUnavailable(
            f"{where}: nothing came from {self._settings.kafka.bootstrap} in {_TIMEOUT_S:g} s; see `framelane doctor`"
        )

    def _failed(self, error: ClientError, what: str) -> KafkaError:
        where = self._settings.kafka.bootstrap
        return permanent(error, self._settings) or BrokerUnavailable(
            f"the broker at {where} does not tell {what} of topic {self.topic}: {error.str()}"
        )


def _consumer(kafka: KafkaSettings, fetch_bytes: int) -> Consumer:
    group = f"framelane.watch-{secrets.token_hex(4)}"
    return seeking_consumer(kafka, group, fetch_bytes=fetch_bytes, fetch_max_bytes=max(fetch_bytes, 50 * MIB))
