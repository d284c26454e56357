"""What the view and the process of its operators say to each other: a length of four bytes, and MessagePack."""

from typing import Any

import msgspec

from consumers.view.framing import framed
from consumers.view.pipelines.tryout import Tried, Wrong


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An operator to be tried. place: where it stands in the page's list."""

    place: int
    op: str
    parameters: dict[str, Any]


class Make(msgspec.Struct, frozen=True, kw_only=True, tag="make"):
    """Make these operators ready. whole: there are no others in the list, so the settings' hash can be told."""

    pipeline: dict[str, Any]
    operators: list[Entry]
    whole: bool


class Run(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """Run them on this frame. see: the place of the operator whose view of it is wanted."""

    camera_id: str
    epoch: str
    sequence: int
    captured_at_ns: int
    data: bytes
    see: int | None = None


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The process can be asked."""


class At(msgspec.Struct, frozen=True, kw_only=True, tag="at"):
    """The operator at this place begins with the frame."""

    place: int


class Made(msgspec.Struct, frozen=True, kw_only=True, tag="made"):
    """The operators are ready, unless something is wrong. hash: of the settings."""

    wrong: list[Wrong]
    hash: str = ""


class Ran(msgspec.Struct, frozen=True, kw_only=True, tag="ran"):
    """What became of the frame."""

    tried: Tried


Asked = Make | Run
Told = Ready | At | Made | Ran

_encoder = msgspec.msgpack.Encoder()


def packed(message: Asked | Told) -> bytes:
    """The message as bytes."""
    return b"".join(framed(_encoder.encode(message)))
