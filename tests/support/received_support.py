"""Frames and events as a subscription hands them out, without a broker."""

from consumer_support import frame_of, picture

from consumers.received import ReceivedFrame
from streams.contract.errors import FrameError
from streams.contract.images import ImageHeader, inspect


def header_of(data: bytes) -> ImageHeader | None:
    """What the bytes say of themselves; None where they are no picture."""
    try:
        return inspect(data)
    except FrameError:
        return None


class NoReceipt:
    """Of nothing that a group waits for."""

    def done(self) -> None:
        """Nothing to do."""


def received(
    camera_id: str = "gate-1",
    sequence: int = 0,
    *,
    width: int = 64,
    height: int = 48,
    data: bytes | None = None,
    captured_at_ns: int = 0,
    pipeline: str = "demo",
) -> ReceivedFrame:
    """A frame that has come from offset `sequence` of partition 0."""
    frame = frame_of(camera_id, sequence, pipeline=pipeline)
    data = picture(sequence, width=width, height=height) if data is None else data
    return ReceivedFrame(
        camera_id=camera_id,
        epoch=frame.epoch,
        sequence=sequence,
        captured_at_ns=captured_at_ns,
        width=width,
        height=height,
        data=data,
        header=header_of(data),
        source=frame.source,
        pipeline=frame.pipeline,
        input=frame.input,
        place=f"frames.processed/0/{sequence}",
        receipt=NoReceipt(),
    )
