"""`timelapse`."""

from dataclasses import dataclass
from typing import ClassVar

from streams.contract.frame import Frame
from streams.operators.base import Needs, Opened
from streams.operators.checks import require
from streams.operators.frame_order import FrameOrder


@dataclass(frozen=True, slots=True)
class Timelapse:
    """Let one frame pass for each interval of capture time; the others count as filtered.

    every_s: seconds from one to the next. Intervals begin at multiples of it since 1970 in UTC, such as the full minute
    for 60, and the first frame in one passes, so it does not matter when a worker began. Subscribers see what is left
    out as missing.
    """

    every_s: float = 60.0
    # The one before tells whether a frame is its interval's first; a redriven one may be between.
    memory_frames: ClassVar[int] = 2
    needs: ClassVar[Needs] = "none"
    changes_image: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(0.001 <= self.every_s <= 31_536_000, self, "every_s", "seconds from 0.001 to a year")

    def open(self) -> Opened:
        """Watch the times of one camera; the first frame that is seen passes."""
        order = FrameOrder()
        every_ns = round(self.every_s * 1e9)
        current: int | None = None

        def timelapse(frame: Frame) -> Frame | None:
            nonlocal current
            interval = frame.captured_at_ns // every_ns
            if order.see(frame) is None or interval == current:
                return None
            current = interval
            return frame

        return timelapse
