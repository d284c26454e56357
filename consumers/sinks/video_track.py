"""One camera's video of a constant rate, while OpenCV writes it."""

from pathlib import Path
from typing import TYPE_CHECKING

from consumers.sinks.constant_rate import SECOND_NS, ConstantRate, estimate_fps
from consumers.sinks.video_picture import fit, video_size
from streams.contract.errors import SinkError
from streams.contract.frame import Frame
from streams.contract.images import Image, decode

if TYPE_CHECKING:
    import cv2

# The codec that the wheel of OpenCV can write at the speed of cameras; it has no H.264, and its VP9 does 6 frames/s.
CODEC = "mp4v"
_LEARN_FRAMES = 120
_LEARN_AT_LEAST = 4


class VideoTrack:
    """Collects the first second to learn the rate, unless it is given, and then writes to `path`.

    All pictures are shown in the size of the first, its odd row or column cut off; others are fitted into it.
    too_fast: pictures that are not in it, for the camera was faster than the video's rate.
    """

    def __init__(self, path: Path, *, fps: float | None) -> None:
        self.path, self._fps = path, fps
        self.too_fast = 0
        self._waiting: list[tuple[int, bytes]] = []
        self._writer: cv2.VideoWriter | None = None
        self._rate: ConstantRate | None = None
        self._size = (0, 0)
        self._last: Image | None = None

    def add(self, frame: Frame) -> None:
        """Take a frame; raises FrameError when its picture is damaged, SinkError when the file cannot be written."""
        image = frame.image
        at_ns = shown_at_ns(frame)
        if self._writer is not None:
            self._write(at_ns, image)
            return
        self._waiting.append((at_ns, frame.data))
        if self._fps is not None or self._has_learned():
            self._start()

    def close(self) -> None:
        """Write what is waiting, and finish the file."""
        if self._waiting:
            self._start()
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _has_learned(self) -> bool:
        count, span_ns = len(self._waiting), self._waiting[-1][0] - self._waiting[0][0]
        return count >= _LEARN_FRAMES or (count >= _LEARN_AT_LEAST and span_ns >= SECOND_NS)

    def _start(self) -> None:
        waiting, self._waiting = self._waiting, []
        fps = self._fps or estimate_fps([at_ns for at_ns, _ in waiting])
        self._size = video_size(decode(waiting[0][1]))
        self._rate = ConstantRate(fps)
        self._writer = _open(self.path, fps=fps, size=self._size)
        for at_ns, data in waiting:
            self._write(at_ns, decode(data))

    def _write(self, at_ns: int, image: Image) -> None:
        assert self._rate is not None and self._writer is not None
        slots = self._rate.slots(at_ns)
        if slots == 0:
            self.too_fast += 1
            return
        fitted = fit(image, self._size)
        for _ in range(slots - 1):
            self._writer.write(fitted if self._last is None else self._last)
        self._writer.write(fitted)
        self._last = fitted


def shown_at_ns(frame: Frame) -> int:
    """When a frame is to be shown: by the capture clock, or by that of the file that it comes from.

    The second does not change with a producer that runs as fast as it can.
    """
    return frame.captured_at_ns if frame.media_time_ns is None else frame.media_time_ns


def _open(path: Path, *, fps: float, size: tuple[int, int]) -> "cv2.VideoWriter":
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*CODEC), fps, size)
    if not writer.isOpened():
        raise SinkError(f"cannot write {path}: no {CODEC} video of {size[0]}x{size[1]} at {fps} fps can be begun there")
    return writer
