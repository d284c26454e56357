"""The frame: what travels from camera to subscriber."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec
import numpy as np
from msgspec.structs import force_setattr

from streams.contract.identity import camera_source, frame_name
from streams.contract.images import Image, ImageHeader, decode, shrink

Affine = np.ndarray[Any, np.dtype[np.float64]]
_IDENTITY: Affine = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
_IDENTITY.flags.writeable = False


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """An axis-aligned area, as fractions (0 to 1) of the raw picture; x, y is its upper left corner."""

    x: float
    y: float
    w: float
    h: float
    label: str = ""
    score: float = 0.0
    track: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator found in a frame. data: a msgspec Struct or a plain mapping, typed by `type`."""

    type: str
    data: Any


# What is not worth a line of a log.
_HIDDEN = {"data", "hops", "to_raw", "header", "_image", "_reduced"}


class Frame(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One picture of one camera, with where and when it was taken.

    camera_id, epoch, sequence: together they name the picture; see `name`.
    captured_at_ns: best known capture time, ns since 1970.
    width, height: pixels of this picture after EXIF orientation.
    data: the encoded bytes as they came; empty once an operator has changed the image.
    raw_size: (width, height) of the picture as the camera gave it.
    to_raw: 2 x 3 float64, from this picture's pixels (x, y, 1) to the raw one's.
    hops: when the frame passed which place, ns since 1970, by name ("received", "started", "processed").
    header: what the bytes say of themselves, once the gate has let them pass.

    A Struct and no dataclass, for it is changed several times on its way: `changed` costs a sixth of `replace`.
    """

    camera_id: str
    epoch: str
    sequence: int
    captured_at_ns: int
    width: int
    height: int
    content_type: str = "image/jpeg"
    data: bytes = b""
    source: str = ""
    pipeline: str = ""
    input: str = ""
    media_time_ns: int | None = None
    camera_clock_ns: int | None = None
    traceparent: str = ""
    hops: Mapping[str, int] = msgspec.field(default_factory=dict)
    events: tuple[Event, ...] = ()
    raw_size: tuple[int, int] = (0, 0)
    to_raw: Affine = msgspec.field(default_factory=lambda: _IDENTITY)
    header: ImageHeader | None = None
    _image: Image | None = None
    # The same picture decoded at a reduced scale, when that is all that is needed of it.
    _reduced: Image | None = None

    def __post_init__(self) -> None:
        if not self.source:
            force_setattr(self, "source", camera_source(self.camera_id))
        if self.raw_size == (0, 0):
            force_setattr(self, "raw_size", (self.width, self.height))

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in _HIDDEN)
        return f"Frame({', '.join(shown)})"

    @property
    def name(self) -> str:
        """`<camera>/<epoch>/<sequence>`: the same for the raw frame and all that is made of it (`ce_id`)."""
        return frame_name(self.camera_id, self.epoch, self.sequence)

    @property
    def image(self) -> Image:
        """The picture, decoded when first asked for: uint8, (H, W, 3) BGR or (H, W) gray. Do not write into it.

        Raises FrameError when the bytes are not an image.
        """
        if self._image is None:
            image = decode(self.data, header=self.header)
            image.flags.writeable = False
            force_setattr(self, "_image", image)
            return image
        return self._image

    def downscaled(self, width: int, height: int) -> Image:
        """The picture averaged to this size in pixels, which is no larger than its own: uint8, (H, W, 3) or (H, W).

        It has been decoded no larger than that where nobody needs more (`plan`), and may be what others get as well:
        do not write into it. Raises FrameError when the bytes are not an image.
        """
        reduced = self._reduced
        if reduced is None or reduced.shape[1] < width or reduced.shape[0] < height:
            reduced = self.image
        return shrink(reduced, width, height)

    @property
    def has_image(self) -> bool:
        """Whether the picture is decoded already."""
        return self._image is not None

    def with_image(self, image: Image, *, back: Affine | None = None) -> Self:
        """The same frame showing another picture.

        image: uint8, (H, W, 3) BGR or (H, W); the frame owns it from now on.
        back: 2 x 3, from the new picture's pixels to this one's; needed from operators that move pixels.
        """
        to_raw = self.to_raw if back is None else compose(self.to_raw, back)
        height, width = image.shape[:2]
        return self.changed(
            _image=image, _reduced=None, header=None, width=width, height=height, data=b"", to_raw=to_raw
        )

    def with_events(self, *events: Event) -> Self:
        """The same frame with more found in it."""
        return self.changed(events=self.events + events)

    def changed(self, **values: Any) -> Self:
        """The same frame with other values in these fields, for which nothing is derived or checked."""
        return msgspec.structs.replace(self, **values)

    def box(self, x: float, y: float, w: float, h: float, *, label: str = "", score: float = 0.0) -> Box:
        """A Box from pixels of this picture: moved back to the raw picture and made fractions of it, within 0 to 1."""
        corners = np.array([[x, y, 1.0], [x + w, y, 1.0], [x, y + h, 1.0], [x + w, y + h, 1.0]])
        size = np.array(self.raw_size, dtype=float)
        points = np.clip(corners @ self.to_raw.T / size, 0.0, 1.0)
        low, high = points.min(axis=0), points.max(axis=0)
        return Box(
            x=float(low[0]),
            y=float(low[1]),
            w=float(high[0] - low[0]),
            h=float(high[1] - low[1]),
            label=label,
            score=score,
        )

    def pixels_of(self, box: Box) -> tuple[int, int, int, int]:
        """Where a Box lies in this picture: x, y, w, h in pixels; it may reach beyond the edges."""
        corners = np.array(
            [[box.x, box.y], [box.x + box.w, box.y], [box.x, box.y + box.h], [box.x + box.w, box.y + box.h]]
        ) * np.array(self.raw_size, dtype=float)
        linear, offset = self.to_raw[:, :2], self.to_raw[:, 2]
        points = (corners - offset) @ np.linalg.inv(linear).T
        low, high = points.min(axis=0), points.max(axis=0)
        return (
            round(float(low[0])),
            round(float(low[1])),
            round(float(high[0] - low[0])),
            round(float(high[1] - low[1])),
        )


def compose(outer: Affine, inner: Affine) -> Affine:
    """The 2 x 3 affine that applies inner first, then outer."""
    if outer is _IDENTITY:
        return inner
    result: Affine = outer[:, :2] @ inner
    result[:, 2] += outer[:, 2]
    return result


Headers = Sequence[tuple[str, bytes | None]]
