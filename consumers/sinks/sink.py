"""What a sink is: where frames go that leave Kafka."""

from dataclasses import dataclass
from typing import Protocol

from streams.contract.frame import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkOptions:
    """What a sink may be told beyond its path. fps: frames per second of a video; None: found out."""

    fps: float | None = None


class Sink(Protocol):
    """Writes frames somewhere. One thread calls it, in this order: setup, (add | flush)*, close.

    A sink may see a frame again after a restart (at-least-once): writing it twice must do no harm, or be documented.
    """

    def setup(self) -> None:
        """Called once, before anything is read from Kafka: make folders, open files.

        Raises SinkError, naming the path and the mend, when writing there cannot work; nothing is read then.
        """

    def add(self, frame: Frame) -> None:
        """Called for each frame, in order for each camera. May keep it until flush; the frame is never changed.

        Raises FrameError when this frame's picture cannot be used: it is counted and skipped, and the next one follows.
        Raises SinkError when writing does not work any more: recording ends, and the group's place is not written.
        """

    def flush(self) -> bool:
        """Called every second or so, and before the group's place is written.

        True: all that was added survives the kill of this process, so the place may be written. False: it does not
        before close(), so it may not. Raises SinkError as `add` does.
        """

    def close(self) -> None:
        """Called once at the end, after an error as well, but not when setup failed: finish the files.

        When it returns all that was added is written for good. Raises SinkError as `add` does.
        """
