"""A camera at this machine: `device:0`."""

import sys

import cv2

from producers.sources.base import Grab, Source, SourceOptions
from producers.sources.capture import DECODER, codec_of, fps_of, open_capture, read
from producers.sources.reader_process import ReaderProcess
from streams.contract.errors import SettingError, SourceError, SourceLost
from streams.contract.redact import redact


class Device:
    """Reads a webcam through the system's own interface (V4L2 on Linux); it is asked for the wanted size and rate."""

    live = True

    def __init__(self, number: int, options: SourceOptions) -> None:
        """Raises SourceError when there is no such device."""
        self.name = f"device:{number}"
        self._clock = options.clock
        backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        capture = open_capture(number, backend=backend)
        if capture is None:
            raise SourceError(
                f"source {self.name!r}: no camera can be opened there; "
                "is it plugged in, free, and may this user read it (on Linux: /dev/video* and the group video)?"
            )
        self._capture = capture
        if options.size:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.size[1])
        if options.fps:
            capture.set(cv2.CAP_PROP_FPS, options.fps)
        self.fps, self.codec = fps_of(capture), codec_of(capture)
        self.decoder = f"V4L2, {DECODER}" if backend == cv2.CAP_V4L2 else DECODER

    def grab(self) -> Grab:
        """The next picture; SourceLost when the device gives none (V4L2 waits ten seconds at most)."""
        image = read(self._capture)
        if image is None:
            raise SourceLost(f"source {self.name!r}: the camera gives no more pictures; was it unplugged?")
        return Grab(picture=image, captured_at_ns=self._clock())

    def close(self) -> None:
        """Let go of the device."""
        self._capture.release()


def open_device(text: str, options: SourceOptions) -> Source:
    """Open `device:N`, in a process of its own where the options want it."""
    return ReaderProcess("device", text, options) if options.apart else open_device_here(text, options)


def open_device_here(text: str, options: SourceOptions) -> Device:
    """Open `device:N`, to be read by this process."""
    number = text.removeprefix("device:")
    if not (number.isascii() and number.isdecimal() and len(number) < 4):
        raise SettingError(f"source {redact(text)!r}: expected device:N with the camera's number, such as device:0")
    return Device(int(number), options)
