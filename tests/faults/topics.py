"""The topics of a run, on however many nodes there are; and how far the topics of a whole broker reach."""

import time

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_support import unique
from worker_support import Topics

_WAIT_S = 30.0
# Kept whatever happens.
_KEPT = {"retention.ms": "-1", "compression.type": "producer"}
# Outputs carry the broker's own time, by which silences are measured.
_BY_BROKER = {**_KEPT, "message.timestamp.type": "LogAppendTime"}


def make_topics(bootstrap: str, *, partitions: int) -> Topics:
    """Make topics of this run's own, and return when each partition has a leader that answers."""
    topics = Topics(*(unique(hint) for hint in ("raw", "processed", "events", "dead")))
    make_topic(bootstrap, topics.raw, partitions=partitions)
    make_topic(bootstrap, topics.events, partitions=partitions)
    make_topic(bootstrap, topics.processed, partitions=partitions, answers=True)
    make_topic(bootstrap, topics.dead_letter, partitions=partitions, answers=True)
    return topics


def make_topic(bootstrap: str, name: str, *, partitions: int, answers: bool = False) -> None:
    """Make one, with as many replicas as the cluster gives by itself. answers: it is for outputs or dead letters."""
    config = _BY_BROKER if answers else _KEPT
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    admin.create_topics([NewTopic(name, partitions, config=config)])[name].result(timeout=_WAIT_S)
    consumer, give_up = _consumer(bootstrap), time.monotonic() + _WAIT_S
    try:
        for partition in range(partitions):
            while not _answers(consumer, TopicPartition(name, partition)):
                assert time.monotonic() < give_up, f"topic {name} has no leader for partition {partition}"
    finally:
        consumer.close()


def ends(bootstrap: str) -> dict[str, int]:
    """How many records each topic of the broker has had, its own topics left out."""
    consumer = _consumer(bootstrap)
    try:
        topics = consumer.list_topics(timeout=_WAIT_S).topics
        return {
            name: sum(
                consumer.get_watermark_offsets(TopicPartition(name, n), timeout=_WAIT_S)[1] for n in each.partitions
            )
            for name, each in topics.items()
            if not name.startswith("__")
        }
    finally:
        consumer.close()


def _consumer(bootstrap: str) -> Consumer:
    return Consumer({"bootstrap.servers": bootstrap, "group.id": unique("reader"), "log_level": 0})


def _answers(consumer: Consumer, place: TopicPartition) -> bool:
    try:
        return consumer.get_watermark_offsets(place, timeout=0.5) is not None
    except KafkaException:
        return False
