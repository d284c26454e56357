"""Which frames are worth the work, as the pipeline's settings choose; decided before anything is decoded.

`every_frame` skips nothing. `freshest` keeps at most one frame of each camera waiting: a newer one takes its place in
the queue. `max_age_ms` skips what is older than that. `max_fps` thins each camera out.
"""

import time
from typing import Generic, TypeVar

from streams.contract.headers import Record
from streams.contract.redrive import redriven_for
from streams.pipeline_settings import PipelineSettings

Waiting = TypeVar("Waiting")

# Forged camera ids must not fill the memory. A camera that is forgotten gets one frame too many.
MAX_CAMERAS = 10_000


def too_old(record: Record, settings: PipelineSettings) -> bool:
    """Whether a frame is past `max_age_ms`, by the record's time, which is that of the producing host.

    A redriven dead letter never is: somebody has asked for it.
    """
    late = settings.max_age_ms > 0 and time.time_ns() // 1_000_000 - record.timestamp_ms > settings.max_age_ms
    return late and redriven_for(record.headers) is None


class Pace:
    """Lets at most `max_fps` frames a second of each camera pass, by the records' times."""

    def __init__(self) -> None:
        self._due_ms: dict[str, float] = {}

    def too_soon(self, camera: str, timestamp_ms: int, *, max_fps: float) -> bool:
        """Whether the frame is one too many. timestamp_ms: ms since 1970; max_fps 0: none is."""
        if max_fps <= 0:
            return False
        period_ms = 1000 / max_fps
        due = self._due_ms.get(camera, float("-inf"))
        # Nothing is ever due later than a period after a frame that passed: then the clock was set back.
        if due - 2 * period_ms < timestamp_ms < due:
            return True
        if len(self._due_ms) >= MAX_CAMERAS:
            self._due_ms.clear()
        # From when it was due and not from now: 30 frames a second thinned to 20 are 20, and not 15.
        self._due_ms[camera] = (due if timestamp_ms - period_ms < due <= timestamp_ms else timestamp_ms) + period_ms
        return False


class Newest(Generic[Waiting]):
    """The newest frame of each camera that waits to be begun."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def put(self, camera: str, frame: Waiting) -> Waiting | None:
        """Note the newest; returns the one before it, which may have been begun meanwhile."""
        before = self._waiting.get(camera)
        self._waiting[camera] = frame
        return before

    def forget(self, camera: str, frame: Waiting) -> None:
        """This one waits no more."""
        if self._waiting.get(camera) is frame:
            del self._waiting[camera]
