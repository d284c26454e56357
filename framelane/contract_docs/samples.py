"""Records as the contract's code writes them: examples, which also tell what headers are always there.

All values are fixed, so that the documents are the same whenever they are made.
"""

from collections.abc import Sequence

import numpy as np

from streams.contract.dead_letters import DeadLetter, dead_letter
from streams.contract.errors import FrameError
from streams.contract.event_types import MotionFound
from streams.contract.events import encode_event
from streams.contract.frame import Box, Event, Frame, Headers
from streams.contract.headers import HOPS, Record, to_headers
from streams.contract.redrive import mark_headers, redriven_headers
from streams.contract.status import CameraSums, Status, encode_status
from streams.contract.topics import RAW

CAPTURED_AT_NS = 1_767_323_045_678_900_000  # 2026-01-02T03:04:05.6789Z
PIPELINE = "privacy@1f3a90c2"
PLACE = f"{RAW}/3/90211"
_MS = 1_000_000

LETTER_PLACE = "frames.dead-letter/3/17"

RAW_FRAME = Frame(
    camera_id="gate-1",
    epoch="20260102T030405678-k3v9",
    sequence=812,
    captured_at_ns=CAPTURED_AT_NS,
    width=1280,
    height=720,
)
PROCESSED_FRAME = RAW_FRAME.changed(
    source="/pipelines/privacy",
    width=640,
    height=360,
    to_raw=np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]),
    pipeline=PIPELINE,
    input=PLACE,
    hops={name: CAPTURED_AT_NS + (40 + 5 * number) * _MS for number, name in enumerate(HOPS)},
)
# With all that not every frame has: it shows the right half.
FULL_FRAME = PROCESSED_FRAME.changed(
    to_raw=np.array([[1.0, 0.0, 640.0], [0.0, 2.0, 0.0]]),
    media_time_ns=33_366_666,
    camera_clock_ns=CAPTURED_AT_NS - 1_500 * _MS,
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def texts(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """Headers as what a schema of them is applied to: an object of texts."""
    return {name: value.decode() for name, value in headers}


def event(frame: Frame = PROCESSED_FRAME) -> tuple[bytes, dict[str, str]]:
    """An event as (value, headers)."""
    box = Box(x=0.25, y=0.5, w=0.125, h=0.25)
    found = Event(type="motion", data=MotionFound(zone="0", boxes=(box,), area=0.03125))
    value, headers = encode_event(found, frame, pipeline=PIPELINE, operator_index=1, number=0)
    return value, texts(headers)


def letter(place: str = PLACE, headers: Headers = ()) -> DeadLetter:
    """The dead letter of a record. place: `topic/partition/offset`. headers: those of the record."""
    record = _record(place, headers)
    error = FrameError(
        "starts with 47 49 46 38 39 61, which is neither JPEG, PNG nor WebP", reason="not_an_image", stage="gate"
    )
    return dead_letter(
        record, error, pipeline=PIPELINE, operators="resize/1 motion/1", failed_ns=CAPTURED_AT_NS + 45 * _MS
    )


def redriven_pairs() -> list[tuple[str, bytes]]:
    """The headers of a frame that is sent through again."""
    letter = _record(LETTER_PLACE, to_headers(RAW_FRAME))
    headers = redriven_headers(letter, input=PLACE, captured_ms=0, pipeline=PIPELINE, attempt=2)
    return [(name, value) for name, value in headers if value is not None]


def redriven() -> dict[str, str]:
    """The same as an object."""
    return texts(redriven_pairs())


def mark() -> dict[str, str]:
    """The headers of a mark."""
    return texts(mark_headers(LETTER_PLACE, mark="mended", pipeline=PIPELINE))


def _record(place: str, headers: Headers) -> Record:
    topic, partition, offset = place.split("/")
    return Record(topic, int(partition), int(offset), CAPTURED_AT_NS // _MS, b"gate-1", b"GIF89a", headers)


def status() -> tuple[str, bytes]:
    """A worker's report as (key, value)."""
    report = Status(
        role="worker",
        instance="host-1-4711",
        version="1.0.0",
        started_ns=CAPTURED_AT_NS - 60_000 * _MS,
        reported_ns=CAPTURED_AT_NS,
        state="running",
        pipeline=PIPELINE,
        group="framelane.privacy",
        partitions=[f"{RAW}/3"],
        lag={f"{RAW}/3": 2},
        lag_s={f"{RAW}/3": 0.25},
        rebalances=1,
        stage_seconds={"decode": 1.5, "resize": 0.5},
        cameras={
            "gate-1": CameraSums(
                consumed=600, processed=599, dead_lettered={"not_an_image": 1}, age_p50_ms=21.5, age_p99_ms=48.0
            )
        },
        settings={"threads": 2},
    )
    return report.key, encode_status(report)
