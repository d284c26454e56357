"""MP4 videos: one a camera, or one a camera and window of time."""

import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from consumers.received import ReceivedFrame
from consumers.sinks.claim import Claim, sweep
from consumers.sinks.constant_rate import MAX_GAP_S, MAX_STEP_BACK_S, SECOND_NS
from consumers.sinks.failed_write import failed_write
from consumers.sinks.folder import capture_time, maker_of
from consumers.sinks.segments import Segments, names, rename_new
from consumers.sinks.sink import Kind, SinkOptions
from consumers.sinks.video_segment import VideoSegment
from streams.contract.errors import SettingError, SinkError
from streams.contract.frame import Frame

_log = logging.getLogger(__name__)
# A video without its end cannot be opened, and OpenCV does not even say that a disk is full: so it ends before.
MIN_FREE_BYTES = 32 * 1024 * 1024
# A camera is silent, or a reader that catches up has turned to others: its video ends once its window is over.
IDLE_S = 5.0


class _Key(NamedTuple):
    camera_id: str
    source: str
    # How many times rotate_s since 1970; 0 without rotation.
    window: int


class Mp4Sink:
    """Writes FILE.mp4, or FILE-<camera>.mp4 for several cameras (FILE-<camera>-<pipeline>.mp4 for several pipelines).

    With rotation it writes `FILE/<camera>/<first capture time>.mp4`, one for each window that the capture time falls
    into; a silence above 10 s or a step back of the clock begins another. What exists is never overwritten:
    FILE.2.mp4 follows. MPEG-4 Part 2 (VLC, mpv and FFmpeg play it, browsers do not), without sound.

    A video is complete only once it is closed: until then it lies in the folder as a hidden part, and its frames are
    not done. Where a group resumes, a list of the finished ones (`Segments`) tells what comes again after a kill.
    """

    takes: ClassVar[frozenset[Kind]] = frozenset({"frames"})
    options: ClassVar[frozenset[str]] = frozenset({"fps", "rotate_s", "resumes"})
    waiting = False

    def __init__(
        self,
        to: str,
        options: SinkOptions,
        *,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if options.fps is not None and not 0.1 <= options.fps <= 120:
            raise SettingError(f"fps {options.fps}: expected 0.1 to 120")
        if options.rotate_s is not None and not 1 <= options.rotate_s <= 86400:
            raise SettingError(f"rotate {options.rotate_s} s: expected 1 s to 24 h")
        self.name, self._path, self._options = to, Path(to), options
        self._rotate_ns = None if options.rotate_s is None else round(options.rotate_s * SECOND_NS)
        self._folder = self._path.parent if self._rotate_ns is None else self._path.with_suffix("")
        self._clock, self._monotonic = clock, monotonic
        self._claim = Claim(self._folder)
        self._segments = self._list_of_segments()
        self._open: dict[_Key, VideoSegment] = {}
        self._begun: dict[tuple[str, str], int] = {}
        self.written = 0
        self.left_out: Counter[str] = Counter()

    def setup(self) -> None:
        """Make the folder, see that a file can be written in it, and finish or remove what a killed run has left."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._claim.take()
            if self._segments:
                # Names what is complete, so that only the rest is swept away.
                self._segments.open()
            sweep(self._folder)
        except OSError as error:
            raise failed_write(self._path, error) from error

    def add(self, frame: ReceivedFrame, /) -> None:
        """Write the frame to its video, and finish the videos before it."""
        if self._options.resumes and self._segments and self._segments.holds(frame):
            self.left_out["there already"] += 1
            frame.done()
            return
        window = frame.captured_at_ns // self._rotate_ns if self._rotate_ns else 0
        key = _Key(frame.camera_id, frame.source, window)
        self._finish([other for other in self._open if other[:2] == key[:2] and self._is_over(other, frame, window)])
        segment = self._open.get(key)
        if segment is not None:
            segment.add(frame, now=self._monotonic())
            return
        part = self._claim.part(str(sum(self._begun.values())), ".mp4")
        segment = VideoSegment(part, fps=self._options.fps, resumes=self._options.resumes)
        # Kept only once it has a picture: a camera that sends nothing but damaged ones has no video to finish.
        segment.add(frame, now=self._monotonic())
        self._open[key] = segment
        self._begun[key[:2]] = self._begun.get(key[:2], 0) + 1

    def flush(self) -> None:
        """Finish the videos of silent cameras, and see that there is room for the end of each."""
        free = shutil.disk_usage(self._folder).free
        if free < MIN_FREE_BYTES:
            raise SinkError(
                f"cannot write {self._path}: the disk is nearly full ({free} bytes free), so the video ends here; "
                "free some space or write elsewhere"
            )
        self._finish([key for key, segment in self._open.items() if self._is_silent(key, segment)])
        if self._segments:
            try:
                self._segments.refresh()
            except OSError as error:
                raise failed_write(self._path, error) from error

    def settle(self) -> None:
        """Finish each video, and give it its name; the first failure is raised when all the others are finished."""
        self._finish(list(self._open))

    def close(self) -> None:
        """Finish each video, and let others know that nothing is being written any more."""
        try:
            self.settle()
        finally:
            self._claim.release()
            if self._segments:
                self._segments.close()

    def _list_of_segments(self) -> Segments | None:
        if self._rotate_ns is not None:
            return Segments(self._folder / "segments.jsonl", folder=self._folder)
        if self._options.resumes:
            return Segments(self._folder / f".{self._path.stem}.segments.jsonl", folder=self._folder)
        return None

    def _is_over(self, key: _Key, frame: Frame, window: int) -> bool:
        """Whether this frame ends that video of its camera, so that a position in a video is a time of capture."""
        if self._rotate_ns is None:
            return False
        if key.window != window:
            return key.window < window
        ahead_ns = frame.captured_at_ns - self._open[key].to_ns
        return not -MAX_STEP_BACK_S * SECOND_NS <= ahead_ns <= MAX_GAP_S * SECOND_NS

    def _is_silent(self, key: _Key, segment: VideoSegment) -> bool:
        if self._rotate_ns is None or self._monotonic() - segment.added_at < IDLE_S:
            return False
        return (key.window + 1) * self._rotate_ns + IDLE_S * SECOND_NS <= self._clock()

    def _finish(self, keys: list[_Key]) -> None:
        failures: list[SinkError] = []
        for key in keys:
            segment = self._open.pop(key)
            try:
                self._publish(key, segment)
            except SinkError as error:
                failures.append(error)
        for failure in failures[1:]:
            _log.warning("%s", failure)
        if failures:
            raise failures[0]

    def _publish(self, key: _Key, segment: VideoSegment) -> None:
        path = self._named(key, segment)
        self._end(segment, path)
        try:
            size = segment.part.stat().st_size
            file = str(path.relative_to(self._folder))
            if self._segments:
                named = self._segments.publish(segment.line(file, camera_id=key.camera_id, source=key.source))
            else:
                named = next(name for name in names(file) if rename_new(segment.part, self._folder / name))
        except OSError as error:
            raise failed_write(path, error) from error
        self.written += segment.frames - segment.track.too_fast
        if segment.track.too_fast:
            self.left_out["too fast for the video's rate"] += segment.track.too_fast
        for receipt in segment.receipts:
            receipt.done()
        _log.info("wrote %s", self._folder / named, extra={"bytes": size, "frames": segment.frames})

    def _end(self, segment: VideoSegment, path: Path) -> None:
        try:
            segment.finish()
        except OSError as error:
            _remove(segment.part)
            raise failed_write(path, error) from error
        except SinkError:
            _remove(segment.part)
            raise

    def _named(self, key: _Key, segment: VideoSegment) -> Path:
        if self._rotate_ns is not None:
            at = capture_time(segment.from_ns)
            clock = f"{at:%Y-%m-%dT%H-%M-%S}.{at.microsecond // 1000:03d}Z"
            maker = maker_of(camera_id=key.camera_id, source=key.source)
            return self._folder / key.camera_id / f"{clock}{maker}.mp4"
        if len(self._begun) == 1:
            return self._path
        one_each = len({camera for camera, _ in self._begun}) == len(self._begun)
        label = key.camera_id if one_each else f"{key.camera_id}-{key.source.rpartition('/')[2]}"
        return self._path.with_name(f"{self._path.stem}-{label}{self._path.suffix}")


def _remove(part: Path) -> None:
    # Without its end it cannot be opened, and its frames come again; most likely the disk is full.
    with suppress(OSError):
        part.unlink(missing_ok=True)
