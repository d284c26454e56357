"""Reading what a topic holds now, on a real Kafka: all of it, up to the end as it was, and single records."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_support import count_of, unique

from consumers.bounded import BoundedRead, SingleRecords
from streams.contract.errors import TopicMissing
from streams.contract.kafka_settings import KafkaSettings

MakeTopic = Callable[..., str]


def fill(bootstrap: str, topic: str, count: int, *, partition: int = 0, first_ms: int = 1000) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for number in range(count):
        producer.produce(topic, b"%d" % number, partition=partition, timestamp=first_ms + number)
    assert producer.flush(30) == 0


def test_all_there_is_up_to_the_end_as_it_was_as_often_as_asked(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=3)
    fill(kafka_bootstrap, topic, 5)
    fill(kafka_bootstrap, topic, 3, partition=2)
    with BoundedRead(KafkaSettings(bootstrap=kafka_bootstrap), topic) as read:
        fill(kafka_bootstrap, topic, 4)
        for _ in range(2):
            found = [(record.partition, record.offset) for record in read.records()]
            assert sorted(found) == [(0, n) for n in range(5)] + [(2, n) for n in range(3)]
        assert [record.offset for record in read.records({0: 3, 1: 7, 9: 0})] == [3, 4]


def test_from_a_time_on(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    fill(kafka_bootstrap, topic, 5)
    with BoundedRead(KafkaSettings(bootstrap=kafka_bootstrap), topic, since_ns=1_003_000_000) as read:
        assert [record.offset for record in read.records()] == [3, 4]
    with BoundedRead(KafkaSettings(bootstrap=kafka_bootstrap), topic, since_ns=time.time_ns()) as read:
        assert list(read.records()) == []


def test_a_partition_that_ends_without_a_record_ends(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "transactional.id": unique("transaction")})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, b"kept")
    # Its marker takes the last offset, some milliseconds after the commit is answered.
    producer.commit_transaction()
    give_up = time.monotonic() + 30
    while count_of(kafka_bootstrap, topic) < 2:
        assert time.monotonic() < give_up, "the transaction's marker is not there"
    with BoundedRead(KafkaSettings(bootstrap=kafka_bootstrap), topic) as read:
        assert [record.value for record in read.records()] == [b"kept"]


def test_a_topic_that_does_not_exist(kafka_bootstrap: str) -> None:
    with pytest.raises(TopicMissing, match="framelane topics create"):
        BoundedRead(KafkaSettings(bootstrap=kafka_bootstrap), unique("none"))


def test_single_records_by_their_place(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=2)
    fill(kafka_bootstrap, topic, 5)
    admin, place = AdminClient({"bootstrap.servers": kafka_bootstrap}), TopicPartition(topic, 0, 2)
    admin.delete_records([place])[place].result()
    records = SingleRecords(KafkaSettings(bootstrap=kafka_bootstrap))
    try:
        assert records.partitions(topic) == [0, 1]
        assert records.partitions(unique("none")) == []
        found = [records.get(topic, *at) for at in ((0, 4), (0, 1), (0, 2), (0, 5), (1, 0), (7, 0))]
    finally:
        records.close()
    assert [record and record.value for record in found] == [b"4", None, b"2", None, None, None]
