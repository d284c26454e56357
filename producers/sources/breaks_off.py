"""Telling a video that breaks off from one that ends, as well as its container allows."""

import logging
from dataclasses import dataclass

from producers.sources.base import DEFAULT_FPS

logger = logging.getLogger(__name__)
# Containers estimate how many frames they have, and count the sound's length in; below this share it is no estimate.
WHOLE = 0.9


@dataclass(slots=True)
class Progress:
    """How much of a video has been read, beside what its container says of it.

    expected: frames, 0 when unknown. fps: frames a second, 0 when unknown. read: frames up to now; read_ns: their time.
    """

    name: str
    expected: int
    fps: float
    read: int = 0
    read_ns: int = 0
    _warned: bool = False

    def add(self, time_ns: int) -> None:
        """Count a frame that begins there, ns from the beginning."""
        self.read, self.read_ns = self.read + 1, max(self.read_ns, time_ns)

    def end(self, *, damaged: int = 0, why: str = "") -> None:
        """Warn, once, when the video ends before its time; the next frame is its first one again.

        damaged: frames that are there, and were none. why: what broke it off, where that is known.
        """
        expected_s, read_s = self.expected / (self.fps or DEFAULT_FPS), self.read_ns / 1_000_000_000
        # A file whose times are sparse has fewer frames than the container reckons, and is whole all the same.
        breaks_off = self.read + damaged < WHOLE * self.expected and read_s < WHOLE * expected_s
        if (breaks_off or why) and self.read and not self._warned:
            self._warned = True
            logger.warning(
                "source %s: the video breaks off: %d of %d frames could be read, %.1f of %.1f s%s; is the file whole?",
                self.name,
                self.read,
                self.expected,
                read_s,
                expected_s,
                f": {why}" if why else "",
                extra={"source": self.name},
            )
        self.read, self.read_ns = 0, 0
