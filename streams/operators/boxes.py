"""Where things are in the raw picture: the boxes that events carry, and points."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from streams.contract.frame import Box, Event, Frame

Points = np.ndarray[Any, np.dtype[Any]]


def boxes_of(events: Iterable[Event]) -> Iterator[tuple[Event, Box]]:
    """Each box that the events carry in `data.boxes`, with its event; events of another shape have none."""
    for event in events:
        for box in _boxes(event.data):
            yield event, box if isinstance(box, Box) else msgspec.convert(box, Box)


def _boxes(data: Any) -> Iterable[Any]:
    found = data.get("boxes") if isinstance(data, Mapping) else getattr(data, "boxes", None)
    return found or ()


def raw_points(frame: Frame, points: Points) -> list[tuple[float, float]]:
    """Points (N, 2: x, y) in pixels of the frame's picture as fractions of the raw one, within 0 to 1."""
    raw = points @ frame.to_raw[:, :2].T + frame.to_raw[:, 2]
    return [(x, y) for x, y in np.clip(raw / np.array(frame.raw_size, float), 0.0, 1.0).tolist()]
