"""A video file: every frame once, in order, with its position in the file."""

from pathlib import Path

import cv2

from producers.sources.base import DEFAULT_FPS, Grab, Source, SourceOptions
from producers.sources.breaks_off import Progress
from producers.sources.capture import DECODER, codec_of, fps_of, is_text, open_capture, read
from producers.sources.decoders import chosen
from producers.sources.media_time import MediaTimes
from producers.sources.reader_process import ReaderProcess
from streams.contract.errors import SourceError, SourceLost


class VideoFile:
    """Reads a file through FFmpeg. With `loop` the position begins again at 0 after the last frame.

    FFmpeg tells a file that breaks off from one that ends only by a log line, so it ends here, too; but a warning says
    so when it has neither as many frames nor as long a time as its container says.
    """

    live = False
    decoder = DECODER

    def __init__(self, path: Path, options: SourceOptions) -> None:
        """Raises SourceError when the file cannot be read as a video."""
        self.name = str(path)
        self._path, self._options = path, options
        self._capture: cv2.VideoCapture | None = self._open()
        self.fps, self.codec = fps_of(self._capture), codec_of(self._capture)
        self._progress = Progress(self.name, max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))), self.fps)
        self._times = self._fresh_times()
        if not self._fill():
            self.close()
            raise SourceError(f"source {self.name!r}: the video has no picture that can be decoded")

    def grab(self) -> Grab | None:
        """The next frame; None after the last one unless it loops."""
        if not self._fill() and self._options.loop:
            self._rewind()
        held = self._times.pop()
        if held is None:
            return None
        image, time_ns = held
        return Grab(picture=image, captured_at_ns=self._options.clock(), media_time_ns=time_ns)

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _open(self) -> cv2.VideoCapture:
        capture = open_capture(str(self._path), backend=cv2.CAP_FFMPEG)
        if capture is None or is_text(capture):
            raise SourceError(
                f"source {self.name!r}: is not a video that can be read; "
                "expected a video file (MP4, AVI, MKV ...), an image or a folder of images"
            )
        return capture

    def _fresh_times(self) -> MediaTimes:
        return MediaTimes(interval_ns=round(1_000_000_000 / (self.fps or DEFAULT_FPS)))

    def _fill(self) -> bool:
        """Read ahead as far as the order of times needs; False when nothing is left."""
        while self._capture is not None and not self._times.full:
            image = read(self._capture)
            if image is None:
                self.close()
                self._progress.end()
                break
            time_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1_000_000)
            self._progress.add(time_ns)
            self._times.push(image, time_ns)
        return not self._times.empty

    def _rewind(self) -> None:
        try:
            self._capture = self._open()
        except SourceError as error:
            raise SourceLost(f"source {self.name!r}: could be read, and now cannot: {error}") from error
        self._times = self._fresh_times()
        self._fill()


def open_video_here(path: Path, options: SourceOptions) -> Source:
    """Open a video by its path, in this process, with the decoder that the options want.

    Raises SourceError when it is none, SettingError when the decoder is not installed.
    """
    if chosen(options.decoder) == "opencv":
        return VideoFile(path, options)
    from producers.sources.pyav_file import open_pyav_file

    return open_pyav_file(path, options)


def open_video_file(path: Path, options: SourceOptions) -> Source:
    """Open a video by its path, in a process of its own where the options want it."""
    return ReaderProcess("video", str(path), options) if options.apart else open_video_here(path, options)
