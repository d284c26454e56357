"""Frames and records for the tests of consumers."""

from collections.abc import Iterable

import numpy as np
from confluent_kafka import Producer

from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.identity import pipeline_source
from streams.contract.images import encode


def picture(sequence: int = 0, *, width: int = 64, height: int = 48, content_type: str = "image/jpeg") -> bytes:
    """A small picture whose gray level tells its sequence."""
    return encode(np.full((height, width, 3), 10 * sequence % 250, np.uint8), content_type, quality=90)


def frame_of(
    camera_id: str = "gate-1",
    sequence: int = 0,
    *,
    epoch: str = "20260509T073000000-ab12",
    captured_at_ns: int = 1_778_312_000_000_000_000,
    pipeline: str = "demo",
    width: int = 64,
    height: int = 48,
    data: bytes | None = None,
    media_time_ns: int | None = None,
) -> Frame:
    """A frame that a pipeline has published; pipeline "": one of the camera itself."""
    return Frame(
        camera_id=camera_id,
        epoch=epoch,
        sequence=sequence,
        captured_at_ns=captured_at_ns,
        width=width,
        height=height,
        data=picture(sequence, width=width, height=height) if data is None else data,
        source=pipeline_source(pipeline) if pipeline else "",
        pipeline=f"{pipeline}@1f3a" if pipeline else "",
        input=f"frames.raw/0/{sequence}" if pipeline else "",
        media_time_ns=media_time_ns,
    )


def publish(bootstrap: str, topic: str, frames: Iterable[Frame], *, timestamp_ms: int = 0) -> None:
    """Publish frames by the contract with a plain client, and wait until the broker has them. timestamp_ms 0: now."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 0})
    for frame in frames:
        producer.produce(topic, frame.data, frame.camera_id, headers=to_headers(frame), timestamp=timestamp_ms)
    _confirm(producer)


def publish_bare(bootstrap: str, topic: str, values: Iterable[bytes | None], *, key: str | bytes | None) -> None:
    """Publish values as they are, without headers."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 0})
    for value in values:
        producer.produce(topic, value, key)
    _confirm(producer)


def _confirm(producer: Producer) -> None:
    assert producer.flush(20) == 0, "the broker has not confirmed every record"
