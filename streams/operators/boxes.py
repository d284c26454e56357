"""The boxes that events carry."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from streams.contract.frame import Box, Event


def boxes_of(events: Iterable[Event]) -> Iterator[tuple[Event, Box]]:
    """Each box that the events carry in `data.boxes`, with its event; events of another shape have none."""
    for event in events:
        for box in _boxes(event.data):
            yield event, box if isinstance(box, Box) else msgspec.convert(box, Box)


def _boxes(data: Any) -> Iterable[Any]:
    found = data.get("boxes") if isinstance(data, Mapping) else getattr(data, "boxes", None)
    return found or ()
