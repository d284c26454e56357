"""The position of each frame in its file, put right.

FFmpeg gives frames in the order in which they are shown, but OpenCV may give the times of the packets that were read
then: with B-frames 0, 101, 67, 134, 34 ms. Sorted they are the times of the frames.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field

from streams.contract.images import Image

# H.264 and HEVC encoders reorder over two or three frames in practice; each one held back is a decoded picture.
WINDOW = 5


@dataclass(slots=True)
class MediaTimes:
    """Holds back a few frames so that their times can be sorted.

    interval_ns: what is assumed from one frame to the next where the file's times stand still or run backwards.
    """

    interval_ns: int
    window: int = WINDOW
    _images: deque[Image] = field(default_factory=deque)
    _times: list[int] = field(default_factory=list)
    _last_ns: int | None = None

    @property
    def full(self) -> bool:
        """Whether the oldest frame's time is known."""
        return len(self._images) >= self.window

    @property
    def empty(self) -> bool:
        """Whether no frame is held."""
        return not self._images

    def push(self, image: Image, time_ns: int) -> None:
        """Take a frame and the time that came with it."""
        self._images.append(image)
        heapq.heappush(self._times, time_ns)

    def pop(self) -> tuple[Image, int] | None:
        """The oldest frame and its time, which is greater than the one before; None when none is held."""
        if not self._images:
            return None
        time_ns = max(0, heapq.heappop(self._times))
        if self._last_ns is not None and time_ns <= self._last_ns:
            time_ns = self._last_ns + self.interval_ns
        self._last_ns = time_ns
        return self._images.popleft(), time_ns
