"""`line_count`."""

import math
from dataclasses import dataclass
from typing import ClassVar

from streams.contract.event_types import LineCrossed
from streams.contract.frame import Event, Frame
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

Line = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class LineCount:
    """Count what crosses lines: an event for each crossing by what `track` before it follows; the picture stays.

    lines: each from one point to another; "in" is from the left to the right of one who looks from the first to the
    second, "out" the way back. names: of the lines, in their order; without, their numbers. anchor: the point of a box
    that crosses. margin: how far beyond a line it must be to count, as a fraction of the picture's width, so that what
    trembles on a line is not counted again and again. labels: those that count; none is all.
    """

    lines: tuple[Line, ...]
    names: tuple[str, ...] = ()
    anchor: Anchor = "center"
    margin: float = 0.01
    labels: tuple[str, ...] = ()
    memory_frames: ClassVar[int] = 100
    needs: ClassVar[Needs] = "none"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        points = [point for line in self.lines for point in line]
        within = all(0 <= x <= 1 and 0 <= y <= 1 for x, y in points)
        sound = within and len(points) > 0 and all(first != second for first, second in self.lines)
        expected = "lines as two different [x, y] points, each from 0 to 1, such as [[[0, 0.5], [1, 0.5]]]"
        require(sound, self, "lines", expected)
        require_names(self, self.names, len(self.lines), "lines")
        require_anchor(self, self.anchor)
        require(0 <= self.margin <= 0.2, self, "margin", "a fraction of the picture's width from 0 to 0.2")

    def open(self) -> Opened:
        """Watch the tracks of one camera."""
        order = FrameOrder()
        names = names_or_numbers(self.names, len(self.lines))
        # Where each track was last surely beside each line; the longest unseen first.
        memory: dict[str, list[Point | None]] = {}

        def line_count(frame: Frame) -> Frame:
            if order.see(frame) is None:
                return frame
            boxes = tracked_boxes(frame.events, self.labels)
            crossings = [_Crossing(line, (frame.width, frame.height), margin=self.margin) for line in self.lines]
            events = []
            for id, box in boxes.items():
                here = place_of(frame, box, self.anchor)
                last = memory[id] = memory.pop(id, [None] * len(crossings))
                for number, crossing in enumerate(crossings):
                    if not crossing.side(here):
                        continue
                    direction = crossing.direction(last[number], here)
                    last[number] = here
                    if direction:
                        data = LineCrossed(line=names[number], direction=direction, boxes=(box,))
                        events.append(Event(type="line", data=data))
            for id in ended_tracks(frame.events):
                memory.pop(id, None)
            while len(memory) > MOST_TRACKS:
                del memory[next(iter(memory))]
            return frame.with_events(*events) if events else frame

        return line_count


class _Crossing:
    """A line in a picture of this size (width, height), in pixels: in fractions, what is right-angled is not."""

    def __init__(self, line: Line, size: tuple[int, int], *, margin: float) -> None:
        self._size, self._margin = size, margin * size[0]
        (self._x, self._y), (x, y) = self._pixels(line[0]), self._pixels(line[1])
        self._length = math.sqrt((x - self._x) ** 2 + (y - self._y) ** 2)
        self._along = ((x - self._x) / self._length, (y - self._y) / self._length)

    def side(self, point: Point) -> int:
        """1 to the right of the line, -1 to its left, 0 where it cannot be told."""
        _, beside = self._place(point)
        if beside == 0 or abs(beside) < self._margin:
            return 0
        return 1 if beside > 0 else -1

    def direction(self, before: Point | None, here: Point) -> str:
        """ "in", "out", or "" where the way between the two, each surely on a side, does not cross the line."""
        if before is None or self.side(before) == self.side(here):
            return ""
        (along, beside), (along_now, beside_now) = self._place(before), self._place(here)
        if beside * beside_now >= 0:
            # The picture has come to have another size, and the margin with it.
            return ""
        at = along + (along_now - along) * beside / (beside - beside_now)
        if not 0 <= at <= self._length:
            return ""
        return "in" if beside_now > 0 else "out"

    def _place(self, point: Point) -> tuple[float, float]:
        """How far along the line, and how far to its right, a point lies."""
        x, y = self._pixels(point)
        across, down = x - self._x, y - self._y
        return across * self._along[0] + down * self._along[1], down * self._along[0] - across * self._along[1]

    def _pixels(self, point: Point) -> Point:
        return point[0] * self._size[0], point[1] * self._size[1]
