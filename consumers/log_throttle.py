"""One line a second for what may happen a thousand times a second."""

import time
from collections.abc import Callable


class LogThrottle:
    """Says when a repeated warning may be logged, and how many were kept back since the last one.

    One broken camera cannot flood the log, and nothing is hidden: the count stands in the next line.
    """

    def __init__(self, interval_s: float = 1.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s, self._clock = interval_s, clock
        self._next: float | None = None
        self._held = 0

    def admit(self) -> int | None:
        """None: keep quiet. A number: log now, and say that so many more have happened since the last line."""
        now = self._clock()
        if self._next is not None and now < self._next:
            self._held += 1
            return None
        self._next = now + self._interval_s
        held, self._held = self._held, 0
        return held
