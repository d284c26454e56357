"""One video while it is being written, and which frames are in it."""

import os
from pathlib import Path
from typing import Protocol

from consumers.received import Receipt, ReceivedFrame
from consumers.sinks.segments import Run, Segment
from consumers.sinks.timed_track import TimedTrack, has_pyav
from consumers.sinks.video_track import VideoTrack
from streams.contract.frame import Frame


class Track(Protocol):
    """Writes pictures to a file. too_fast: how many are not in it, for its rate has no room for them."""

    too_fast: int

    def add(self, frame: Frame) -> None:
        """Take a frame; raises FrameError when its picture is damaged, SinkError when the file cannot be written."""

    def close(self) -> None:
        """Finish the file. Raises SinkError."""


class VideoSegment:
    """A camera's pictures of one source and one window of time, in order.

    part: where it is written. receipts: of the frames in it, to be done once it is safe; only kept when it resumes.
    """

    def __init__(self, part: Path, *, fps: float | None, resumes: bool) -> None:
        self.part = part
        self.track: Track = TimedTrack(part) if fps is None and has_pyav() else VideoTrack(part, fps=fps)
        self.receipts: list[Receipt] = []
        self.frames = 0
        self.from_ns = self.to_ns = 0
        self.added_at = 0.0
        self._resumes = resumes
        # (epoch, first, last): the last run grows with each frame.
        self._runs: list[tuple[str, int, int]] = []

    def add(self, frame: ReceivedFrame, *, now: float) -> None:
        """Take a frame; raises as `Track.add`. now: seconds of a monotonic clock."""
        self.track.add(frame)
        self.added_at = now
        self.from_ns = min(self.from_ns, frame.captured_at_ns) if self.frames else frame.captured_at_ns
        self.to_ns = max(self.to_ns, frame.captured_at_ns)
        self.frames += 1
        if self._resumes:
            self.receipts.append(frame.receipt)
        else:
            frame.done()
        epoch, first, last = self._runs[-1] if self._runs else ("", 0, 0)
        if self._runs and (epoch, last + 1) == (frame.epoch, frame.sequence):
            self._runs[-1] = (epoch, first, frame.sequence)
        else:
            self._runs.append((frame.epoch, frame.sequence, frame.sequence))

    def finish(self) -> None:
        """End the video, and see that the disk has it. Raises SinkError, OSError."""
        self.track.close()
        handle = os.open(self.part, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def line(self, file: str, *, camera_id: str, source: str) -> Segment:
        """What the list of videos says of it; file: its name, relative to the folder of the part."""
        return Segment(
            file=file,
            part=self.part.name,
            camera_id=camera_id,
            source=source,
            from_ns=self.from_ns,
            to_ns=self.to_ns,
            frames=self.frames,
            runs=[Run(epoch=epoch, first=first, last=last) for epoch, first, last in self._runs],
        )
