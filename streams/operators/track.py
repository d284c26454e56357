"""`track`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from streams.contract.event_types import TracksFound
from streams.contract.frame import Box, Event, Frame
from streams.operators.base import Needs, Opened
from streams.operators.boxes import boxes_of
from streams.operators.checks import require
from streams.operators.frame_order import FrameOrder
from streams.operators.tracks import Found, Path, Tracks


@dataclass(frozen=True, slots=True)
class Track:
    """Follow what others have found: an event with its boxes, each with the id of its track; the picture stays.

    types: of events whose boxes are followed, such as "detection"; none is all. labels: those that are; none is all.
    min_iou: the least overlap (intersection over union) of a box with where it is expected. reach: by how much of its
    size a box is widened on each side before, so that something small and fast is not lost. min_hits: frames in a row
    in which it must be found to count. max_age_ms: it is gone when it was not found for longer, by the times of
    capture. mix_labels: something may change its label, such as from car to truck. memory_frames: that are seen again
    where a worker takes over; what is followed for longer has another id from then on.
    """

    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    min_iou: float = 0.2
    reach: float = 0.25
    min_hits: int = 3
    max_age_ms: int = 1000
    mix_labels: bool = False
    memory_frames: int = 100
    needs: ClassVar[Needs] = "none"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(0 < self.min_iou <= 1, self, "min_iou", "an overlap above 0, up to 1")
        require(0 <= self.reach <= 5, self, "reach", "a multiple of a box's size from 0 to 5")
        require(1 <= self.min_hits <= 100, self, "min_hits", "a number of frames from 1 to 100")
        require(0 <= self.max_age_ms <= 3_600_000, self, "max_age_ms", "milliseconds up to an hour")
        least = self.min_hits
        require(least <= self.memory_frames <= 10_000, self, "memory_frames", f"min_hits, which is {least}, to 10000")

    def open(self) -> Opened:
        """Follow the boxes of one camera; a new epoch begins afresh."""
        order = FrameOrder()
        tracks = Tracks(
            min_iou=self.min_iou,
            reach=self.reach,
            min_hits=self.min_hits,
            max_age_ns=self.max_age_ms * 1_000_000,
        )
        epoch = ""

        def track(frame: Frame) -> Frame:
            nonlocal epoch
            at_ns = order.see(frame)
            if at_ns is None:
                return frame
            ended = tracks.end() if frame.epoch != epoch else []
            epoch = frame.epoch
            seen, gone = tracks.see(list(self._found(frame)), at_ns, born=f"{frame.epoch}-{frame.sequence}")
            events = list(_events(seen, ended + gone))
            return frame.with_events(*events) if events else frame

        return track

    def _found(self, frame: Frame) -> Iterator[Found]:
        """What is to be followed in the frame, each once: zones that overlap have the same box."""
        told = set()
        for event, box in boxes_of(frame.events):
            if box.track is not None or (self.types and event.type not in self.types):
                continue
            if self.labels and box.label not in self.labels:
                continue
            place = (box.x, box.y, box.w, box.h)
            # Also what is no number is not above nothing.
            if not (box.w > 0 and box.h > 0 and math.isfinite(sum(place))):
                continue
            found = (event.type, box.label, place)
            if found not in told:
                told.add(found)
                x, y, w, h = place
                plain = Box(x=x, y=y, w=w, h=h, label=box.label, score=box.score)
                yield Found((event.type, "" if self.mix_labels else box.label), plain)


def _events(seen: list[Path], gone: list[Path]) -> Iterator[Event]:
    """One for each type of what was found, by its name."""
    for type in sorted({path.group[0] for path in [*seen, *gone]}):
        boxes = tuple(path.box for path in seen if path.group[0] == type)
        ended = tuple(path.id for path in gone if path.group[0] == type)
        yield Event(type="track", data=TracksFound(of=type, boxes=boxes, ended=ended))
