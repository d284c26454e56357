"""What the watchdog learns of a group from the broker itself."""

from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from kafka_support import unique

from streams.contract.errors import BrokerUnavailable
from streams.contract.kafka_settings import KafkaSettings
from streams.evidence import Evidence
from streams.lanes import Partition
from streams.stall import Standing


def produce(bootstrap: str, topic: str, count: int, *, transactional: bool = False) -> None:
    own = {"transactional.id": unique("transaction")} if transactional else {}
    producer = Producer({"bootstrap.servers": bootstrap, **own})
    if transactional:
        producer.init_transactions(30)
        producer.begin_transaction()
    for _ in range(count):
        producer.produce(topic, value=b"frame", partition=0)
    if transactional:
        producer.commit_transaction(30)
    assert producer.flush(30) == 0


def commit(bootstrap: str, group: str, topic: str, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def test_a_group_stands_where_it_has_committed_or_else_at_the_oldest_frame(
    kafka_bootstrap: str, make_topic: Callable[..., str]
) -> None:
    topic, group = make_topic(partitions=2), unique("group")
    evidence = Evidence(KafkaSettings(bootstrap=kafka_bootstrap), group)
    produce(kafka_bootstrap, topic, 5)
    first, second = evidence.partitions(topic)
    assert (first, second) == (Partition(topic, 0), Partition(topic, 1))
    assert evidence.standings([first, second]) == {first: Standing(0, 5), second: Standing(0, 0)}
    commit(kafka_bootstrap, group, topic, 3)
    assert evidence.standings([first]) == {first: Standing(3, 5)}
    assert evidence.hands_out(first, Standing(3, 5))


def test_the_marker_of_a_transaction_is_no_frame_that_waits(
    kafka_bootstrap: str, make_topic: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.evidence.READ_S", 2.0)
    topic, group = make_topic(partitions=1), unique("group")
    evidence, partition = Evidence(KafkaSettings(bootstrap=kafka_bootstrap), group), Partition(topic, 0)
    produce(kafka_bootstrap, topic, 2, transactional=True)
    commit(kafka_bootstrap, group, topic, 2)
    standing = evidence.standings([partition])[partition]
    assert standing.behind == 1
    assert not evidence.hands_out(partition, standing)


def test_a_broker_that_does_not_answer_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.evidence.ASK_S", 0.5)
    evidence = Evidence(KafkaSettings(bootstrap="127.0.0.1:1"), "group")
    with pytest.raises(BrokerUnavailable):
        evidence.partitions("raw")
    with pytest.raises(BrokerUnavailable):
        evidence.standings([Partition("raw", 0)])


def test_a_topic_that_is_away_has_no_partitions(kafka_bootstrap: str) -> None:
    assert Evidence(KafkaSettings(bootstrap=kafka_bootstrap), "group").partitions(unique("none")) == []
