"""What streams and files read by PyAV share: opening, decoding, and the words for what goes wrong.

Loaded only where PyAV is used, for it is an extra. PyAV keeps what FFmpeg logs to itself, and what it says of an error
may hold the address with its password: none of it is passed on.
"""

import errno
import os
import struct
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import av
import av.error
import cv2
import numpy as np
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from producers.sources.whole_jpeg import whole_jpeg
from streams.contract.images import Image
from streams.contract.jpeg_markers import exif_orientation

DECODER = f"PyAV {av.__version__}"
_MJPEG = "mjpeg"
# FFmpeg plays text as a film of an old terminal.
_TEXT = "tty"
# By how much a picture is to be turned counterclockwise; OpenCV turns by these, too, and leaves the others as they are.
_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    -90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    -180: cv2.ROTATE_180,
}
# FFmpeg's AVProducerReferenceTime: int64 microseconds since 1970, int flags.
_REFERENCE_TIME = struct.Struct("=q")


class Unreadable(Exception):
    """It cannot be opened, or can no longer be read. Its message says why, without the address."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture (as in Grab). pts: its time in units of the reader's time_base, None when it has none.

    told_ns: when the camera says that it took it, by its sender reports: ns since 1970.
    """

    picture: bytes | Image
    pts: int | None
    told_ns: int | None


