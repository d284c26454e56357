"""Frames from a subscription into a sink, so that a kill leaves no hole."""

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from consumers.log_throttle import LogThrottle
from consumers.sinks.sink import Sink
from consumers.subscription import Subscription
from streams.contract.errors import FrameError, SinkError
from streams.contract.frame import Frame

_log = logging.getLogger(__name__)
FLUSH_S = 1.0


class Recorder:
    """Adds frames to a sink, flushes it every second, and only then lets the group's place be written; use `with`.

    The subscription's settings must have `commit_interval_s=None`, so that nothing else writes the place; the sink is
    set up already. damaged: frames whose picture the sink could not use, and skipped.
    """

    def __init__(
        self,
        subscription: Subscription,
        sink: Sink,
        *,
        flush_s: float = FLUSH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscription, self._sink = subscription, sink
        self._flush_s, self._clock = flush_s, clock
        self._flush_at = clock() + flush_s
        self._throttle = LogThrottle()
        self.written = 0
        self.damaged = 0

    def take(self, frame: Frame | None) -> None:
        """Write the frame that `poll` gave (None: there was none); flush when it is time. Raises SinkError."""
        if frame is not None:
            self._add(frame)
        if self._clock() >= self._flush_at:
            self._flush_at = self._clock() + self._flush_s
            if self._sink.flush():
                self._commit(wait=False)

    @property
    def taken(self) -> int:
        """How many frames were taken, written or not."""
        return self.written + self.damaged

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the sink, and then write the group's place; not after an error, for the frame in hand is not safe.

        Raises SinkError when closing fails, unless there was an error already, which says more; KafkaError when all is
        written, but the group's place is not.
        """
        try:
            self._sink.close()
        except SinkError as another:
            if error is None:
                raise
            _log.warning("closing the sink failed, too: %s", another)
        if error is None:
            self._commit(wait=True)

    def _add(self, frame: Frame) -> None:
        try:
            self._sink.add(frame)
        except FrameError as error:
            self.damaged += 1
            held = self._throttle.admit()
            if held is not None:
                extra = {"camera_id": frame.camera_id, "reason": error.reason, "held_back": held}
                _log.warning("%s is skipped: its picture %s", frame.name, error, extra=extra)
        else:
            self.written += 1

    def _commit(self, *, wait: bool) -> None:
        if self._subscription.settings.group is not None:
            self._subscription.commit(wait=wait)
