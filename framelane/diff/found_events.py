"""The events of a side, by the frame that they are of."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from framelane.diff.asked import Asked, Key, Which
from framelane.diff.read_frames import Moved, check_source, records
from framelane.lookup.reader import PlaceReader
from streams.contract.errors import FrameError
from streams.contract.events import EventRecord, decode_event
from streams.contract.frame import Box
from streams.contract.headers import Record
from streams.contract.identity import is_camera_id, is_epoch, pipeline_source

# Boxes are fractions of the picture: what lies further out than this is no place in it.
_FARTHEST = 2.0


class Found(msgspec.Struct, frozen=True, gc=False):
    """An event, but for when and by which settings it was found. name: what follows the frame's in its `ce_id`."""

    name: str
    type: str
    data: bytes

    @property
    def value(self) -> Any:
        """What `data` says, as plain values."""
        return msgspec.json.decode(self.data)

    @property
    def boxes(self) -> list[Box]:
        """The boxes that it carries; those that are none, or lie far outside the picture, are left out."""
        value = self.value
        listed = value.get("boxes") if isinstance(value, dict) else None
        found = []
        for each in listed if isinstance(listed, list) else ():
            try:
                box = msgspec.convert(each, Box)
            except msgspec.ValidationError:
                continue
            if all(abs(number) <= _FARTHEST for number in (box.x, box.y, box.w, box.h)):
                found.append(box)
        return found


@dataclass(slots=True)
class FrameEvents:
    """What was found in one frame. captured_at_ns: ns since 1970."""

    captured_at_ns: int
    found: list[Found] = field(default_factory=list)


@dataclass(slots=True)
class EventIndex:
    """The events of a side by the frame's name. refused: records that are no events, by reason."""

    frames: dict[Key, FrameEvents] = field(default_factory=dict)
    repeats: int = 0
    others: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def of(self, key: Key) -> list[Found]:
        """Those of a frame."""
        known = self.frames.get(key)
        return [] if known is None else known.found

    def add(self, event: EventRecord, name: str) -> None:
        """Take an event in; the first of a name counts, for topics are at-least-once."""
        known = self.frames.setdefault(key_of(event), FrameEvents(event.captured_at_ns)).found
        if any(each.name == name for each in known):
            self.repeats += 1
        else:
            known.append(Found(name, sys.intern(event.type), bytes(event.data)))


def read_events(reader: PlaceReader, which: Which, asked: Asked, *, source: str | None, moved: Moved) -> EventIndex:
    """Read all events that are meant. source: `ce_source` of the frames; None where none were read.

    Raises KafkaError, and SettingError where several pipelines have found them.
    """
    index = EventIndex()
    admit = _admission(asked, which, source, topic=reader.topic)
    for record, error in records(reader, asked, moved=moved):
        try:
            if error is not None:
                raise error
            event = _event(record)
        except (FrameError, ValueError):
            index.refused["bad_event"] += 1
            continue
        if not asked.wants(event.camera_id, event.captured_at_ns):
            continue
        if admit(event):
            index.add(event, _name(record, event))
        else:
            index.others += 1
    return index


def key_of(event: EventRecord) -> Key:
    """The name of the frame that the event is of."""
    return sys.intern(event.camera_id), sys.intern(event.epoch), event.sequence


def _admission(asked: Asked, which: Which, source: str | None, *, topic: str) -> Callable[[EventRecord], bool]:
    wanted = asked.sides[which].source or source
    known: str | None = None

    def admit(event: EventRecord) -> bool:
        nonlocal known
        made_by = pipeline_source(event.pipeline)
        if wanted is not None:
            return made_by == wanted
        check_source(known, made_by, which, topic=topic)
        known = made_by
        return True

    return admit


def _event(record: Record) -> EventRecord:
    """ValueError (msgspec's errors are such) for what is no event."""
    event = decode_event(record.value or b"")
    if not (is_camera_id(event.camera_id) and is_epoch(event.epoch) and 0 <= event.captured_at_ns < 2**63):
        raise ValueError("of no camera, epoch or time that can be")
    # Only now, so that nobody has to do with it later.
    msgspec.json.decode(event.data)
    return event


def _name(record: Record, event: EventRecord) -> str:
    named = next((value for name, value in record.headers if name == "ce_id" and value), b"")
    text = named.decode(errors="replace")
    return text.removeprefix(f"{event.camera_id}/{event.epoch}/{event.sequence}/") or record.place
