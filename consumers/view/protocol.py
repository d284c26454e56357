"""What crosses the WebSocket `/ws`.

From the page, JSON: `{"type": "watch", "cameras": {"gate-1": {"width": 320, "raw": false}}, "rests": false}` replaces
what is watched; `{"type": "drawn", "n": 12}` says that frames up to that number are drawn or thrown away; `{"type":
"ping", "t": 1.5}` asks for the time.

To the page, JSON: `hello`, `pong`, `cameras` (each second: CameraFigures, and what is in the way), `event`. And frames,
binary: four bytes of length, most significant first; a header in JSON, as long as they say; the picture.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from consumers.metadata import event_fields
from consumers.received import ReceivedEvent, ReceivedFrame
from consumers.view.client import Wish
from consumers.view.figures import CameraFigures
from consumers.view.framing import framed
from streams.contract.geometry import as_fractions

_encoder = msgspec.json.Encoder()


class Watch(msgspec.Struct, tag="watch", frozen=True, kw_only=True):
    """Watch these cameras, and no others."""

    cameras: dict[str, Wish]
    rests: bool = False


class Drawn(msgspec.Struct, tag="drawn", frozen=True, kw_only=True):
    """Frames up to this number need no more room."""

    n: int


class Ping(msgspec.Struct, tag="ping", frozen=True, kw_only=True):
    """What time is it? t comes back as it was."""

    t: float


Asked = Watch | Drawn | Ping
_decoder = msgspec.json.Decoder(Asked)


class FrameHeader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes before a picture. captured_ms: ms since 1970; width, height: pixels of the frame itself.

    place: `topic/partition/offset`. paired: the raw frame of the same identity was sent just before, or comes next.
    to_raw: 2 x 3, row by row, from fractions of this picture to fractions of the raw one; none: the whole of it.
    """

    n: int
    camera: str
    kind: str
    epoch: str
    sequence: int
    captured_ms: float
    captured_at_ns: str
    width: int
    height: int
    place: str
    content_type: str
    pipeline: str = ""
    paired: bool = False
    to_raw: Sequence[float] | None = None


def read(text: str) -> Asked:
    """What the page says; raises msgspec.DecodeError or msgspec.ValidationError."""
    asked: Asked = _decoder.decode(text)
    return asked


def frame_message(
    frame: ReceivedFrame, data: bytes, *, number: int, kind: str, content_type: str, paired: bool
) -> bytes:
    """A frame as it goes to the page; data: its picture, or one scaled down."""
    header = _encoder.encode(
        FrameHeader(
            n=number,
            camera=frame.camera_id,
            kind=kind,
            epoch=frame.epoch,
            sequence=frame.sequence,
            captured_ms=frame.captured_at_ns / 1e6,
            captured_at_ns=str(frame.captured_at_ns),
            width=frame.width,
            height=frame.height,
            place=frame.place,
            content_type=content_type,
            pipeline=frame.pipeline,
            paired=paired,
            to_raw=as_fractions(frame) if kind == "processed" else None,
        )
    )
    return b"".join(framed(header, data))


def event_message(event: ReceivedEvent) -> str:
    """An event as it goes to the page."""
    return _text({"type": "event", "event": event_fields(event)})


def cameras_message(cameras: Sequence[CameraFigures], problems: Sequence[str]) -> str:
    """All cameras; problems: what is in the way, each with the mend."""
    return _text({"type": "cameras", "cameras": cameras, "problems": problems})


def hello_message(version: str, now_ms: float) -> str:
    """The first message. now_ms: ms since 1970."""
    return _text({"type": "hello", "version": version, "now_ms": now_ms})


def pong_message(ping: Ping, now_ms: float) -> str:
    """The answer to a ping."""
    return _text({"type": "pong", "t": ping.t, "now_ms": now_ms})


def _text(message: Any) -> str:
    return _encoder.encode(message).decode()
