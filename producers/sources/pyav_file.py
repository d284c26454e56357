"""A video file, read by PyAV: every frame once, in order, with its exact position in the file."""

import heapq
from collections import deque
from pathlib import Path

from producers.sources.base import DEFAULT_FPS, Grab, SourceOptions
from producers.sources.breaks_off import Progress
from producers.sources.media_time import WINDOW
from producers.sources.pyav_reader import DECODER, PyavReader, Shot, Unreadable
from producers.sources.pyav_times import Positions
from streams.contract.errors import SourceError, SourceLost


class PyavFile:
    """Reads a file through FFmpeg. With `loop` the position begins again at 0 after the last frame.

    The JPEGs of an MJPEG file pass byte for byte, where each stands on its own. A file that breaks off ends, with a
    warning.
    """

    live = False
    decoder = DECODER

    def __init__(self, path: Path, options: SourceOptions) -> None:
        """Raises SourceError when the file cannot be read as a video."""
        self.name = str(path)
        self._path, self._options = path, options
        self._damaged_before = 0
        self._reader, self._positions = self._open()
        self.codec, self.fps = self._reader.codec, self._reader.fps
        expected = self._reader.frames or int(self._reader.length_s * self.fps)
        self._progress = Progress(self.name, expected, self.fps)
        self._held: deque[Shot] = deque()
        self._times: list[int] = []
        if not self._fill():
            self.close()
            raise SourceError(f"source {self.name!r}: the video has no picture that can be decoded")

    @property
    def damaged(self) -> int:
        """Pictures that cannot be decoded."""
        return self._damaged_before + self._reader.damaged

    def grab(self) -> Grab | None:
        """The next frame; None after the last one unless it loops."""
        if not self._fill() and self._options.loop:
            self._rewind()
            self._fill()
        if not self._held:
            return None
        shot = self._held.popleft()
        time_ns = self._positions.of(heapq.heappop(self._times) if self._times else None)
        return Grab(picture=shot.picture, captured_at_ns=self._options.clock(), media_time_ns=time_ns)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def _open(self) -> tuple[PyavReader, Positions]:
        try:
            # Without "file:" a name such as `http:` would be taken for an address.
            reader = PyavReader(f"file:{self._path}", settings={})
        except Unreadable as error:
            raise SourceError(
                f"source {self.name!r}: is not a video that can be read: {error}; "
                "expected a video file (MP4, AVI, MKV ...), an image or a folder of images"
            ) from error
        return reader, Positions(time_base=reader.time_base, start=reader.start, fps=reader.fps or DEFAULT_FPS)

    def _fill(self) -> bool:
        """Read ahead as far as the order of times needs; False when nothing is left.

        Some files have the times of their pictures in the order in which those were encoded; sorted they are right.
        """
        window = 1 if self.codec == "mjpeg" else WINDOW
        while len(self._held) < window:
            shot = self._next()
            if shot is None:
                break
            self._progress.add(self._positions.at(shot.pts) or 0)
            self._held.append(shot)
            if shot.pts is not None:
                heapq.heappush(self._times, shot.pts)
        return bool(self._held)

    def _next(self) -> Shot | None:
        try:
            shot = self._reader.next()
        except Unreadable as error:
            self._progress.end(why=str(error))
            self._reader.close()
            return None
        if shot is None:
            self._progress.end(damaged=self._reader.damaged)
        return shot

    def _rewind(self) -> None:
        self._reader.close()
        try:
            reader, self._positions = self._open()
        except SourceError as error:
            raise SourceLost(f"source {self.name!r}: could be read, and now cannot: {error}") from error
        self._damaged_before += self._reader.damaged
        self._reader = reader


def open_pyav_file(path: Path, options: SourceOptions) -> PyavFile:
    """Open a video by its path; SourceError when it is none."""
    return PyavFile(path, options)
