"""One MP4 video a camera."""

import logging
import os
import secrets
import shutil
from pathlib import Path

from consumers.sinks.failed_write import failed_write
from consumers.sinks.sink import SinkOptions
from consumers.sinks.video_track import VideoTrack
from streams.contract.errors import SettingError, SinkError
from streams.contract.frame import Frame

_log = logging.getLogger(__name__)
# OpenCV does not say that a disk is full, and a video without its end cannot be opened: so it ends before.
MIN_FREE_BYTES = 32 * 1024 * 1024


class Mp4Sink:
    """Writes FILE.mp4, or FILE-<camera>.mp4 for several cameras (FILE-<camera>-<pipeline>.mp4 for several pipelines).

    A video is complete only once it is closed: until then it lies beside it as a hidden `.part.mp4` that nobody
    else writes, so that several may write the same FILE.mp4. What exists is never overwritten: FILE.2.mp4 follows.
    MPEG-4 Part 2 (VLC, mpv and FFmpeg play it, browsers do not), without sound.
    """

    def __init__(self, path: Path, options: SinkOptions) -> None:
        if options.fps is not None and not 0.1 <= options.fps <= 120:
            raise SettingError(f"fps {options.fps}: expected 0.1 to 120")
        self._path, self._fps = path, options.fps
        # Several may write the same FILE.mp4, and containers on one volume all have the same process number.
        self._token = secrets.token_hex(4)
        self._tracks: dict[tuple[str, str], VideoTrack] = {}

    def setup(self) -> None:
        """Make the folder, and see that a file can be written in it."""
        probe = self._unfinished(0)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise failed_write(self._path, error) from error

    def add(self, frame: Frame) -> None:
        """Write the frame to its camera's video."""
        key = (frame.camera_id, frame.source)
        if key in self._tracks:
            self._tracks[key].add(frame)
            return
        track = VideoTrack(self._unfinished(len(self._tracks)), fps=self._fps)
        # Kept only once it has a picture: a camera that sends nothing but damaged ones has no video to finish.
        track.add(frame)
        self._tracks[key] = track

    def flush(self) -> bool:
        """A video that is not closed is none, so nothing is safe yet; but see that there is room for its end."""
        free = shutil.disk_usage(self._path.parent).free
        if free < MIN_FREE_BYTES:
            raise SinkError(
                f"cannot write {self._path}: the disk is nearly full ({free} bytes free), so the video ends here; "
                "free some space or write elsewhere"
            )
        return False

    def close(self) -> None:
        """Finish each video, and give it its name; the first failure is raised when all the others are finished."""
        failures: list[SinkError] = []
        for (camera_id, source), track in self._tracks.items():
            try:
                self._finish(track, self._named(camera_id, source))
            except SinkError as error:
                failures.append(error)
        for failure in failures[1:]:
            _log.warning("%s", failure)
        if failures:
            raise failures[0]

    def _finish(self, track: VideoTrack, path: Path) -> None:
        track.close()
        try:
            named = _rename(track.path, path)
            size = named.stat().st_size
        except OSError as error:
            raise failed_write(path, error) from error
        _log.info("wrote %s", named, extra={"bytes": size})

    def _unfinished(self, number: int) -> Path:
        return self._path.with_name(f".{self._path.stem}-{self._token}-{number}.part.mp4")

    def _named(self, camera_id: str, source: str) -> Path:
        if len(self._tracks) == 1:
            return self._path
        one_each = len({camera for camera, _ in self._tracks}) == len(self._tracks)
        label = camera_id if one_each else f"{camera_id}-{source.rpartition('/')[2]}"
        return self._path.with_name(f"{self._path.stem}-{label}{self._path.suffix}")


def _rename(part: Path, path: Path) -> Path:
    """Give a file the name, or the first of path.2, path.3 ... that nobody has; returns it."""
    number, named = 1, path
    while True:
        try:
            # Unlike a rename, a link never takes a name that another process has just given away.
            os.link(part, named)
        except FileExistsError:
            number += 1
            named = path.with_name(f"{path.stem}.{number}{path.suffix}")
        except OSError:
            # Some file systems have no links.
            if named.exists():
                raise
            part.replace(named)
            return named
        else:
            part.unlink()
            return named
