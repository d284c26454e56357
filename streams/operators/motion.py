"""`motion`."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from streams.contract.event_types import MotionFound
from streams.contract.frame import Event, Frame
from streams.contract.images import Image
from streams.operators.areas import WHOLE, Rect, Zones, require_zones, zone_mask, zone_rect
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.downscale import MAX_DOWNSCALE, downscaled_size, enough_downscale

_SURE = 200  # MOG2 marks the moving with 255 and shadows with 127.


@dataclass(frozen=True, slots=True)
class Motion:
    """Find what moves (MOG2): an event for each zone in which something does; the picture stays as it is.

    zones: areas to watch; none is the whole picture, as zone "0". min_area: the smallest thing that counts, as a
    fraction of the picture. history: frames that the background is learnt from. var_threshold: how unlike the
    background a pixel must be (squared, in its own variances). shadows: leave them out; what is only darker than its
    background may then be missed, in gray pictures above all. downscale: looks at a picture this many times smaller;
    without it, at one halved for as long as 320 pixels of its width remain. warmup: frames that pass before anything
    is reported.
    """

    zones: Zones = ()
    min_area: float = 0.002
    history: int = 200
    var_threshold: float = 25.0
    shadows: bool = False
    downscale: int | None = None
    warmup: int = 10
    needs: ClassVar[Needs] = "color"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_zones(self)
        require(0 < self.min_area <= 1, self, "min_area", "a fraction of the picture above 0, up to 1")
        require(2 <= self.history <= 10_000, self, "history", "a number of frames from 2 to 10000")
        require(0 < self.var_threshold <= 10_000, self, "var_threshold", "a number above 0, up to 10000")
        sound = self.downscale is None or 1 <= self.downscale <= MAX_DOWNSCALE
        require(sound, self, "downscale", f"a number from 1 to {MAX_DOWNSCALE}")
        require(1 <= self.warmup <= self.history, self, "warmup", f"1 to history, which is {self.history}")

    @property
    def memory_frames(self) -> int:
        """As many as the background is learnt from."""
        return self.history

    def open(self) -> Opened:
        """Watch the frames of one camera; a picture of another size starts afresh."""
        watch: _Watch | None = None

        def motion(frame: Frame) -> Frame:
            nonlocal watch
            small = frame.downscaled(*self.reads_at(frame.width, frame.height))
            if watch is None or (watch.size, watch.shape) != ((frame.width, frame.height), small.shape):
                watch = _Watch(self, (frame.width, frame.height), small.shape)
            events = [
                Event(
                    type="motion",
                    data=MotionFound(zone=str(zone), boxes=tuple(frame.box(*rect) for rect in rects), area=area),
                )
                for zone, rects, area in watch.see(small)
            ]
            return frame.with_events(*events) if events else frame

        return motion

    def reads_at(self, width: int, height: int) -> tuple[int, int]:
        """The picture made smaller as `downscale` says; at least one pixel."""
        return downscaled_size(width, height, self.downscale or enough_downscale(width))


class _Watch:
    """The background of one camera at one size, seen through the rectangle that holds all zones."""

    def __init__(self, settings: Motion, size: tuple[int, int], shape: tuple[int, ...]) -> None:
        """size: (width, height) of the frame's picture. shape: of the smaller one that is looked at."""
        self.size, self.shape = size, shape
        height, width = shape[:2]
        zones = settings.zones or (WHOLE,)
        points = tuple(point for zone in zones for point in zone)
        x, y, w, h = self._rect = zone_rect(points, width=width, height=height)
        self._scale = (size[0] / width, size[1] / height)
        # Once for each size: the zones do not move.
        self._masks = [zone_mask(zone, width=width, height=height)[y : y + h, x : x + w].copy() for zone in zones]
        self._least = max(1.0, settings.min_area * width * height)
        self._warmup = settings.warmup
        self._seen = 0
        self._model = cv2.createBackgroundSubtractorMOG2(settings.history, settings.var_threshold, settings.shadows)
        self._kernel = np.ones((3, 3), np.uint8)

    def see(self, image: Image) -> list[tuple[int, list[Rect], float]]:
        """Learn from the picture; what moves in each zone in which something does.

        (number, rects, area): x, y, w, h in pixels of the frame, and the moving as a fraction of the picture.
        """
        x, y, w, h = self._rect
        moving = self._model.apply(image[y : y + h, x : x + w])
        self._seen += 1
        # An unlearnt background makes everything look as if it moved.
        if self._seen <= self._warmup:
            return []
        moving = cv2.threshold(moving, _SURE, 255, cv2.THRESH_BINARY)[1]
        # Opening takes away only, so where there is too little before it, it can be left out.
        if cv2.countNonZero(moving) < self._least:
            return []
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, self._kernel)
        if cv2.countNonZero(moving) < self._least:
            return []
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, self._kernel, iterations=2)
        found = ((number, *self._rects(cv2.bitwise_and(moving, mask))) for number, mask in enumerate(self._masks))
        return [(number, rects, area) for number, rects, area in found if rects]

    def _rects(self, moving: cv2.typing.MatLike) -> tuple[list[Rect], float]:
        _, _, stats, _ = cv2.connectedComponentsWithStats(moving, connectivity=8)
        # Component 0 is what does not move. Largest first; where two are equal, by place, so that a repeat is the same.
        blobs = sorted((row for row in stats[1:].tolist() if row[4] >= self._least), key=lambda row: (-row[4], row))
        (left, top, _, _), (across, down) = self._rect, self._scale
        rects = [
            (
                round((left + x) * across),
                round((top + y) * down),
                max(1, round(w * across)),
                max(1, round(h * down)),
            )
            for x, y, w, h, _ in blobs
        ]
        return rects, sum(row[4] for row in blobs) / (self.shape[0] * self.shape[1])
