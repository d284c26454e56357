"""`pixelate`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import cv2

from streams.contract.frame import Frame
from streams.contract.images import Image
from streams.operators.areas import WHOLE, Rect, Zone, Zones, clipped, require_zones, zone_mask, zone_rect
from streams.operators.base import Needs, Opened
from streams.operators.boxes import boxes_of
from streams.operators.checks import require

MIN_CELL = 8


@dataclass(frozen=True, slots=True)
class Pixelate:
    """Make areas unrecognisable.

    kind: "zones", or "events" for the boxes that operators before this one have found.
    zones: areas; none is the whole picture. cells: how many squares fit along the longer side of an area; a square is
    never smaller than 8 pixels, so that a small area does not stay readable.
    """

    kind: Literal["zones", "events"] = "zones"
    zones: Zones = ()
    cells: int = 12
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[Needs] = "any"
    changes_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.kind in ("zones", "events"), self, "kind", '"zones" or "events"')
        require_zones(self)
        require(self.kind == "zones" or not self.zones, self, "zones", 'none when kind is "events"')
        require(1 <= self.cells <= 1000, self, "cells", "a number from 1 to 1000")

    def open(self) -> Opened:
        """Pixelate each frame; one in which there is nothing to hide passes untouched."""
        return self._open_zones() if self.kind == "zones" else self._events

    def _open_zones(self) -> Opened:
        # Safe to share: two threads may at worst compute the same masks twice.
        areas = lru_cache(maxsize=16)(lambda width, height: [_area(zone, width, height) for zone in zones])
        zones = self.zones or (WHOLE,)

        def pixelate(frame: Frame) -> Frame:
            image = frame.image.copy()
            for rect, mask in areas(frame.width, frame.height):
                self._hide(image, rect, mask)
            return frame.with_image(image)

        return pixelate

    def _events(self, frame: Frame) -> Frame:
        rects = [
            clipped(frame.pixels_of(box), width=frame.width, height=frame.height) for _, box in boxes_of(frame.events)
        ]
        inside = [rect for rect in rects if rect]
        if not inside:
            return frame
        image = frame.image.copy()
        for rect in inside:
            self._hide(image, rect, None)
        return frame.with_image(image)

    def _hide(self, image: Image, rect: Rect, mask: Image | None) -> None:
        """Write squares of one colour each, the mean of what they cover, over the rectangle where the mask is set."""
        x, y, w, h = rect
        part = image[y : y + h, x : x + w]
        side = max(max(w, h) / self.cells, MIN_CELL)
        few = cv2.resize(part, (max(1, int(w / side)), max(1, int(h / side))), interpolation=cv2.INTER_AREA)
        squares = cv2.resize(few, (w, h), interpolation=cv2.INTER_NEAREST)
        if mask is None:
            part[:] = squares
        else:
            cv2.copyTo(squares, mask, part)


def _area(zone: Zone, width: int, height: int) -> tuple[Rect, Image | None]:
    rect = x, y, w, h = zone_rect(zone, width=width, height=height)
    mask = zone_mask(zone, width=width, height=height)[y : y + h, x : x + w]
    return rect, None if mask.all() else mask.copy()
