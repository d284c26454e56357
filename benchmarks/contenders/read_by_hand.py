"""The hand-written subscriber: a confluent-kafka loop in a group, acknowledged by message. It drops no repeats."""

import sys
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaException

from benchmarks.contenders.timed_reading import time_reading
from benchmarks.job import Job
from framelane.parent import end_with_parent


def read(job: Job) -> Iterator[bytes]:
    """The values of a topic, as the group gets them."""
    group = {"group.id": job.group, "auto.offset.reset": "earliest", "enable.auto.offset.store": False}
    # Fetching is tuned as subscribe() has it.
    fetch = {"fetch.message.max.bytes": job.fetch_bytes, "fetch.max.bytes": 4 * job.fetch_bytes}
    fetch |= {"queued.max.messages.kbytes": 65536}
    consumer = Consumer({"bootstrap.servers": job.bootstrap, **group, **fetch, "fetch.queue.backoff.ms": 20})
    consumer.subscribe([job.input])
    while True:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        message.key(), message.headers()
        yield message.value() or b""
        consumer.store_offsets(message)


if __name__ == "__main__":
    end_with_parent()
    job = Job.from_json(sys.argv[1])
    time_reading(read(job), job.frames)
