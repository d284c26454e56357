"""Zones: polygons in fractions of the picture that the operator sees."""

import cv2
import numpy as np

from streams.contract.images import Image
from streams.operators.checks import require

Zone = tuple[tuple[float, float], ...]
Zones = tuple[Zone, ...]
Rect = tuple[int, int, int, int]

EXPECTED = "areas as lists of at least three [x, y] points, each from 0 to 1, such as [[[0, 0.5], [1, 0.5], [1, 1]]]"
WHOLE: Zone = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def require_zones(operator: object, parameter: str = "zones") -> None:
    """Raise ParameterError unless every zone is a polygon within the picture."""
    zones: Zones = getattr(operator, parameter)
    sound = all(len(zone) >= 3 and all(0 <= x <= 1 and 0 <= y <= 1 for x, y in zone) for zone in zones)
    require(sound, operator, parameter, EXPECTED)


def zone_mask(zone: Zone, *, width: int, height: int) -> Image:
    """The zone as uint8 (height, width): 255 in each pixel that it touches, 0 in the others."""
    mask = np.zeros((height, width), np.uint8)
    # Pixel i covers i to i + 1, and fillPoly counts in centres of pixels.
    points = np.array(zone) * (width, height) - 0.5
    shift = 4
    cv2.fillPoly(mask, [np.round(points * (1 << shift)).astype(np.int32)], 255, cv2.LINE_8, shift)
    return mask


def zone_rect(zone: Zone, *, width: int, height: int) -> Rect:
    """The smallest x, y, w, h in whole pixels that holds the zone; at least one pixel."""
    xs, ys = [x for x, _ in zone], [y for _, y in zone]
    left, top = min(int(min(xs) * width), width - 1), min(int(min(ys) * height), height - 1)
    right, bottom = max(left + 1, int(np.ceil(max(xs) * width))), max(top + 1, int(np.ceil(max(ys) * height)))
    return left, top, right - left, bottom - top


def clipped(rect: Rect, *, width: int, height: int) -> Rect | None:
    """The part of the rectangle that lies within the picture, or None when that is nothing."""
    x, y, w, h = rect
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
    if left >= right or top >= bottom:
        return None
    return left, top, right - left, bottom - top
