"""What is known of a frame, without its picture: for lines of JSON."""

import msgspec

from streams.contract.frame import Frame


class FrameMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `framelane record --to FILE.jsonl` and of `framelane tail --json`.

    captured_at_ns and the hops: ns since 1970. bytes: size of the encoded picture. input: `topic/partition/offset` of
    the frame that it was made of; empty for a raw one, and so is pipeline.
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
        hops=dict(frame.hops),
    )


def metadata_json(frame: Frame) -> bytes:
    """The frame's metadata as one JSON object, without a line break."""
    return msgspec.json.encode(metadata(frame))
