"""The hand-written loop: confluent-kafka and a thread pool, as well as it can be done in some sixty lines.

Frames leave in the order in which they were fetched, each on its partition, and a position is stored once the broker
has the outputs up to it. An idempotent producer reports a partition's deliveries in order, so what is stored is always
the contiguous prefix. Nothing else that a worker needs is here: a bad or hanging frame ends it.
"""

import queue
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from benchmarks.contenders.codec import process_of
from benchmarks.job import Job
from framelane.parent import end_with_parent


def run(job: Job) -> None:
    """Process frames until the process is ended."""
    process, client = process_of(job), {"bootstrap.servers": job.bootstrap}
    fetch = {"max.partition.fetch.bytes": job.fetch_bytes, "fetch.message.max.bytes": job.fetch_bytes}
    group = {"group.id": job.group, "auto.offset.reset": "earliest", "enable.auto.offset.store": False}
    consumer = Consumer(
        {**client, **group, **fetch, "auto.commit.interval.ms": 500, "queued.max.messages.kbytes": 65536}
    )
    own = {"enable.idempotence": True, "linger.ms": job.linger_ms, "batch.size": job.batch_bytes}
    producer = Producer({**client, **own, "partitioner": "murmur2_random", "message.max.bytes": 100_000_000})
    # One pool, or, where a camera's frames must be seen in order, a thread for each share of the partitions.
    shares = job.threads if job.work == "motion" else 1
    pools = [ThreadPoolExecutor(job.threads // shares) for _ in range(shares)]
    # The last message of each partition whose output the broker has. The consumer's own thread stores them: a call from
    # another one waits until its poll is over.
    settled: dict[int, Message] = {}
    ahead: queue.Queue[tuple[Message, Future[tuple[bytes, list[bytes]]]]] = queue.Queue(job.in_flight)

    def publish() -> None:
        while True:
            producer.poll(0)
            try:
                message, future = ahead.get(timeout=0.05)
            except queue.Empty:
                continue
            data, events = future.result()

            def delivered(error: KafkaError | None, _: Message, message: Message = message) -> None:
                if error is not None:
                    raise KafkaException(error)
                settled[message.partition() or 0] = message

            for event in events:
                producer.produce(job.events, event, message.key())
            partition, headers, (_, at_ms) = message.partition() or 0, message.headers(), message.timestamp()
            producer.produce(job.output, data, message.key(), partition, delivered, timestamp=at_ms, headers=headers)

    publisher = threading.Thread(target=publish, daemon=True)
    publisher.start()
    consumer.subscribe([job.input])
    while publisher.is_alive():
        message = consumer.poll(0.1)
        while settled:
            consumer.store_offsets(settled.popitem()[1])
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        key, value = message.key(), message.value()
        assert key is not None and value is not None
        ahead.put((message, pools[(message.partition() or 0) % shares].submit(process, key, value)))
    sys.exit("the publishing thread has ended")


if __name__ == "__main__":
    end_with_parent()
    cv2.setNumThreads(1)
    run(Job.from_json(sys.argv[1]))
