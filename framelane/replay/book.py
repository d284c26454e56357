"""What is known of a run: the broker keeps it, with the group's positions, so that every process reads the same."""

from collections.abc import Collection
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.failures import permanent
from consumers.offsets import bounds_of, offsets_at, partitions_of
from consumers.plain_consumer import plain_consumer
from consumers.settings import SubscriptionSettings
from framelane.replay.places import Place, Terms, read_place
from framelane.replay.settings import Replay
from streams.contract.client_log import ClientLog
from streams.contract.errors import BrokerUnavailable, KafkaError
from streams.contract.kafka_settings import KafkaSettings

_ASK_S = 10.0


class RunBook:
    """Reads the places of a run, and writes the first ones; a context manager. It joins no group.

    Raises BrokerUnavailable where no answer comes, KafkaError for what waiting does not mend.
    """

    def __init__(self, kafka: KafkaSettings, replay: Replay) -> None:
        self._kafka, self._replay, self._topic = kafka, replay, replay.pipeline.input
        self._settings = SubscriptionSettings(kafka=kafka, topic=self._topic, group=replay.group)
        # Else it would wait for transactions that are under way.
        own = {"isolation_level": "read_uncommitted"}
        self._consumer: Consumer = plain_consumer(kafka, replay.group, log=ClientLog(quiet=True), **own)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._consumer.close()

    def partitions(self) -> list[int]:
        """Those of the input topic. Raises TopicMissing."""
        try:
            return partitions_of(self._consumer, self._settings, timeout_s=_ASK_S)
        except KafkaException as error:
            raise self._failed(error.args[0], f"the partitions of topic {self._topic}") from error

    def places(self, partitions: Collection[int]) -> dict[int, Place]:
        """Where the run stands, without the partitions of which it knows nothing."""
        asked = [TopicPartition(self._topic, partition) for partition in partitions]
        try:
            answers = self._consumer.committed(asked, timeout=_ASK_S) if asked else []
        except KafkaException as error:
            raise self._failed(error.args[0], f"how far group {self._replay.group} is") from error
        for each in answers:
            if each.error is not None:
                raise self._failed(each.error, f"how far group {self._replay.group} is")
        found = {each.partition: read_place(each.offset, each.metadata) for each in answers}
        return {partition: place for partition, place in found.items() if place is not None}

    def begin(self, partitions: Collection[int], terms: Terms) -> None:
        """Write where each partition begins and ends; somebody who has begun the same run meanwhile goes before us."""
        try:
            places = [self._first(partition, terms) for partition in partitions]
            for answer in self._consumer.commit(offsets=places, asynchronous=False) or ():
                if answer.error is not None:
                    raise KafkaException(answer.error)  # noqa: TRY301 - as the call itself raises what is wrong with all
        except KafkaException as error:
            # Its members share the partitions already, so its places are written.
            if error.args[0].code() not in (ClientError.UNKNOWN_MEMBER_ID, ClientError.ILLEGAL_GENERATION):
                raise self._failed(error.args[0], "where the stretch begins") from error

    def _first(self, partition: int, terms: Terms) -> TopicPartition:
        low, high = bounds_of(self._consumer, self._topic, partition, timeout_s=_ASK_S)
        start = self._at(partition, terms.since_ns, otherwise=high)
        end = self._at(partition, terms.until_ns, otherwise=high)
        place = Place(terms=terms, start=max(start, low), end=max(end, start, low))
        return TopicPartition(self._topic, partition, place.start, metadata=place.note())

    def _at(self, partition: int, at_ns: int, *, otherwise: int) -> int:
        at_ms = -(-at_ns // 1_000_000)
        found = offsets_at(self._consumer, self._topic, [partition], at_ms=at_ms, timeout_s=_ASK_S)
        return min(found.get(partition, otherwise), otherwise)

    def _failed(self, error: ClientError, what: str) -> KafkaError:
        where = self._kafka.bootstrap
        return permanent(error, self._settings) or BrokerUnavailable(
            f"the broker at {where} does not tell {what}: {error.str()}"
        )
