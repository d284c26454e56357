"""The in-process limit: the same codec calls in a pool of as many threads, and no Kafka while it is timed.

It reads the input topic into memory first. Each frame that is done adds one byte to a file, whose size so tells the
progress, and every SAMPLE_EVERY-th output of a partition is kept, to be compared.
"""

import os
import sys
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
from confluent_kafka import Message

from benchmarks.contenders.codec import process_of
from benchmarks.job import PROGRESS, SAMPLE_EVERY, Job
from benchmarks.reading import read_topic
from framelane.parent import end_with_parent


def run(job: Job) -> None:
    """Process every frame of the input topic once."""
    process, folder = process_of(job), Path(job.folder)
    messages = read_topic(job.bootstrap, job.input, count=job.frames)
    progress = os.open(folder / PROGRESS, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def work(message: Message) -> None:
        key, value, offset = message.key(), message.value(), message.offset()
        assert key is not None and value is not None and offset is not None
        data, _ = process(key, value)
        if offset % SAMPLE_EVERY == 0:
            (folder / f"{message.partition()}-{offset}").write_bytes(data)
        os.write(progress, b".")

    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(job.threads) as pool:
        for message in messages:
            waiting.append(pool.submit(work, message))
            if len(waiting) >= job.in_flight:
                waiting.popleft().result()
        for future in waiting:
            future.result()
    os.close(progress)
    # Whoever measures ends it, once its processor time has been read.
    threading.Event().wait()


if __name__ == "__main__":
    end_with_parent()
    cv2.setNumThreads(1)
    run(Job.from_json(sys.argv[1]))
