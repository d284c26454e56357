"""Which box of a frame is which of those before: greedily by overlap, where each is expected by its last movement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from streams.contract.frame import Box

# What there is at once, and of one frame: beyond it, boxes are not followed.
MOST = 500
# How much the newest movement counts against those before, once there are some.
_VELOCITY_GAIN = 0.3
# Of frames that come in one burst, the times of capture say nothing of how fast something is.
_LEAST_SECONDS = 0.001

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Found:
    """A box that is to be followed. group: only boxes of the same one are taken for the same thing."""

    group: tuple[str, str]
    box: Box


@dataclass(slots=True, eq=False)
class Path:
    """One thing over time. box: where it was found last, with `id` as its track. hits: frames in which it was found.

    velocity: of its middle, in fractions of the picture per second.
    """

    id: str
    group: tuple[str, str]
    box: Box
    seen_ns: int
    velocity: tuple[float, float] = (0.0, 0.0)
    hits: int = 1

    def expected(self, at_ns: int) -> tuple[float, float, float, float]:
        """Where its box would be by now: x, y, w, h."""
        seconds = (at_ns - self.seen_ns) / 1e9
        (across, down), box = self.velocity, self.box
        return box.x + across * seconds, box.y + down * seconds, box.w, box.h

    def move(self, box: Box, at_ns: int) -> None:
        """It was found again."""
        seconds, last = (at_ns - self.seen_ns) / 1e9, self.box
        if seconds >= _LEAST_SECONDS:
            # The mean of the first ones, then slowly forgetting: the edges of boxes tremble.
            gain = max(1 / self.hits, _VELOCITY_GAIN)
            moved = box.x + box.w / 2 - last.x - last.w / 2, box.y + box.h / 2 - last.y - last.h / 2
            across, down = self.velocity
            self.velocity = (
                across + gain * (moved[0] / seconds - across),
                down + gain * (moved[1] / seconds - down),
            )
        self.hits, self.seen_ns, self.box = self.hits + 1, at_ns, msgspec.structs.replace(box, track=self.id)


class Tracks:
    """What is followed of one camera.

    min_iou: the least overlap (intersection over union). reach: by how much of its size a box is widened on each side
    before. min_hits: frames in a row that it takes for a thing to count. max_age_ns: after so long without, it is gone.
    """

    def __init__(self, *, min_iou: float, reach: float, min_hits: int, max_age_ns: int) -> None:
        self._min_iou, self._reach, self._min_hits, self._max_age_ns = min_iou, reach, min_hits, max_age_ns
        self._paths: list[Path] = []

    def end(self) -> list[Path]:
        """Follow none of them any longer; those that counted."""
        gone, self._paths = self._paths, []
        return [path for path in gone if self._counts(path)]

    def see(self, found: Sequence[Found], at_ns: int, *, born: str) -> tuple[list[Path], list[Path]]:
        """What counts of a frame's boxes, the longest followed first, and what is gone with this frame.

        born: the id of a new one is this and its number among those of the frame, from 1.
        """
        alive = [path for path in self._paths if at_ns - path.seen_ns <= self._max_age_ns]
        gone = [path for path in self._paths if at_ns - path.seen_ns > self._max_age_ns]
        found = found[:MOST]
        matched = self._matched(alive, found, at_ns)
        for path, index in matched.items():
            path.move(found[index].box, at_ns)
        taken = set(matched.values())
        left = [each for index, each in enumerate(found) if index not in taken]
        new = [_begun(each, at_ns, id=f"{born}-{number}") for number, each in enumerate(left, 1)]
        # What comes and goes before it counts was noise.
        self._paths = [*(path for path in alive if path in matched or self._counts(path)), *new]
        gone += self._too_many()
        seen = [*(path for path in alive if path in matched), *new]
        return [path for path in seen if self._counts(path)], [path for path in gone if self._counts(path)]

    def _counts(self, path: Path) -> bool:
        return path.hits >= self._min_hits

    def _too_many(self) -> list[Path]:
        """Those unseen for longest, where there are more than may be; they are dropped."""
        excess = len(self._paths) - MOST
        gone = sorted(self._paths, key=lambda path: path.seen_ns)[:excess] if excess > 0 else []
        self._paths = [path for path in self._paths if path not in gone]
        return gone

    def _matched(self, paths: Sequence[Path], found: Sequence[Found], at_ns: int) -> dict[Path, int]:
        """The index of the box that each path goes on with."""
        if not paths or not found:
            return {}
        overlaps = _overlaps(
            np.array([path.expected(at_ns) for path in paths]),
            np.array([(each.box.x, each.box.y, each.box.w, each.box.h) for each in found]),
            reach=self._reach,
        )
        groups = {group: number for number, group in enumerate({each.group: None for each in found})}
        of_paths = np.array([groups.get(path.group, -1) for path in paths])
        of_found = np.array([groups[each.group] for each in found])
        overlaps[of_paths[:, None] != of_found[None, :]] = 0.0
        rows, columns = np.nonzero(overlaps >= self._min_iou)
        # The greatest overlap first; where two are equal, the longer followed, then the box that was named first.
        order = np.lexsort((columns, rows, -overlaps[rows, columns]))
        matched: dict[Path, int] = {}
        taken: set[int] = set()
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            if paths[row] not in matched and column not in taken:
                matched[paths[row]] = column
                taken.add(column)
        return matched


def _begun(found: Found, at_ns: int, *, id: str) -> Path:
    return Path(id, found.group, msgspec.structs.replace(found.box, track=id), at_ns)


def _overlaps(boxes: Array, others: Array, *, reach: float) -> Array:
    """Intersection over union of each of the boxes (N, 4: x, y, w, h) with each of the others: (N, M)."""
    (low, high), (other_low, other_high) = _corners(boxes, reach), _corners(others, reach)
    sides = np.minimum(high[:, None], other_high[None]) - np.maximum(low[:, None], other_low[None])
    shared: Array = np.prod(np.maximum(sides, 0.0), axis=2)
    areas, other_areas = np.prod(high - low, axis=1), np.prod(other_high - other_low, axis=1)
    # What is too small for an area in binary overlaps nothing.
    covered = np.maximum(areas[:, None] + other_areas[None] - shared, np.finfo(float).tiny)
    overlaps: Array = shared / covered
    return overlaps


def _corners(boxes: Array, reach: float) -> tuple[Array, Array]:
    low, size = boxes[:, :2], boxes[:, 2:]
    return low - reach * size, low + (1 + reach) * size
