"""Warnings that may come with every frame: said at once, and then once in a while with how many there were."""

import logging
import time
from collections.abc import Callable

EVERY_S = 10.0


class Repeats:
    """One kind of trouble of one camera. Its caller sees to it that one thread at a time warns."""

    def __init__(self, logger: logging.Logger, *, camera_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds, monotonic."""
        self._logger, self._camera_id, self._clock = logger, camera_id, clock
        self._next_s: float | None = None
        self._unsaid = 0

    def warn(self, message: str) -> None:
        """Say it, or count it until ten seconds have passed since the last time."""
        now = self._clock()
        if self._next_s is not None and now < self._next_s:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more since the last time)" if self._unsaid else ""
        self._logger.warning("%s%s", message, more, extra={"camera": self._camera_id})
        self._next_s, self._unsaid = now + EVERY_S, 0
