"""Frames or events from a subscription into a sink, so that a kill leaves no hole."""

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from consumers.log_throttle import LogThrottle
from consumers.settings import SubscriptionSettings
from consumers.sinks.sink import Item, Sink
from streams.contract.errors import FrameError, KafkaError, SinkError

_log = logging.getLogger(__name__)
FLUSH_S = 1.0
_POLL_S = 0.2
T = TypeVar("T", bound=Item)
T_co = TypeVar("T_co", bound=Item, covariant=True)


class Source(Protocol[T_co]):
    """What the recorder needs of a subscription, whose settings have `ack="manual"` and `commit_interval_s=None`."""

    settings: SubscriptionSettings

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""

    def poll(self, timeout_s: float) -> T_co | None:
        """The next item, or None when none has come within that time."""

    def rest(self, timeout_s: float) -> None:
        """Take nothing for so long, and stay in the group."""

    def commit(self, *, wait: bool = False) -> None:
        """Write the group's place."""


class Recorder(Generic[T]):
    """Adds items to a sink, flushes it every second, and only then has the group's place written; use `with`.

    The sink is set up already. The subscription is to call `settle` before partitions are taken away (`before_revoke`).
    taken: how many items were added. damaged: frames among them whose picture the sink could not use, and skipped.
    """

    def __init__(
        self,
        subscription: Source[T],
        sink: Sink[T],
        *,
        flush_s: float = FLUSH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscription, self._sink = subscription, sink
        self._flush_s, self._clock = flush_s, clock
        self._flush_at = clock() + flush_s
        self._throttle = LogThrottle()
        self.taken = 0
        self.damaged = 0

    def run(self, *, stop: Callable[[], bool], count: int | None = None) -> None:
        """Record until `stop` says so, or so many were taken, or the subscription ends, and the sink has all of it.

        Raises SinkError, KafkaError.
        """
        while not stop():
            if self._sink.waiting:
                self._subscription.rest(_POLL_S)
                self._sink.flush()
                self.take(None)
            elif self._subscription.ended or self.taken == count:
                return
            else:
                self.take(self._subscription.poll(_POLL_S))

    def take(self, item: T | None) -> None:
        """Add what `poll` gave (None: there was nothing); flush when it is time. Raises SinkError."""
        if item is not None:
            self.taken += 1
            self._add(item)
        if self._clock() >= self._flush_at:
            self._flush_at = self._clock() + self._flush_s
            self._sink.flush()
            self._commit(wait=False)

    def settle(self) -> None:
        """Have all that was taken made safe, and the group's place written. Raises SinkError."""
        self._sink.settle()
        self._commit(wait=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the sink, and then write the group's place: behind what is safe, whatever went wrong.

        Raises SinkError when closing fails, or KafkaError when the place cannot be written, unless there was an error
        already, which says more.
        """
        try:
            try:
                self._sink.close()
            finally:
                self._commit(wait=not isinstance(error, KafkaError))
        except (SinkError, KafkaError) as another:
            if error is None:
                raise
            _log.warning("closing failed, too: %s", another)

    def _add(self, item: T) -> None:
        try:
            self._sink.add(item)
        except FrameError as error:
            self.damaged += 1
            held = self._throttle.admit()
            if held is not None:
                extra = {"camera_id": item.camera_id, "reason": error.reason, "held_back": held}
                _log.warning("%s is skipped: its picture %s", item.name, error, extra=extra)
            item.done()

    def _commit(self, *, wait: bool) -> None:
        if self._subscription.settings.group is not None:
            self._subscription.commit(wait=wait)
