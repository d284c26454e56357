"""Frames <-> Kafka records: CloudEvents' Kafka binding in binary mode.

Only key and value are required. A record without our headers is a good frame of the camera that its key names.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, overload

import msgspec

from streams.contract.errors import FrameError
from streams.contract.frame import Frame, Headers
from streams.contract.geometry import geometry_text, read_geometry
from streams.contract.identity import camera_source, is_camera_id, is_epoch
from streams.contract.images import MAX_PIXELS, inspect
from streams.contract.traceparent import sound_traceparent

F = TypeVar("F", bound=Frame)
FRAME_TYPE = "io.framelane.frame.v1"
MAX_HEADER_BYTES = 16 * 1024
MAX_HEADERS = 100
# What a dead letter adds.
_MAX_DL_HEADERS, _MAX_DL_BYTES = 9, 12 * 1024
HOPS = {"received": "ce_receivedns", "started": "ce_startedns", "processed": "ce_processedns"}


class Record(msgspec.Struct, frozen=True):
    """A Kafka record as any client hands it over. timestamp_ms: ms since 1970; value None is a tombstone.

    A Struct and no dataclass, as is ImageHeader: one is made for every frame, in a fifth of the time.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def place(self) -> str:
        """`topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def to_headers(frame: Frame) -> list[tuple[str, bytes]]:
    """The headers of a frame's record, in a fixed order; UTF-8 text."""
    headers = [
        ("content-type", frame.content_type.encode()),
        ("ce_specversion", b"1.0"),
        ("ce_type", FRAME_TYPE.encode()),
        ("ce_source", frame.source.encode()),
        ("ce_id", frame.name.encode()),
        ("ce_time", rfc3339(frame.captured_at_ns).encode()),
        ("ce_epoch", frame.epoch.encode()),
        ("ce_frameseq", b"%d" % frame.sequence),
        ("ce_capturedns", b"%d" % frame.captured_at_ns),
        ("ce_width", b"%d" % frame.width),
        ("ce_height", b"%d" % frame.height),
    ]
    texts = (
        ("ce_pipeline", frame.pipeline),
        ("ce_input", frame.input),
        ("ce_toraw", geometry_text(frame)),
        ("traceparent", frame.traceparent),
    )
    headers += [(name, text.encode()) for name, text in texts if text]
    times = (("ce_mediatimens", frame.media_time_ns), ("ce_cameraclockns", frame.camera_clock_ns))
    headers += [(name, b"%d" % at_ns) for name, at_ns in times if at_ns is not None]
    return headers + [(header, b"%d" % frame.hops[hop]) for hop, header in HOPS.items() if hop in frame.hops]


def camera_of(record: Record) -> str:
    """The camera that the record's key names; FrameError (bad_headers) when the key cannot be one."""
    return _camera(record.key or b"")


# Asked for every frame, of a few cameras.
@lru_cache(maxsize=4096)
def _camera(key: bytes) -> str:
    try:
        camera_id = key.decode()
    except UnicodeDecodeError:
        camera_id = ""
    if not is_camera_id(camera_id):
        raise _bad(f"the key {key[:40]!r} is no camera id (1 to 128 of A-Z a-z 0-9 . _ -)")
    return camera_id


def numbered(record: Record, camera_id: str) -> tuple[str, int] | None:
    """Epoch and sequence as the record's `ce_id` says them; None without one, or when it is not this camera's.

    Costs next to nothing, and checks no more than that: `to_frame` does.
    """
    for name, value in record.headers:
        if name == "ce_id" and value is not None:
            camera, _, rest = value.decode(errors="replace").partition("/")
            epoch, _, number = rest.rpartition("/")
            return (epoch, int(number)) if camera == camera_id and epoch and _is_number(number) else None
    return None


@overload
def to_frame(
    record: Record,
    *,
    max_pixels: int = MAX_PIXELS,
    input: str | None = None,
    hops: Mapping[str, int] | None = None,
    traceparent: str | None = None,
) -> Frame: ...


@overload
def to_frame(record: Record, *, make: Callable[..., F]) -> F: ...


def to_frame(
    record: Record,
    *,
    max_pixels: int = MAX_PIXELS,
    input: str | None = None,
    hops: Mapping[str, int] | None = None,
    traceparent: str | None = None,
    make: Callable[..., Frame] = Frame,
) -> Frame:
    """Read a record as a frame; nothing is decoded, but the image passes the gate.

    input, hops, traceparent: in place of those that the headers tell. make: makes it of Frame's fields. Raises
    FrameError: bad_headers when headers are there and contradict the key or each other, and whatever `images.inspect`
    refuses.
    """
    camera_id = camera_of(record)
    texts = _texts(record.headers)
    epoch, sequence = _identity(camera_id, texts, record)
    header = inspect(record.value or b"", max_pixels=max_pixels)
    width, height = header.upright
    return make(
        camera_id=camera_id,
        epoch=epoch,
        sequence=sequence,
        captured_at_ns=_number(texts, "ce_capturedns", default=max(0, record.timestamp_ms) * 1_000_000),
        width=width,
        height=height,
        content_type=header.content_type,
        data=record.value or b"",
        source=texts.get("ce_source", camera_source(camera_id)),
        pipeline=texts.get("ce_pipeline", ""),
        input=texts.get("ce_input", "") if input is None else input,
        media_time_ns=_optional_number(texts, "ce_mediatimens"),
        camera_clock_ns=_optional_number(texts, "ce_cameraclockns"),
        traceparent=sound_traceparent(texts.get("traceparent", "")) if traceparent is None else traceparent,
        hops=_hops(texts) if hops is None else hops,
        header=header,
        **_geometry(texts),
    )


