"""`dwell`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np

from streams.contract.event_types import DwellChanged
from streams.contract.frame import Box, Event, Frame
from streams.operators.areas import WHOLE, Zone, Zones, require_zones
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.frame_order import FrameOrder
from streams.operators.tracked import (
    MOST_TRACKS,
    Anchor,
    Point,
    ended_tracks,
    names_or_numbers,
    place_of,
    require_anchor,
    require_names,
    tracked_boxes,
)

State = Literal["entered", "stayed", "left"]


@dataclass(frozen=True, slots=True)
class Dwell:
    """Tell how long things stay in zones: an event when what `track` before it follows enters and leaves one.

    The picture stays as it is. zones: areas; none is the whole picture, as zone "0". names: of the zones, in their
    order; without, their numbers. anchor: the point of a box that must lie within. after_ms: an event, once, when
    something has stayed for so long; 0 is never. grace_ms: for less it may be outside without having left, so that what
    trembles on the edge does not come and go. labels: those that count; none is all. All by the times of capture.
    """

    zones: Zones = ()
    names: tuple[str, ...] = ()
    anchor: Anchor = "center"
    after_ms: int = 0
    grace_ms: int = 500
    labels: tuple[str, ...] = ()
    memory_frames: ClassVar[int] = 100
    needs: ClassVar[Needs] = "none"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_zones(self)
        require_names(self, self.names, len(self.zones or (WHOLE,)), "zones")
        require_anchor(self, self.anchor)
        require(0 <= self.after_ms <= 86_400_000, self, "after_ms", "milliseconds up to a day, or 0 for never")
        require(0 <= self.grace_ms <= 3_600_000, self, "grace_ms", "milliseconds up to an hour")

    def open(self) -> Opened:
        """Watch the tracks of one camera."""
        order = FrameOrder()
        zones = self.zones or (WHOLE,)
        names = names_or_numbers(self.names, len(zones))
        watches = [_Watch(self, name, zone) for name, zone in zip(names, zones, strict=True)]

        def dwell(frame: Frame) -> Frame:
            at_ns = order.see(frame)
            if at_ns is None:
                return frame
            boxes = tracked_boxes(frame.events, self.labels)
            places = {id: place_of(frame, box, self.anchor) for id, box in boxes.items()}
            ended = ended_tracks(frame.events)
            changes = [change for watch in watches for change in watch.see(boxes, places, ended, at_ns)]
            return frame.with_events(*(Event(type="dwell", data=change) for change in changes)) if changes else frame

        return dwell


@dataclass(slots=True)
class _Stay:
    """Of one track in one zone. last_ns, box: when and where it was last found within."""

    entered_ns: int
    last_ns: int
    box: Box
    told: bool = False


class _Watch:
    """Who is in one zone."""

    def __init__(self, settings: Dwell, name: str, zone: Zone) -> None:
        self._name, self._zone = name, np.array(zone, np.float32)
        self._after_ns, self._grace_ns = settings.after_ms * 1_000_000, settings.grace_ms * 1_000_000
        # The longest unseen first.
        self._stays: dict[str, _Stay] = {}

    def see(
        self, boxes: dict[str, Box], places: dict[str, Point], ended: list[str], at_ns: int
    ) -> Iterator[DwellChanged]:
        """What there is to be told after a frame."""
        for id, box in boxes.items():
            if cv2.pointPolygonTest(self._zone, places[id], False) >= 0:
                yield from self._inside(id, box, at_ns)
            elif id in self._stays and at_ns - self._stays[id].last_ns >= self._grace_ns:
                yield self._left(id, box)
        for id in ended:
            if id in self._stays:
                yield self._left(id)
        while len(self._stays) > MOST_TRACKS:
            yield self._left(next(iter(self._stays)))

    def _inside(self, id: str, box: Box, at_ns: int) -> Iterator[DwellChanged]:
        stay = self._stays.pop(id, None)
        if stay is None:
            stay = _Stay(at_ns, at_ns, box)
            yield self._changed("entered", stay, box)
        stay.last_ns, stay.box = at_ns, box
        self._stays[id] = stay
        if self._after_ns and not stay.told and at_ns - stay.entered_ns >= self._after_ns:
            stay.told = True
            yield self._changed("stayed", stay, box)

    def _left(self, id: str, box: Box | None = None) -> DwellChanged:
        stay = self._stays.pop(id)
        return self._changed("left", stay, box or stay.box)

    def _changed(self, state: State, stay: _Stay, box: Box) -> DwellChanged:
        ms = (stay.last_ns - stay.entered_ns) // 1_000_000
        return DwellChanged(zone=self._name, state=state, ms=ms, boxes=(box,))
