"""A frame of the past: what the page is told of it, its order among those of its camera, a store of the last."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from consumers.view.framing import framed
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.geometry import as_fractions
from streams.contract.headers import Record, to_frame
from streams.contract.topics import MIB

KEPT_BYTES = 64 * MIB


class PastFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame without its picture: what goes before it in a film, and the answer of `frames`.

    Named as the header of a live frame (`consumers.view.protocol.FrameHeader`). captured_ms: ms since 1970; place,
    input: `topic/partition/offset`; input is "" for a raw frame. bytes: size of the picture.
    """

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
    pipeline: str
    input: str
    bytes: int
    to_raw: Sequence[float] | None = None


class Found(msgspec.Struct, frozen=True):
    """A record that holds a frame."""

    record: Record
    frame: Frame

    @property
    def order(self) -> tuple[int, int]:
        """Its place among the frames of its camera: what was sent again lies among later ones."""
        return self.frame.captured_at_ns, self.frame.sequence

    @property
    def pipeline_name(self) -> str:
        """Who made it, without the hash of the settings."""
        return self.frame.pipeline.partition("@")[0]

    def told(self, kind: str) -> PastFrame:
        """Without the picture."""
        frame = self.frame
        return PastFrame(
            camera=frame.camera_id,
            kind=kind,
            epoch=frame.epoch,
            sequence=frame.sequence,
            captured_ms=frame.captured_at_ns / 1e6,
            captured_at_ns=str(frame.captured_at_ns),
            width=frame.width,
            height=frame.height,
            place=self.record.place,
            content_type=frame.content_type,
            pipeline=frame.pipeline,
            input=frame.input,
            bytes=len(frame.data),
            to_raw=as_fractions(frame) if kind == "processed" else None,
        )


def found(record: Record) -> Found | None:
    """The record as a frame; None when it holds none."""
    try:
        return Found(record, to_frame(record))
    except FrameError:
        return None


def film(frames: Iterable[tuple[PastFrame, bytes]]) -> bytes:
    """Frames one after the other, each: four bytes of length, most significant first; a header in JSON, as long as
    they say; the picture, as long as the header's `bytes`.
    """
    parts: list[bytes] = []
    for told, data in frames:
        parts += framed(msgspec.json.encode(told), data)
    return b"".join(parts)


class Kept:
    """The frames that were asked for last, by place; the oldest go when they hold more than `most_bytes`.

    For any thread.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most = most_bytes
        self._frames: OrderedDict[str, Found] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def add(self, each: Found) -> None:
        """Keep it for a while."""
        with self._lock:
            if each.record.place in self._frames:
                self._frames.move_to_end(each.record.place)
                return
            self._frames[each.record.place] = each
            self.bytes += len(each.frame.data)
            while self.bytes > self._most:
                _, oldest = self._frames.popitem(last=False)
                self.bytes -= len(oldest.frame.data)

    def get(self, place: str) -> Found | None:
        """The frame of a place, where it is still here."""
        with self._lock:
            each = self._frames.get(place)
            if each is not None:
                self._frames.move_to_end(place)
            return each
