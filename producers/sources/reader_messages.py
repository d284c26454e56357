"""What a reader's process and the one that it reads for say to each other, over a socket.

Each message is a head in MessagePack and, for a picture, its bytes; before them stand the lengths of both.
"""

import struct
from typing import Literal

import msgspec

from producers.sources.base import Decoder, Grab, LeftOut, Selection, SourceOptions

LENGTHS = struct.Struct(">II")
# What FFmpeg or V4L2 read: a stream from the network, a video file, a camera at this machine.
Kind = Literal["stream", "video", "device"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be read, and how: as in SourceOptions. place: address, path, or `device:N`."""

    kind: Kind
    place: str
    camera_id: str
    fps: float | None
    size: tuple[int, int] | None
    loop: bool
    decoder: Decoder
    silence_s: float
    selection: Selection

    @classmethod
    def of(cls, kind: Kind, place: str, options: SourceOptions) -> "Job":
        """The job for a process of these options."""
        return cls(
            kind=kind,
            place=place,
            camera_id=options.camera_id,
            fps=options.fps,
            size=options.size,
            loop=options.loop,
            decoder=options.decoder,
            silence_s=options.silence_s,
            selection=options.selection,
        )


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened"):
    """The source is open: what it says of itself."""

    name: str
    live: bool
    fps: float
    codec: str
    decoder: str


class Pictured(msgspec.Struct, frozen=True, kw_only=True, tag="picture"):
    """A picture, whose bytes follow. Times as in Grab."""

    captured_at_ns: int
    media_time_ns: int | None

    def grab(self, picture: bytes) -> Grab:
        """It, with its bytes."""
        return Grab(picture=picture, captured_at_ns=self.captured_at_ns, media_time_ns=self.media_time_ns)


class Missing(msgspec.Struct, frozen=True, kw_only=True, tag="left_out"):
    """A picture that was left out: as LeftOut."""

    reason: str
    detail: str
    media_time_ns: int | None

    def left_out(self) -> LeftOut:
        """It, as the source would have said it."""
        return LeftOut(reason=self.reason, detail=self.detail, media_time_ns=self.media_time_ns)


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """There are no more pictures."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """There are no more pictures, for a reason. error: which of our errors it is; message: without secrets."""

    error: Literal["setting", "source", "lost"]
    message: str


class Warned(msgspec.Struct, frozen=True, kw_only=True, tag="warned"):
    """Something that is to be logged."""

    message: str


Said = Opened | Pictured | Missing | Ended | Failed | Warned
_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Said)


def pack(said: Said, picture: bytes = b"") -> list[bytes]:
    """A message as the parts that are sent one after the other."""
    head = _encoder.encode(said)
    return [LENGTHS.pack(len(head), len(picture)) + head, picture]


def unpack(head: bytes) -> Said:
    """A message from its head; msgspec.DecodeError for what is none."""
    said: Said = _decoder.decode(head)
    return said