def flooded(headers: Headers) -> bool:
    """Whether there are more headers than any frame has a use for, besides those of a dead letter or a redriven one."""
    if not _exceed(headers, MAX_HEADERS, MAX_HEADER_BYTES):
        return False
    if len(headers) > MAX_HEADERS + _MAX_DL_HEADERS:
        return True
    # Only now: this is asked of every frame. A frame that was near the limits must not fail of what we have added.
    ours = [header for header in headers if header[0].startswith("dl_")]
    others = [header for header in headers if not header[0].startswith("dl_")]
    return _exceed(ours, _MAX_DL_HEADERS, _MAX_DL_BYTES) or _exceed(others, MAX_HEADERS, MAX_HEADER_BYTES)


def _exceed(headers: Headers, count: int, size: int) -> bool:
    if len(headers) > count:
        return True
    if not headers:
        return False
    # This takes half as long as a loop.
    names, values = zip(*headers, strict=True)
    return sum(map(len, names)) + sum(map(len, filter(None, values))) > size


def _texts(headers: Headers) -> dict[str, str]:
    if flooded(headers):
        raise _bad(f"there are more than {MAX_HEADERS} headers, or more than {MAX_HEADER_BYTES} bytes of them")
    try:
        # Those of others, too: to sort them out takes longer, and is for when one of them is no text.
        return {name: value.decode() for name, value in headers if value is not None}
    except UnicodeDecodeError:
        return _our_texts(headers)


def _our_texts(headers: Headers) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in headers:
        ours = name.startswith("ce_") or name in ("content-type", "traceparent")
        if not ours or value is None:
            continue
        try:
            texts[name] = value.decode()
        except UnicodeDecodeError as error:
            if name == "traceparent":
                # As the standard has it, an invalid one is as good as none: no reason to give up the frame.
                continue
            raise _bad(f"the header {name} is not UTF-8") from error
    return texts


def _identity(camera_id: str, texts: dict[str, str], record: Record) -> tuple[str, int]:
    """Epoch and sequence; headers that are there must agree with the key and with each other."""
    if "ce_id" not in texts:
        # A bare record: named by where it lies, so that reading it again names it the same.
        return f"@{record.topic}-{record.partition}", record.offset
    camera, _, rest = texts["ce_id"].partition("/")
    epoch, _, number = rest.rpartition("/")
    if camera != camera_id:
        raise _bad(f"ce_id {texts['ce_id']!r} is of another camera than the key {camera_id!r}")
    if not is_epoch(epoch) or not _is_number(number):
        raise _bad(f"ce_id {texts['ce_id']!r} is not <camera>/<epoch>/<sequence>")
    source = texts.get("ce_source", "")
    if source.startswith("/cameras/") and source != camera_source(camera_id):
        raise _bad(f"ce_source {source!r} is of another camera than the key {camera_id!r}")
    sequence = int(number)
    if texts.get("ce_epoch", epoch) != epoch or _number(texts, "ce_frameseq", default=sequence) != sequence:
        said = f"{texts.get('ce_epoch', epoch)}/{texts.get('ce_frameseq', number)}"
        raise _bad(f"ce_epoch and ce_frameseq say {said!r}, ce_id says {texts['ce_id']!r}")
    return epoch, sequence


def _hops(texts: dict[str, str]) -> dict[str, int]:
    return {hop: int(texts[name]) for hop, name in HOPS.items() if _is_number(texts.get(name, ""))}


def _geometry(texts: dict[str, str]) -> dict[str, Any]:
    text = texts.get("ce_toraw")
    if text is None:
        return {}
    try:
        raw_size, to_raw = read_geometry(text)
    except ValueError as error:
        raise _bad(f"the header ce_toraw is wrong: {error}") from error
    return {"raw_size": raw_size, "to_raw": to_raw}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19


def _number(texts: dict[str, str], name: str, *, default: int) -> int:
    value = _optional_number(texts, name)
    return default if value is None else value


def _optional_number(texts: dict[str, str], name: str) -> int | None:
    text = texts.get(name)
    if text is None:
        return None
    if not _is_number(text):
        raise _bad(f"the header {name} is {text[:40]!r}, not a number")
    return int(text)


def _bad(message: str) -> FrameError:
    return FrameError(message, reason="bad_headers", stage="headers")


def rfc3339(at_ns: int) -> str:
    """A time in ns since 1970 as RFC 3339 in UTC, to the microsecond."""
    return f"{_second(at_ns // 1_000_000_000)}.{at_ns % 1_000_000_000 // 1000:06d}Z"


@lru_cache(maxsize=256)
def _second(at: int) -> str:
    # Written for every frame, and many are of the same second.
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%dT%H:%M:%S}"
