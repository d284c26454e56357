"""The fixtures and helpers that other integration tests stand on."""

from collections.abc import Callable

import pytest
from confluent_kafka import Producer
from kafka_support import drain, read_lines, run_cli, start_cli


def test_a_topic_of_ones_own_takes_records_and_drain_reads_them_all(
    kafka_bootstrap: str, make_topic: Callable[..., str]
) -> None:
    topic = make_topic("raw", partitions=3)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    for i in range(30):
        producer.produce(topic, key=f"camera-{i % 3}", value=str(i))
    assert producer.flush(10) == 0

    assert sorted(int(message.value() or b"") for message in drain(kafka_bootstrap, topic)) == list(range(30))
    assert len(drain(kafka_bootstrap, topic, count=10)) >= 10
    assert drain(kafka_bootstrap, topic, until=lambda messages: any(m.value() == b"29" for m in messages))


def test_drain_fails_when_the_records_do_not_come(kafka_bootstrap: str, make_topic: Callable[..., str]) -> None:
    with pytest.raises(AssertionError, match="only 0 records"):
        drain(kafka_bootstrap, make_topic(), count=1, timeout_s=0.5)


def test_commands_run_as_a_user_runs_them() -> None:
    assert run_cli(["--help"]).returncode == 0
    with start_cli(["--help"]) as process:
        assert "framelane" in " ".join(read_lines(process, 2))
        process.communicate()
