"""What becomes of a record: something that is wanted and new, or nothing."""

import logging
from typing import Generic, TypeVar

from confluent_kafka import Message

from consumers.horizon import Horizon
from consumers.log_throttle import LogThrottle
from consumers.progress import NoReceipt, Progress
from consumers.settings import SubscriptionSettings
from consumers.tally import Tally
from streams.contract.errors import FrameError
from streams.contract.headers import Record, camera_of
from streams.contract.records import to_record

_log = logging.getLogger(__name__)
NO_RECEIPT = NoReceipt()
T = TypeVar("T")


class Intake(Generic[T]):
    """Reads messages, drops what is not wanted or was seen before, and keeps the sums.

    What a record is made into is its subclasses' part: `_admit`, and `_remember` for what was done with before.
    """

    def __init__(self, settings: SubscriptionSettings, *, horizon: Horizon | None) -> None:
        self._settings, self._horizon = settings, horizon
        self._throttle = LogThrottle()
        # A group resumes by its place, which may lie before `since`; only a mere watcher goes by the clock alone.
        self._since_ms = 0 if settings.group is not None else -(-(settings.since_ns or 0) // 1_000_000)
        self.tally = Tally()
        self.passed = self._beyond = False

    def read(self, message: Message, progress: Progress | None) -> T | None:
        """What is to be handed out; None when it is not what it should be, not wanted, or a repeat.

        progress: of its partition, where there is a group; what lies before its `resume` is only remembered. `passed`
        tells whether the partition has just come to the end of the time asked for.
        """
        self.passed = self._beyond = False
        item, offset = None, message.offset()
        assert offset is not None
        if progress is not None and offset >= progress.resume:
            # Until it is known what becomes of it: Ctrl-C may come at any moment.
            progress.hold(offset, message.timestamp()[1])
        try:
            item = self._wanted(to_record(message), progress)
        except FrameError as error:
            if progress is None or offset >= progress.resume:
                self._refuse(error.reason, error, f"{message.topic()}/{message.partition()}/{offset}")
        if item is None and progress is not None and not self._beyond:
            progress.passed(offset)
        return item

    def _wanted(self, record: Record, progress: Progress | None) -> T | None:
        at_ms, horizon = record.timestamp_ms, self._horizon
        again = progress is not None and record.offset < progress.resume
        if horizon:
            time_ms = 0 if again else at_ms
            self.passed = horizon.note(record.partition, next_offset=record.offset + 1, timestamp_ms=time_ms)
        if horizon and at_ms >= horizon.until_ms:
            # A group must not go past it: whoever resumes wants it.
            self._beyond = not again
            return None
        if at_ms < self._since_ms:
            return None
        if not self._settings.cameras.match(camera_of(record)):
            return None
        if again:
            self._remember(record)
            return None
        return self._admit(record, progress)

    def _remember(self, record: Record) -> None:
        """Note the identity of a record that was done with before."""
        raise NotImplementedError

    def _admit(self, record: Record, progress: Progress | None) -> T | None:
        """What is made of a record; None for a repeat. Raises FrameError."""
        raise NotImplementedError

    def _refuse(self, reason: str, error: Exception, place: str) -> None:
        self.tally.refuse(reason)
        held = self._throttle.admit()
        if held is not None:
            extra = {"input": place, "reason": reason, "held_back": held}
            _log.warning("%s is skipped: %s", place, error, extra=extra)
