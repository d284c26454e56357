"""What is known of a frame, without its picture, and what an event says: for lines of JSON."""

from typing import Any

import msgspec

from consumers.received import ReceivedEvent
from streams.contract.events import EventRecord
from streams.contract.frame import Frame


class FrameMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `framelane record --to FILE.jsonl` and of `framelane tail --json`.

    captured_at_ns and the hops: ns since 1970. bytes: size of the encoded picture. input: `topic/partition/offset` of
    the frame that it was made of; empty for a raw one, and so is pipeline. source, name: its identity (`ce_source`,
    `ce_id`).
    """

    camera_id: str
    epoch: str
    sequence: int
    captured_at_ns: int
    width: int
    height: int
    content_type: str
    bytes: int
    pipeline: str
    input: str
    source: str
    name: str
    hops: dict[str, int]


def metadata(frame: Frame) -> FrameMetadata:
    """The frame's metadata."""
    return FrameMetadata(
        camera_id=frame.camera_id,
        epoch=frame.epoch,
        sequence=frame.sequence,
        captured_at_ns=frame.captured_at_ns,
        width=frame.width,
        height=frame.height,
        content_type=frame.content_type,
        bytes=len(frame.data),
        pipeline=frame.pipeline,
        input=frame.input,
        source=frame.source,
        name=frame.name,
        hops=dict(frame.hops),
    )


def metadata_json(frame: Frame) -> bytes:
    """The frame's metadata as one JSON object, without a line break."""
    return msgspec.json.encode(metadata(frame))


class EventMetadata(EventRecord, frozen=True, kw_only=True):
    """One line of `framelane record --events --to FILE.jsonl`: the event, and its identity (`ce_source`, `ce_id`)."""

    source: str
    name: str


def event_json(event: ReceivedEvent) -> bytes:
    """The event and its identity as one JSON object, without a line break."""
    return msgspec.json.encode(EventMetadata(**event_fields(event), source=event.source, name=event.name))


def event_fields(event: EventRecord) -> dict[str, Any]:
    """The fields of the event's value, by name."""
    return {name: getattr(event, name) for name in EventRecord.__struct_fields__}
