"""Three nodes, of which one may die."""

import threading
import time
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from kafka_support import drain

from framelane.admin import create_topics
from framelane.embedded import EmbeddedKafka
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import TopicSpec


def test_a_cluster_of_three_goes_on_without_one_and_takes_it_back() -> None:
    with EmbeddedKafka(nodes=3) as kafka:
        report = create_topics(KafkaSettings(bootstrap=kafka.bootstrap), [TopicSpec(name="raw", partitions=3)])[0]
        assert report.state.replicas == 3
        assert report.state.config["min.insync.replicas"] == "2"
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all", "partitioner": "murmur2_random"})
        for i in range(30):
            producer.produce("raw", key=f"camera-{i}", value=str(i))
        assert producer.flush(30) == 0

        kafka.nodes[0].kill()
        assert not kafka.nodes[0].running
        for i in range(30, 60):
            producer.produce("raw", key=f"camera-{i}", value=str(i))
        assert producer.flush(60) == 0, "two of three are enough to write"
        values = sorted(int(message.value() or b"") for message in drain(kafka.bootstrap, "raw", timeout_s=60))
        assert values == list(range(60)), "and to read"

        kafka.nodes[0].start()
        # The node answers before the controller has told it of all three, itself among them.
        admin, give_up = AdminClient({"bootstrap.servers": kafka.nodes[0].bootstrap}), time.monotonic() + 30
        while (known := len(admin.list_topics(timeout=10).brokers)) < 3 and time.monotonic() < give_up:
            time.sleep(0.1)
        assert known == 3


def test_it_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    kafka = EmbeddedKafka(data=tmp_path)
    thread = threading.Thread(target=kafka.start)
    thread.start()
    thread.join()
    try:
        assert AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=10).brokers
        assert kafka.nodes[0].running
    finally:
        kafka.stop()
    kafka.stop()
