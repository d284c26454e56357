"""Opening cv2.VideoCapture: what files, devices and streams share."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import cv2
import numpy as np

from streams.contract.images import Image

DECODER = f"OpenCV {cv2.__version__}"
OPEN_TIMEOUT_MS = 10_000
READ_TIMEOUT_MS = 5_000
# Over UDP one lost packet smears the picture until the next key frame.
_FFMPEG_OPTIONS = "rtsp_transport;tcp"


def open_capture(place: str | int, *, backend: int, params: Mapping[int, int] | None = None) -> cv2.VideoCapture | None:
    """A capture that is open, or None. place: path or address, or a device's number. params: cv2.CAP_PROP_* to values.

    OpenCV and FFmpeg say nothing on stderr, unless the process has used them before: what went wrong is told by whoever
    called.
    """
    # Both are read by OpenCV from the environment, the level when FFmpeg is first used; quiet is -8 in its log.h.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _FFMPEG_OPTIONS)
    flat: Sequence[int] = [number for pair in (params or {}).items() for number in pair]
    with _silent():
        capture = cv2.VideoCapture(place, backend, flat)  # type: ignore[call-overload,arg-type,unused-ignore]
    if capture.isOpened():
        return capture
    capture.release()
    return None


def read(capture: cv2.VideoCapture) -> Image | None:
    """The next picture as uint8 (H, W, 3) BGR, owned by the caller; None when there is none."""
    done, image = capture.read()
    if not done or image is None:
        return None
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return np.asarray(image, dtype=np.uint8)


def fps_of(capture: cv2.VideoCapture) -> float:
    """The nominal pictures a second; 0 where what it says makes no sense."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0.0 < fps <= 1000.0 else 0.0


def codec_of(capture: cv2.VideoCapture) -> str:
    """What the pictures come as: the four letters of the container, in lower case, such as "avc1"; "" when unknown."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    letters = code.to_bytes(4, "little").rstrip(b"\0 ")
    return letters.decode("ascii").lower() if letters.isascii() and letters.decode("ascii").isprintable() else ""


def is_text(capture: cv2.VideoCapture) -> bool:
    """Whether it is a text file: FFmpeg plays those as a film of an old terminal."""
    return int(capture.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"ansi")


@contextmanager
def _silent() -> Iterator[None]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
