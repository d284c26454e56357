"""What operators before have followed: boxes with the id of a track, and where in the picture they stand."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from streams.contract.frame import Box, Event, Frame
from streams.operators.boxes import boxes_of
from streams.operators.checks import require

Point = tuple[float, float]
Anchor = Literal["center", "bottom", "top", "left", "right"]
# As parts of the box's width and height.
_ANCHORS: dict[Anchor, tuple[float, float]] = {
    "center": (0.5, 0.5),
    "bottom": (0.5, 1.0),
    "top": (0.5, 0.0),
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
}
# What one camera's operator remembers at once.
MOST_TRACKS = 1000
# They tell of tracks, and follow none.
_TOLD = ("line", "dwell")


def require_anchor(operator: object, anchor: Anchor) -> None:
    """Raise ParameterError unless it is one."""
    expected = " or ".join(f'"{anchor}"' for anchor in _ANCHORS)
    require(anchor in _ANCHORS, operator, "anchor", expected)


def require_names(operator: object, names: tuple[str, ...], count: int, of: str) -> None:
    """Raise ParameterError unless there are no names, or one for each, all different."""
    sound = not names or (len(names) == len(set(names)) == count and all(names))
    require(sound, operator, "names", f"a different name for each of the {of}, of which there are {count}, or none")


def names_or_numbers(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """The names, or where there are none the numbers from 0 on, as text."""
    return names or tuple(map(str, range(count)))


def tracked_boxes(events: Iterable[Event], labels: tuple[str, ...]) -> dict[str, Box]:
    """The first box of each track by its id, in their order. labels: those that count; none is all."""
    found: dict[str, Box] = {}
    for _, box in boxes_of(event for event in events if event.type not in _TOLD):
        if box.track is not None and (not labels or box.label in labels):
            found.setdefault(box.track, box)
    return found


def ended_tracks(events: Iterable[Event]) -> list[str]:
    """The ids of those that are gone, by the events' `data.ended`."""
    return [id for event in events if event.type not in _TOLD for id in _ended(event.data)]


def _ended(data: Any) -> Iterable[str]:
    ended = data.get("ended") if isinstance(data, Mapping) else getattr(data, "ended", None)
    return ended if isinstance(ended, (tuple, list)) else ()


def place_of(frame: Frame, box: Box, anchor: Anchor) -> Point:
    """That point of the box, x and y as fractions of the picture seen; it may lie beyond its edges."""
    (a, b, c), (d, e, f) = frame.to_raw.tolist()
    (raw_width, raw_height), area = frame.raw_size, a * e - b * d
    # In plain numbers: for a handful of corners, arrays take ten times as long.
    xs, ys = [], []
    for corner_x in (box.x, box.x + box.w):
        for corner_y in (box.y, box.y + box.h):
            x, y = corner_x * raw_width - c, corner_y * raw_height - f
            xs.append((e * x - b * y) / area / frame.width)
            ys.append((a * y - d * x) / area / frame.height)
    across, down = _ANCHORS[anchor]
    return min(xs) + (max(xs) - min(xs)) * across, min(ys) + (max(ys) - min(ys)) * down
