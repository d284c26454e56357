"""Footage as a worker reads it: frames of a camera, taken from a video, a folder or the synthetic camera."""

from collections.abc import Sequence
from contextlib import closing

from producers.sources import open_source
from producers.sources.base import LeftOut, SourceOptions
from streams.contract.errors import SourceError
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_frame
from streams.contract.images import encode

# As a camera would send it.
_QUALITY, _FPS = 80, 15.0
_CAMERA = "footage"
_BEGAN_NS = 1_700_000_000_000_000_000


def footage(text: str, *, most: int) -> list[Frame]:
    """The first `most` frames of what `framelane produce` would publish of this source.

    Their times are those of its frame rate, whatever the clock says: it is read faster than it was taken. Raises
    SourceError where there is no picture at all, and SettingError.
    """
    frames: list[Frame] = []
    with closing(open_source(text, SourceOptions(camera_id=_CAMERA))) as source:
        apart_ns = round(1e9 / (source.fps or _FPS))
        while len(frames) < most and (grab := source.grab()) is not None:
            if isinstance(grab, LeftOut):
                continue
            data = grab.picture if isinstance(grab.picture, bytes) else encode(grab.picture, quality=_QUALITY)
            frame = to_frame(Record("frames.raw", 0, len(frames), 0, _CAMERA.encode(), data, []))
            frames.append(frame.changed(captured_at_ns=_BEGAN_NS + len(frames) * apart_ns))
        if not frames:
            raise SourceError(f"{source.name}: no picture comes of it")
    return frames


def around(frames: Sequence[Frame], number: int) -> Frame:
    """The frame of this number, where the footage begins again at its end as if time went on."""
    apart_ns = frames[1].captured_at_ns - frames[0].captured_at_ns if len(frames) > 1 else 0
    at_ns = frames[0].captured_at_ns + number * apart_ns
    return frames[number % len(frames)].changed(sequence=number, captured_at_ns=at_ns)
