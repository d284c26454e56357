"""Reads a topic in a thread of its own, from now on, for as long as somebody wants it."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from consumers.base_subscription import BaseSubscription
from consumers.received import ReceivedEvent, ReceivedFrame
from streams.contract.errors import FramelaneError

T = TypeVar("T", ReceivedFrame, ReceivedEvent)
Open = Callable[[threading.Event], BaseSubscription[T]]

_log = logging.getLogger(__name__)
# Between two tries to read what cannot be read.
_AGAIN_S = 2.0


class Feed(Generic[T]):
    """A topic's frames or events; waits for a broker or a topic that is away.

    open: makes the subscription, which ends with the event that it is given. take: is called in the thread with each.
    """

    def __init__(self, name: str, open: Open[T], take: Callable[[T], None]) -> None:
        self._name = name
        self._open: Open[T] = open
        self._take: Callable[[T], None] = take
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.subscription: BaseSubscription[T] | None = None
        # Why nothing is read, with the mend; "" while all is well.
        self.problem = ""

    @property
    def running(self) -> bool:
        """Whether it has been started, and not stopped since."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to read."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._stop,), name=f"view {self._name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; does not wait for the thread, which hands out nothing any more."""
        self._stop.set()
        self._thread, self.problem = None, ""

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                with self._open(stop) as subscription:
                    self.subscription = subscription
                    self.problem = ""
                    while not stop.is_set():
                        item = subscription.poll(0.2)
                        if item is not None and not stop.is_set():
                            self._take(item)
            except FramelaneError as error:
                if stop.is_set():
                    return
                if str(error) != self.problem:
                    _log.warning("%s: %s", self._name, error)
                self.problem = str(error)
                stop.wait(_AGAIN_S)
