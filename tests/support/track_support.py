"""Frames in which boxes have been found, or are followed, for tests of operators on time."""

from collections.abc import Iterable, Sequence
from typing import Any

from frame_support import CAPTURED_AT_NS, flat, frame_of

from streams.contract.frame import Box, Event, Frame
from streams.operators.base import Opened

WIDTH, HEIGHT = 200, 100
EPOCH = "20260102T030405678-abcd"
BLANK = flat(WIDTH, HEIGHT, 0)


def box_at(x: float, y: float, *, side: float = 0.1, label: str = "", track: str | None = None) -> Box:
    """A box with this middle, as fractions of the picture."""
    return Box(x=x - side / 2, y=y - side / 2, w=side, h=side, label=label, score=0.5, track=track)


def frame_at(
    index: int,
    *boxes: Box,
    at_s: float | None = None,
    type: str = "detection",
    ended: Sequence[str] = (),
    epoch: str = EPOCH,
    fps: float = 10,
) -> Frame:
    """The frame with this number, blank, in which there are boxes. at_s: its time of capture, else by its number."""
    events: tuple[Event, ...] = ()
    if boxes or ended:
        events = (Event(type=type, data={"boxes": boxes, "ended": tuple(ended)}),)
    seconds = index / fps if at_s is None else at_s
    captured_at_ns = CAPTURED_AT_NS + round(seconds * 1e9)
    return frame_of(BLANK, sequence=index, events=events).changed(epoch=epoch, captured_at_ns=captured_at_ns)


def told(operate: Opened, frames: Iterable[Frame], type: str) -> list[tuple[int, Any]]:
    """The frame's number and the data of each event of this type that the operator adds."""
    found = []
    for frame in frames:
        result = operate(frame)
        assert result is not None and result.events[: len(frame.events)] == frame.events
        added = result.events[len(frame.events) :]
        assert {event.type for event in added} <= {type}
        found += [(frame.sequence, event.data) for event in added]
    return found