class PyavReader:
    """One opening of a file or an address: its pictures in the order in which they are shown.

    JPEGs that stand on their own are passed on as their bytes; all else is decoded, and turned as its container says.
    codec: such as "h264". fps: 0 when unknown. frames, length_s: what the container says that it has, 0 when it
    does not. start: pts at which it begins, None when unknown. damaged: pictures that came, and were none.
    """

    def __init__(
        self,
        place: str,
        *,
        settings: Mapping[str, str],
        open_s: float | None = None,
        read_s: float | None = None,
    ) -> None:
        """settings: of FFmpeg. Time limits in seconds.

        Raises Unreadable.
        """
        try:
            # What a file says of itself need not be sound UTF-8.
            self._container = av.open(
                place, "r", container_options=dict(settings), metadata_errors="replace", timeout=(open_s, read_s)
            )
        except av.error.FFmpegError as error:
            raise Unreadable(_why(error)) from None
        try:
            self._stream = self._pictures()
        except Unreadable:
            self._container.close()
            raise
        context = self._stream.codec_context
        self.codec = context.codec.canonical_name
        # Threads that each have a frame of their own hold some back, and lose those behind a damaged one at the end.
        context.thread_type = "SLICE"
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        self.fps = rate if 0.0 < rate <= 1000.0 else 0.0
        self.length_s = max(0.0, (self._container.duration or 0) / av.time_base)
        self.frames = max(0, self._stream.frames)
        self.start = self._stream.start_time
        self.time_base = self._stream.time_base
        self.damaged = 0
        self._packets: Iterator[Packet[Stream]] = self._container.demux()
        self._shots: deque[Shot] = deque()
        self._reformatter = VideoReformatter()
        self._upright: bool | None = None
        # From the times of the stream to those of the camera; None before its first sender report.
        self._offset_ns: int | None = None
        self._reported = False

    def next(self, *, within_s: float | None = None) -> Shot | None:
        """The next picture; None at the end. Raises Unreadable when it breaks off, or when none comes in time."""
        give_up = None if within_s is None else time.monotonic() + within_s
        while not self._shots:
            # Sound goes on coming from a camera whose picture has stopped.
            if give_up is not None and time.monotonic() > give_up:
                raise Unreadable(f"no picture for {within_s:g} s")
            try:
                packet = next(self._packets, None)
            except av.error.ExitError:
                raise Unreadable(f"no picture for {within_s:g} s") from None
            except av.error.FFmpegError as error:
                raise Unreadable(_why(error)) from None
            if packet is None:
                return None
            # The empty packets at the end, which fetch the last pictures, tell no index of their own.
            if packet.stream.index == self._stream.index:
                self._take(packet)
        return self._shots.popleft()

    def close(self) -> None:
        """Let go of the file or the connection; may be called twice."""
        self._packets = iter(())
        self._container.close()

    def _pictures(self) -> VideoStream:
        """The stream that is read."""
        if self._container.format.name == _TEXT:
            raise Unreadable("it is text")
        # The cover of a song is a stream of one picture.
        videos = [video for video in self._container.streams.video if not video.disposition & Disposition.attached_pic]
        best = self._container.streams.best("video")
        chosen = best if best in videos else next(iter(videos), None)
        if not isinstance(chosen, VideoStream):
            raise Unreadable("there are no moving pictures in it, only sound or text")
        if chosen.codec_context is None:
            raise Unreadable("nothing here can decode its pictures")
        return chosen

    def _take(self, packet: "Packet[Stream]") -> None:
        if packet.is_corrupt:
            self.damaged += 1
            return
        self._listen(packet)
        jpeg = whole_jpeg(bytes(packet)) if self.codec == _MJPEG and packet.size else None
        if jpeg is not None and self._upright:
            self._add(jpeg, packet.pts)
            return
        frames = self._decoded(packet)
        if jpeg is not None and frames and self._upright is None:
            # A container may want its pictures turned, which their bytes would not tell.
            self._upright = not frames[0].rotation or exif_orientation(jpeg) != 1
            if self._upright:
                self._add(jpeg, packet.pts)
                return
        for frame in frames:
            # AVI has no times of what is shown, only of what is decoded.
            self._add(self._picture(frame), frame.dts if frame.pts is None else frame.pts)

    def _listen(self, packet: "Packet[Stream]") -> None:
        """Take in what the camera's last sender report says of this packet: FFmpeg has counted on from it."""
        if packet.pts is None or not packet.has_sidedata("prft"):
            return
        microseconds: int = _REFERENCE_TIME.unpack_from(bytes(packet.get_sidedata("prft")))[0]
        # The first one is that of the packet behind it, where a parser has put the packets together.
        if self._reported:
            self._offset_ns = microseconds * 1000 - self._in_ns(packet.pts)
        self._reported = True

    def _in_ns(self, pts: int) -> int:
        return round(pts * (self.time_base or 0) * 1_000_000_000)

    def _decoded(self, packet: "Packet[Stream]") -> list[VideoFrame]:
        try:
            return self._stream.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.damaged += 1
            return []

    def _add(self, picture: bytes | Image | None, pts: int | None) -> None:
        if picture is None:
            self.damaged += 1
            return
        told = None if pts is None or self._offset_ns is None else self._offset_ns + self._in_ns(pts)
        self._shots.append(Shot(picture, pts, told))

    def _picture(self, frame: VideoFrame) -> Image | None:
        """The frame as uint8 (H, W, 3) BGR, turned upright; None where it cannot be made one."""
        try:
            # With this interpolation, as OpenCV's own reader of videos makes it.
            made = self._reformatter.reformat(frame, format="bgr24", interpolation=Interpolation.BICUBIC, threads=1)
        except av.error.FFmpegError:
            return None
        image: Image = np.ascontiguousarray(made.to_ndarray(), dtype=np.uint8)
        turn = _TURNS.get(frame.rotation)
        return image if turn is None else np.asarray(cv2.rotate(image, turn), dtype=np.uint8)


def _why(error: av.error.FFmpegError) -> str:
    """What has happened, in words that hold nothing of the address."""
    if isinstance(error, av.error.ExitError):
        return "no answer in time"
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return "it does not let this user in"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "nothing is there (404)"
    if isinstance(error, (av.error.InvalidDataError, av.error.EOFError)):
        return "what comes is no video that can be read"
    if isinstance(error, OSError) and error.errno == errno.EIO:
        # Unknown hosts, too, and connections that end.
        return "nothing can be read there, or nothing more"
    if isinstance(error, OSError) and isinstance(error.errno, int) and error.errno > 0:
        return os.strerror(error.errno)
    return f"FFmpeg gives up ({type(error).__name__})"
