"""Reading topics: whole ones, and how much there is in them without reading it."""

import time
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec

from framelane.admin_client import AdminConnection
from streams.contract.client_log import ClientLog
from streams.contract.errors import KafkaError
from streams.contract.kafka_settings import KafkaSettings

_READ_S = 60.0


def open_reader(bootstrap: str) -> Consumer:
    """A client that joins no group and commits nothing; it is to be assigned what it reads."""
    group = {"group.id": f"bench-{uuid4().hex}", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    return Consumer({"bootstrap.servers": bootstrap, **group, "logger": ClientLog(quiet=True)})


def read_topic(bootstrap: str, topic: str, *, count: int) -> list[Message]:
    """The first `count` records of a topic, a partition's in their order; KafkaError when they do not come."""
    consumer = open_reader(bootstrap)
    messages: list[Message] = []
    give_up = time.monotonic() + _READ_S
    try:
        partitions = consumer.list_topics(topic, timeout=_READ_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        while len(messages) < count:
            for message in consumer.consume(min(200, count - len(messages)), timeout=0.5):
                error = message.error()
                if error is not None:
                    raise KafkaError(f"topic {topic}: cannot be read: {error.str()}")
                messages.append(message)
            if time.monotonic() > give_up:
                raise KafkaError(f"topic {topic}: {len(messages)} of {count} records after {_READ_S:g} s")
    finally:
        consumer.close()
    return messages


def headers_of(message: Message) -> dict[str, str]:
    """A record's headers as text."""
    # confluent-kafka's types allow a mapping and text, too; what is read is a list of names and bytes.
    headers: Any = message.headers() or ()
    return {name: (value or b"").decode() for name, value in headers}


class EndOffsets:
    """How many records a topic has, asked of the broker in one request: cheap beside reading them."""

    def __init__(self, bootstrap: str, topic: str, *, partitions: int) -> None:
        self._admin = AdminConnection(KafkaSettings(bootstrap=bootstrap)).client
        self._asked = {
            TopicPartition(topic, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for partition in range(partitions)
        }
        # The first answer about a new topic may take seconds, in which whoever is timed would run on.
        self.count()

    def count(self) -> int:
        """Records since the topic was made."""
        answers = self._admin.list_offsets(self._asked, request_timeout=30.0)
        return sum(answer.result().offset for answer in answers.values())
