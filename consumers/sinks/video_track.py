"""One camera's video while it is being written."""

from pathlib import Path
from typing import TYPE_CHECKING

from consumers.sinks.constant_rate import SECOND_NS, ConstantRate, estimate_fps
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
    """

    def __init__(self, path: Path, *, fps: float | None) -> None:
        self.path, self._fps = path, fps
        self._waiting: list[tuple[int, bytes]] = []
        self._writer: cv2.VideoWriter | None = None
        self._rate: ConstantRate | None = None
        self._size = (0, 0)
        self._last: Image | None = None

    def add(self, frame: Frame) -> None:
        """Take a frame; raises FrameError when its picture is damaged, SinkError when the file cannot be written."""
        image = frame.image
        # A file has a clock of its own, which a producer that runs as fast as it can does not change.
        at_ns = frame.captured_at_ns if frame.media_time_ns is None else frame.media_time_ns
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
        height, width = decode(waiting[0][1]).shape[:2]
        self._size = (max(2, width // 2 * 2), max(2, height // 2 * 2))
        self._rate = ConstantRate(fps)
        self._writer = _open(self.path, fps=fps, size=self._size)
        for at_ns, data in waiting:
            self._write(at_ns, decode(data))

    def _write(self, at_ns: int, image: Image) -> None:
        assert self._rate is not None and self._writer is not None
        slots = self._rate.slots(at_ns)
        if slots == 0:
            return
        fitted = _fit(image, self._size)
        for _ in range(slots - 1):
            self._writer.write(fitted if self._last is None else self._last)
        self._writer.write(fitted)
        self._last = fitted


def _open(path: Path, *, fps: float, size: tuple[int, int]) -> "cv2.VideoWriter":
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*CODEC), fps, size)
    if not writer.isOpened():
        raise SinkError(f"cannot write {path}: no {CODEC} video of {size[0]}x{size[1]} at {fps} fps can be begun there")
    return writer


def _fit(image: Image, size: tuple[int, int]) -> Image:
    """BGR in that (width, height): cut by a pixel, or scaled as a whole with black bars."""
    import cv2

    width, height = size
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[assignment]
    if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1):
        return image[:height, :width]
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    right, bottom = width - inner[0] - left, height - inner[1] - top
    bars: Image = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_CONSTANT)  # type: ignore[assignment]
    return bars
