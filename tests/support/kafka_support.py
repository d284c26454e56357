"""What tests need of Kafka: unique names, topics, a plain reader, and our commands as a user runs them."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

_TOPIC_WAIT_S = 15.0
_NOT_OURS = ("KAFKA_", "FRAMELANE_")
_KEPT = ("FRAMELANE_TEST_BOOTSTRAP", "FRAMELANE_REQUIRE_ALL")


def unique(hint: str) -> str:
    """A name that nobody else has: for topics, groups and cameras."""
    return f"{hint}-{uuid4().hex[:8]}"


def create_topic(bootstrap: str, name: str, *, partitions: int, config: Mapping[str, str]) -> None:
    """Create a topic, and return when every partition has a leader that answers."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1, config=dict(config))])[name].result(timeout=_TOPIC_WAIT_S)
    consumer = _reader({"bootstrap.servers": bootstrap})
    try:
        give_up = time.monotonic() + _TOPIC_WAIT_S
        for partition in range(partitions):
            while not _answers(consumer, TopicPartition(name, partition)):
                assert time.monotonic() < give_up, f"topic {name} has no leader for partition {partition}"
    finally:
        consumer.close()


def drain(
    bootstrap: str,
    topic: str,
    *,
    count: int | None = None,
    until: Callable[[list[Message]], bool] | None = None,
    timeout_s: float = 30.0,
) -> list[Message]:
    """Read every partition of a topic on a Kafka that needs no login; see `drain_with`."""
    return drain_with({"bootstrap.servers": bootstrap}, topic, count=count, until=until, timeout_s=timeout_s)


def count_of(bootstrap: str, topic: str) -> int:
    """How many records a topic has."""
    consumer = _reader({"bootstrap.servers": bootstrap})
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        bounds = [_bounds_of(consumer, TopicPartition(topic, each), timeout_s=30) for each in partitions]
        return sum(end - start for start, end in bounds)
    finally:
        consumer.close()


def _bounds_of(consumer: Consumer, place: TopicPartition, *, timeout_s: float) -> tuple[int, int]:
    """Where a partition begins and ends, as soon as its leader answers.

    A broker that comes back tells who leads a partition before it knows of itself that it does.
    """
    give_up = time.monotonic() + timeout_s
    while True:
        try:
            start, end = consumer.get_watermark_offsets(place, timeout=timeout_s)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION or time.monotonic() > give_up:
                raise
            time.sleep(0.1)
        else:
            return start, end


def drain_with(
    client: Mapping[str, Any],
    topic: str,
    *,
    count: int | None = None,
    until: Callable[[list[Message]], bool] | None = None,
    timeout_s: float = 30.0,
) -> list[Message]:
    """Read every partition from its beginning, without a group. client: librdkafka's settings.

    count: stop when so many records are read. until: stop when it says so of all that is read, asked after each batch.
    Neither: read what is there now, up to the end of each partition as it is at the start.
    Fails the test when that is not reached in time. The order is kept within a partition.
    """
    consumer = _reader(client)
    try:
        partitions = consumer.list_topics(topic, timeout=timeout_s).topics[topic].partitions
        places = [TopicPartition(topic, partition, 0) for partition in partitions]
        wanted = 0
        for place in places:
            place.offset, end = _bounds_of(consumer, place, timeout_s=timeout_s)
            wanted += end - place.offset
        consumer.assign(places)
        reached = until or (lambda messages: len(messages) >= (wanted if count is None else count))
        return _read_until(consumer, reached, topic=topic, timeout_s=timeout_s)
    finally:
        consumer.close()


def cli_environ(**more: str) -> dict[str, str]:
    """The environment for our commands: this one without what would set Kafka's address or Framelane's settings."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(_NOT_OURS)}
    return kept | {"PYTHONUNBUFFERED": "1", "COLUMNS": "120", "NO_COLOR": "1"} | more


def run_cli(
    arguments: Sequence[str], *, timeout_s: float = 60.0, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run `framelane ARGUMENTS` to its end, as a user does; output as text, and no check of the exit code."""
    return subprocess.run(
        [sys.executable, "-m", "framelane", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
        env=cli_environ(**(environ or {})),
        check=False,
    )


def start_cli(arguments: Sequence[str], *, environ: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start `framelane ARGUMENTS`, stdout and stderr as pipes; use as a context manager, and end it by its pid."""
    return subprocess.Popen(
        [sys.executable, "-m", "framelane", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=cli_environ(**(environ or {})),
    )


def read_lines(process: "subprocess.Popen[bytes]", count: int, *, timeout_s: float = 30.0) -> list[str]:
    """The next lines of a process's stdout; fails the test when so many do not come in time.

    Reads the pipe byte by byte and never more than the lines asked for, so that it can be called again.
    """
    assert process.stdout is not None
    lines: list[str] = []
    give_up = time.monotonic() + timeout_s
    current = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(lines) < count:
            left = give_up - time.monotonic()
            assert left > 0 and selector.select(left), f"{len(lines)} of {count} lines after {timeout_s} s: {lines}"
            byte = os.read(process.stdout.fileno(), 1)
            assert byte, f"stdout ended after {len(lines)} of {count} lines: {lines}"
            if byte == b"\n":
                lines.append(current.decode())
                current.clear()
            else:
                current += byte
    return lines


def _reader(client: Mapping[str, Any]) -> Consumer:
    own = {"group.id": unique("reader"), "enable.auto.commit": False, "auto.offset.reset": "error"}
    return Consumer({**client, **own})


def _answers(consumer: Consumer, place: TopicPartition) -> bool:
    try:
        return consumer.get_watermark_offsets(place, timeout=0.5) is not None
    except KafkaException:
        return False


def _read_until(
    consumer: Consumer, reached: Callable[[list[Message]], bool], *, topic: str, timeout_s: float
) -> list[Message]:
    messages: list[Message] = []
    give_up = time.monotonic() + timeout_s
    while not reached(messages):
        left = give_up - time.monotonic()
        assert left > 0, f"only {len(messages)} records on {topic} after {timeout_s} s"
        for message in consumer.consume(500, timeout=min(left, 0.25)):
            error = message.error()
            assert error is None, f"{topic}: {error}"
            messages.append(message)
    return messages
