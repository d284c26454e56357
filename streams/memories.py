"""How many memories there are at once.

The memory of an operator such as motion takes megabytes for each camera, and whoever may write to the input can make up
camera ids.
"""

import logging
import threading
from collections import OrderedDict
from typing import Protocol

log = logging.getLogger(__name__)


class Holder(Protocol):
    """Who has a memory, or is about to make one."""

    def give(self) -> object:
        """Hand the memory out, and begin afresh when it is needed again."""


class Memories:
    """The memories of a worker. Beyond the limit, the one that was not used for longest is dropped.

    limit: cameras; 0 is no limit. One that is in use by a thread is never dropped. Called by any thread.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._counted: set[Holder] = set()
        # Those of them that no thread uses, the one that was used last at the end.
        self._idle: OrderedDict[Holder, None] = OrderedDict()
        self._told = False

    @property
    def room(self) -> bool:
        """Whether one more fits in."""
        return not self._limit or len(self._counted) < self._limit

    def claim(self, holder: Holder) -> None:
        """One more is about to be made."""
        with self._lock:
            self._counted.add(holder)

    def use(self, holder: Holder) -> None:
        """A thread uses the memory, or makes it."""
        with self._lock:
            self._idle.pop(holder, None)
            self._counted.add(holder)

    def rest(self, holder: Holder) -> None:
        """It is done with it."""
        # What is dropped is freed without the lock, for that takes a while.
        dropped = []
        with self._lock:
            if holder in self._counted:
                self._idle[holder] = None
            else:
                dropped.append(holder.give())
            while self._idle and 0 < self._limit < len(self._counted):
                oldest, _ = self._idle.popitem(last=False)
                self._counted.remove(oldest)
                dropped.append(oldest.give())
                self._tell()

    def end(self, holder: Holder) -> None:
        """The camera's lane has ended; a memory that is in use still is dropped when that is over."""
        dropped = None
        with self._lock:
            self._counted.discard(holder)
            if holder in self._idle:
                del self._idle[holder]
                dropped = holder.give()
        del dropped

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "more than %d cameras have a memory: those not seen for longest are forgotten, and begin afresh "
                "when they come back; start more workers, or raise --memory-cameras where there is memory for it",
                self._limit,
            )
