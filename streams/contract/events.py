"""Events: what operators found, as JSON on `frames.events`."""

import msgspec

from streams.contract.frame import Event, Frame
from streams.contract.headers import rfc3339
from streams.contract.identity import pipeline_source

EVENT_TYPE = "io.framelane.event.v1"


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it travels. The base fields are the same for all; `data` is typed by `type`."""

    type: str
    camera_id: str
    epoch: str
    sequence: int
    captured_at_ns: int
    pipeline: str
    input: str
    data: msgspec.Raw


def encode_event(
    event: Event, frame: Frame, *, pipeline: str, operator_index: int, number: int
) -> tuple[bytes, list[tuple[str, bytes]]]:
    """An event as (value, headers) of its record.

    pipeline: `name@hash`. operator_index, number: which operator found it, and the how manieth of that one it is; with
    the frame's name they name the event.
    """
    record = EventRecord(
        type=event.type,
        camera_id=frame.camera_id,
        epoch=frame.epoch,
        sequence=frame.sequence,
        captured_at_ns=frame.captured_at_ns,
        pipeline=pipeline,
        input=frame.input,
        data=msgspec.Raw(msgspec.json.encode(event.data)),
    )
    texts = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_type": EVENT_TYPE,
        "ce_source": pipeline_source(pipeline),
        "ce_id": f"{frame.name}/{operator_index}/{number}",
        "ce_time": rfc3339(frame.captured_at_ns),
    }
    if frame.traceparent:
        texts["traceparent"] = frame.traceparent
    return msgspec.json.encode(record), [(name, text.encode()) for name, text in texts.items()]


def decode_event(value: bytes) -> EventRecord:
    """An event from its record's value; raises msgspec.DecodeError or msgspec.ValidationError."""
    return msgspec.json.decode(value, type=EventRecord)
