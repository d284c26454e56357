"""How many cameras are remembered at once.

The memory of an operator such as motion takes megabytes for each camera, and whoever may write to the input can make up
camera ids.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable

log = logging.getLogger(__name__)


class Memory:
    """One camera's place among the memories. forget: called when the place is taken away."""

    __slots__ = ("forget",)

    def __init__(self, forget: Callable[[], None]) -> None:
        self.forget = forget


class Memories:
    """The cameras that a worker remembers. Beyond the limit, the one that was idle for longest is forgotten.

    limit: cameras; 0 is no limit. One that has a frame running or waiting is never forgotten, so for as long as that
    lasts there may be more.
    """

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self._count = 0
        self._idle: OrderedDict[Memory, None] = OrderedDict()
        self._told = False

    @property
    def room(self) -> bool:
        """Whether one more can be remembered with no other forgotten for it."""
        return not self.limit or self._count < self.limit

    def add(self, memory: Memory) -> None:
        """One more camera, which is busy from the start."""
        self._count += 1
        self._shrink()

    def busy(self, memory: Memory) -> None:
        """A frame of an idle camera is there."""
        del self._idle[memory]

    def idle(self, memory: Memory) -> None:
        """The camera has no frame any more."""
        self._idle[memory] = None
        self._shrink()

    def remove(self, memory: Memory) -> None:
        """The camera's lane has ended."""
        self._count -= 1
        self._idle.pop(memory, None)

    def _shrink(self) -> None:
        while self._idle and 0 < self.limit < self._count:
            oldest, _ = self._idle.popitem(last=False)
            self._count -= 1
            oldest.forget()
            if not self._told:
                self._told = True
                log.warning(
                    "more than %d cameras have a memory: those not seen for longest are forgotten, and begin afresh "
                    "when they come back; start more workers, or raise --memory-cameras where there is memory for it",
                    self.limit,
                )
