"""The pairs that the report shows: both pictures with what was found in them, and where they differ."""

import contextlib
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np

from framelane.diff.asked import Asked, Key, Which
from framelane.diff.compare import Compared
from framelane.diff.found_events import Found
from framelane.diff.frame_index import Pair
from framelane.diff.judge import differing
from framelane.diff.likeness import Likeness
from framelane.diff.pictures import fetch
from framelane.lookup.reader import PlaceReader
from framelane.printable import printable
from streams.contract.errors import FrameError
from streams.contract.frame import Event, Frame
from streams.contract.headers import to_frame
from streams.contract.images import Image, encode, shrink
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.records import to_record
from streams.operators.annotate import Annotate

_log = logging.getLogger(__name__)

MAX_WIDTH, _MAX_HEIGHT = 640, 960
_QUALITY = 80
# So many times stronger than it is: what differs by a few levels would be black.
GAIN = 8
_LONGEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A pair. pictures: of A and of B, as JPEG; None where there is none. difference: where they differ, eight times as
    strong; None where they cannot be laid over each other. only: the events that only A has, and those that only B has.
    """

    key: Key
    captured_at_ns: int
    likeness: Likeness | None
    pictures: tuple[bytes | None, bytes | None]
    difference: bytes | None
    only: tuple[list[Found], list[Found]]


def shown_pairs(kafka: KafkaSettings, asked: Asked, compared: Compared) -> list[Shown]:
    """Fetch the pictures of the worst pairs once more, and draw their events. Raises KafkaError."""
    wanted = {key: compared.index.pairs[key] for key in compared.worst if key in compared.index.pairs}
    a, b = _fetched(kafka, asked, 0, wanted), _fetched(kafka, asked, 1, wanted)
    return [_shown(asked, compared, key, (a.get(key), b.get(key))) for key in compared.worst]


def _fetched(kafka: KafkaSettings, asked: Asked, which: Which, wanted: dict[Key, Pair]) -> dict[Key, Frame]:
    """Those frames of one side that can be shown, no wider than they are shown."""
    found: dict[Key, Frame] = {}
    if not wanted:
        return found
    with PlaceReader(kafka, asked.sides[which].topic) as reader:
        for key, message in fetch(reader, which, wanted.items()):
            with contextlib.suppress(FrameError):
                found[key] = small(to_frame(to_record(message)))
    return found


def _shown(asked: Asked, compared: Compared, key: Key, frames: tuple[Frame | None, Frame | None]) -> Shown:
    pair = compared.index.pairs.get(key)
    found = next((each.frames[key] for each in compared.events if key in each.frames), None)
    a, b = frames
    likeness = compared.likenesses.get(key)
    if likeness is None and pair is not None and pair.same_bytes:
        likeness = Likeness(math.inf)
    return Shown(
        key=key,
        captured_at_ns=pair.captured_at_ns if pair else found.captured_at_ns if found else 0,
        likeness=likeness,
        pictures=(
            None if a is None else drawn(a, compared.events[0].of(key)),
            None if b is None else drawn(b, compared.events[1].of(key)),
        ),
        difference=None if a is None or b is None else difference(a.image, b.image),
        only=differing(compared.events, key, asked),
    )


def small(frame: Frame) -> Frame:
    """The frame no larger than is shown, decoded. Raises FrameError."""
    image = frame.image
    scale = min(MAX_WIDTH / frame.width, _MAX_HEIGHT / frame.height)
    if scale >= 1:
        return frame
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    back = np.array([[frame.width / width, 0.0, 0.0], [0.0, frame.height / height, 0.0]])
    return frame.with_image(shrink(image, width, height), back=back)


def drawn(frame: Frame, found: Sequence[Found]) -> bytes:
    """The frame's picture with the boxes of these events, as JPEG."""
    wanted = frame.with_events(*(_drawable(each) for each in found))
    try:
        with np.errstate(all="ignore"):
            frame = Annotate(camera=False, time=False).open()(wanted) or frame
    except (cv2.error, OverflowError, ValueError, np.linalg.LinAlgError):
        # Anybody may write headers, and then the picture lies anywhere: better without boxes than not at all.
        _log.warning("frame %s: its boxes cannot be drawn: its header ce_toraw cannot be", frame.name)
    return encode(frame.image, "image/jpeg", quality=_QUALITY)


def difference(a: Image, b: Image) -> bytes | None:
    """Where two pictures differ, as JPEG; None where their shapes do, or nothing does."""
    if a.shape != b.shape:
        return None
    apart = cv2.absdiff(a, b)
    if not apart.any():
        return None
    return encode(np.asarray(cv2.convertScaleAbs(apart, alpha=GAIN), np.uint8), "image/jpeg", quality=_QUALITY)


def _drawable(found: Found) -> Event:
    # Held to what can be drawn: labels may say anything, at any length.
    boxes = [
        msgspec.structs.replace(
            box, label=printable(box.label)[:_LONGEST], track=printable(box.track)[-_LONGEST:] if box.track else None
        )
        for box in found.boxes
    ]
    return Event(type=printable(found.type)[:_LONGEST], data={"boxes": boxes})
