"""Quix Streams: bytes in, bytes out. It runs in an environment of its own, for it wants an older confluent-kafka.

It processes one frame after the other and has no threads of its own. Its user may let OpenCV use threads within a
frame, or start several processes that share the group, which is how it is scaled.
"""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import cv2
from quixstreams import Application

from benchmarks.contenders.codec import process_of
from benchmarks.job import Job
from framelane.parent import child_environ, end_with_parent


def build(job: Job) -> Any:
    """The application of one process."""
    app = Application(
        broker_address=job.bootstrap,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        commit_interval=0.5,
        auto_create_topics=False,
        use_changelog_topics=False,
        loglevel="WARNING",
        consumer_extra_config={"max.partition.fetch.bytes": job.fetch_bytes, "queued.max.messages.kbytes": 65536},
        producer_extra_config={
            "linger.ms": job.linger_ms,
            "batch.size": job.batch_bytes,
            "partitioner": "murmur2_random",
            "message.max.bytes": 100_000_000,
        },
    )
    process = process_of(job)
    raw: dict[str, Any] = {"key_serializer": "bytes", "value_serializer": "bytes"}
    frames = app.topic(job.input, key_deserializer="bytes", value_deserializer="bytes")
    stream = app.dataframe(frames)
    stream = stream.apply(lambda value, key, _timestamp, _headers: process(key, value)[0], metadata=True)
    stream.to_topic(app.topic(job.output, **raw))
    return app


def run(job: Job) -> None:
    """Process frames until the process is ended; the first process starts the others, and they end with it."""
    cv2.setNumThreads(job.opencv_threads)
    more = [sys.executable, "-m", __spec__.name, replace(job, processes=1).to_json()]
    for _ in range(job.processes - 1):
        subprocess.Popen(more, env=child_environ(os.environ))
    build(job).run()


if __name__ == "__main__":
    end_with_parent()
    run(Job.from_json(sys.argv[1]))
