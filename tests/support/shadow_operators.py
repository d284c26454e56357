"""Operators whose results are known beforehand, so that what differs between two settings of them is, too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from streams.contract.frame import Event, Frame


@dataclass(frozen=True, slots=True)
class Mark:
    """Finds a mark in the frames whose number is divisible. every: by what."""

    every: int = 1
    memory_frames: ClassVar[int] = 0
    needs: ClassVar[str] = "none"
    changes_image: ClassVar[bool] = False

    def open(self) -> Callable[[Frame], Frame]:
        def operate(frame: Frame) -> Frame:
            if frame.sequence % self.every:
                return frame
            return frame.with_events(Event(type="test.mark", data={"number": frame.sequence}))

        return operate
