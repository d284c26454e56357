"""How a thread that reads is kept from running ahead of those that process what it read."""

import threading
from collections.abc import Callable

_CHECK_S = 0.05


class InFlight:
    """Frames that are read and not done with: a thread enters them, the loop takes them out.

    max_frames, max_bytes: with so many, entering waits. One frame alone may be larger.
    """

    def __init__(self, *, max_frames: int, max_bytes: int) -> None:
        self._max_frames, self._max_bytes = max_frames, max_bytes
        self._changed = threading.Condition()
        self.frames = 0
        self.size = 0

    def enter(self, size: int, *, unless: Callable[[], bool]) -> bool:
        """Wait for room and enter a frame of so many bytes; False when meanwhile nobody wants it any more."""
        with self._changed:
            while not unless():
                fits = self.frames < self._max_frames and self.size + size <= self._max_bytes
                if fits or not self.frames:
                    self.frames += 1
                    self.size += size
                    return True
                # That it is not wanted any more nobody says here.
                self._changed.wait(_CHECK_S)
            return False

    def leave(self, size: int) -> None:
        """A frame is done with."""
        with self._changed:
            self.frames -= 1
            self.size -= size
            self._changed.notify()
