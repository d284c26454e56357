"""One camera's video in which each picture has its capture time, while PyAV writes it."""

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from consumers.sinks.capture_clock import TICKS_PER_SECOND, CaptureClock
from consumers.sinks.failed_write import failed_write
from consumers.sinks.video_picture import fit, video_size
from consumers.sinks.video_track import shown_at_ns
from streams.contract.frame import Frame

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

# The same codec as by OpenCV: neither patents nor the GPL stand in its way, and it keeps up with cameras.
CODEC = "mpeg4"
_TICK = Fraction(1, TICKS_PER_SECOND)
# A constant quality, for a rate in bits has no meaning without a rate in frames: quantizer 4 in units of lambda.
_QUALITY = {"flags": "+qscale", "global_quality": str(4 * 118)}
_KEYFRAME_EVERY = 50


def has_pyav() -> bool:
    """Whether the extra `pyav` is installed."""
    return find_spec("av") is not None


class TimedTrack:
    """Writes to `path`; every picture is in it, at its time to the millisecond (`CaptureClock`).

    All pictures are shown in the size of the first, its odd row or column cut off; others are fitted into it.
    """

    too_fast = 0

    def __init__(self, path: Path) -> None:
        self.path = path
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._clock = CaptureClock()
        self._size = (0, 0)

    def add(self, frame: Frame) -> None:
        """Take a frame; raises FrameError when its picture is damaged, SinkError when the file cannot be written."""
        image = frame.image
        from av import VideoFrame
        from av.error import FFmpegError

        try:
            if self._stream is None:
                self._size = video_size(image)
                self._stream = self._open()
            picture = VideoFrame.from_ndarray(fit(image, self._size), format="bgr24")
            picture.pts, picture.time_base = self._clock.tick(shown_at_ns(frame)), _TICK
            self._write(picture)
        except FFmpegError as error:
            raise failed_write(self.path, OSError(error.errno, error.strerror)) from error

    def close(self) -> None:
        """Finish the file."""
        if self._container is None:
            return
        from av.error import FFmpegError

        try:
            self._write(None)
            self._container.close()
        except FFmpegError as error:
            raise failed_write(self.path, OSError(error.errno, error.strerror)) from error

    def _open(self) -> "VideoStream":
        import av

        self._container = av.open(str(self.path), "w", format="mp4")
        stream = cast("VideoStream", self._container.add_stream(CODEC, options=dict(_QUALITY)))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = _TICK
        stream.codec_context.gop_size = _KEYFRAME_EVERY
        return stream

    def _write(self, picture: "VideoFrame | None") -> None:
        assert self._container is not None and self._stream is not None
        for packet in self._stream.encode(picture):
            # Counts for the last picture only: the others are shown until the next.
            packet.duration = self._clock.step
            self._container.mux(packet)
