"""What the broker itself says of a group's partitions, asked by a plain client.

Faust's consumer cannot testify: its not fetching is what is to be found out. The client joins no group and commits
nothing. Its calls may block for their time limits, and in old versions longer: they belong into a thread of their own.
"""

from collections.abc import Sequence
from functools import cached_property

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from streams.contract.client_log import ClientLog
from streams.contract.errors import BrokerUnavailable
from streams.contract.kafka_settings import KafkaSettings
from streams.lanes import Partition
from streams.stall import Standing

ASK_S = 5.0
READ_S = 10.0


class Evidence:
    """Asks the broker; BrokerUnavailable when it does not answer, or not all that was asked."""

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        self._kafka, self._group = kafka, group

    @cached_property
    def _client(self) -> Consumer:
        # Made when it is first needed: a worker that is always busy needs none.
        own: dict[str, str | int | bool] = {
            "group.id": self._group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # The worker's consumer reads so: what it can read is what must count here.
            "isolation.level": "read_uncommitted",
            "auto.offset.reset": "error",
            "allow.auto.create.topics": False,
            # One record is enough.
            "queued.min.messages": 1,
            "reconnect.backoff.max.ms": 1000,
        }
        return Consumer({**self._kafka.for_confluent(**own), "logger": ClientLog(quiet=True)})

    def partitions(self, topic: str) -> list[Partition]:
        """All partitions of a topic; none while it is away."""
        try:
            found = self._client.list_topics(topic, timeout=ASK_S).topics[topic]
        except KafkaException as error:
            raise _no_answer(error) from error
        return [] if found.error else [Partition(topic, number) for number in sorted(found.partitions)]

    def standings(self, partitions: Sequence[Partition]) -> dict[Partition, Standing]:
        """Where the group stands in each partition: what it has committed, or else the oldest frame."""
        if not partitions:
            return {}
        try:
            committed = self._client.committed([TopicPartition(*each) for each in partitions], timeout=ASK_S)
            return {partition: self._standing(place) for partition, place in zip(partitions, committed, strict=True)}
        except KafkaException as error:
            raise _no_answer(error) from error

    def hands_out(self, partition: Partition, standing: Standing) -> bool:
        """Whether the broker hands out a frame of what waits there.

        It may have none: what lies there can be a transaction's marker, which is no record but has an offset.
        """
        try:
            self._client.assign([TopicPartition(partition.topic, partition.partition, standing.position)])
            message = self._client.poll(READ_S)
            self._client.unassign()
        except KafkaException as error:
            raise _no_answer(error) from error
        return message is not None and message.error() is None

    def _standing(self, place: TopicPartition) -> Standing:
        if place.error:
            raise KafkaException(place.error)
        marks = self._client.get_watermark_offsets(place, timeout=ASK_S, cached=False)
        if marks is None:
            raise BrokerUnavailable(f"the broker does not say where {place.topic}/{place.partition} ends")
        low, high = marks
        # What is older than the oldest frame is gone; a group that has committed nothing begins there, too.
        return Standing(low if place.offset == OFFSET_INVALID else max(low, place.offset), high)


def _no_answer(error: KafkaException) -> BrokerUnavailable:
    return BrokerUnavailable(f"the broker does not answer: {error.args[0].str()}")
