"""What becomes of a message: a frame that is wanted and new, or nothing."""

import logging

from confluent_kafka import Message

from consumers.horizon import Horizon
from consumers.log_throttle import LogThrottle
from consumers.settings import SubscriptionSettings
from consumers.tally import Tally
from streams.contract.errors import FrameError
from streams.contract.frame import Frame
from streams.contract.headers import Record, camera_of, to_frame
from streams.contract.records import to_record

_log = logging.getLogger(__name__)


class Intake:
    """Reads messages as frames, drops what is not wanted or was seen before, and keeps the sums."""

    def __init__(self, settings: SubscriptionSettings, *, horizon: Horizon | None) -> None:
        self._settings, self._horizon = settings, horizon
        self._throttle = LogThrottle()
        # A group resumes by its place, which may lie before `since`; only a mere watcher goes by the clock alone.
        self._since_ms = 0 if settings.group is not None else -(-(settings.since_ns or 0) // 1_000_000)
        self.tally = Tally()
        self.passed = False

    def read(self, message: Message) -> Frame | None:
        """The frame; None when the message is none, outside the time asked for, of another camera, or a repeat.

        `passed` tells whether its partition has just come to the end of the time asked for.
        """
        self.passed = False
        try:
            record = to_record(message)
            return self._wanted(record)
        except FrameError as error:
            self._refuse(error, message)
            return None

    def _wanted(self, record: Record) -> Frame | None:
        at_ms, horizon = record.timestamp_ms, self._horizon
        if horizon:
            self.passed = horizon.note(record.partition, next_offset=record.offset + 1, timestamp_ms=at_ms)
        if at_ms < self._since_ms or (horizon and at_ms >= horizon.until_ms):
            return None
        if not self._settings.cameras.match(camera_of(record)):
            return None
        frame = to_frame(record)
        return frame if self.tally.admit(frame) else None

    def _refuse(self, error: FrameError, message: Message) -> None:
        self.tally.refuse(error)
        held = self._throttle.admit()
        if held is not None:
            place = f"{message.topic()}/{message.partition()}/{message.offset()}"
            extra = {"input": place, "reason": error.reason, "held_back": held}
            _log.warning("%s is no frame and is skipped: %s", place, error, extra=extra)
