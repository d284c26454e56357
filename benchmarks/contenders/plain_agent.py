"""A plain Faust agent, as its tutorial shows it: an executor for the work, `send` for the result.

Its settings are made to fit frames, since Faust's defaults stand still most of the time. `concurrency` gives it as many
frames at once as the others have; with it Faust keeps no order and may commit past a frame in flight, and awaits of
`send` only buffer: it promises less than any other contender.
"""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import faust

from benchmarks.contenders.codec import process_of
from benchmarks.job import Job


def build(job: Job) -> Any:
    """The app of one agent."""
    app = faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        stream_buffer_maxsize=4 * job.in_flight,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=job.fetch_bytes,
        producer_linger=job.linger_ms / 1000,
        producer_max_batch_size=job.batch_bytes,
        producer_max_request_size=100_000_000,
    )
    topics: list[Any] = [
        app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        for name in (job.input, job.output)
    ]
    frames, processed = topics
    process, pool = process_of(job), ThreadPoolExecutor(job.threads)

    @app.agent(frames, name="frames", concurrency=job.threads)  # type: ignore[untyped-decorator]
    async def blur(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            data, _ = await asyncio.get_running_loop().run_in_executor(pool, process, message.key, message.value)
            await processed.send(
                key=message.key, value=data, headers=dict(message.headers), timestamp=message.timestamp
            )

    return app


def _end_with_parent() -> None:
    # At once: Faust ends in order, for which it would wait for a broker that may have ended with our parent.
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    app = build(Job.from_json(sys.argv[1]))
    worker = faust.Worker(app, loglevel="WARNING")
    worker.execute_from_commandline()
