"""The ledger: the frames that the broker has confirmed, written when, and only when, it has."""

import threading
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where a record lies on the raw topic."""

    partition: int
    offset: int


class FrameName(NamedTuple):
    """What names a frame: which camera, which run of its producer, which number in it."""

    camera_id: str
    epoch: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A frame that the broker has. sent_s: s since 1970.

    reason, stage: those of the dead letter that it must become; "" if none, or whichever stage.
    """

    name: FrameName
    place: Place
    sent_s: float
    reason: str = ""
    stage: str = ""


class Ledger:
    """What the broker has confirmed. Written by producers' delivery reports, in whatever thread they come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: dict[Place, Confirmed] = {}

    def confirm(self, frame: Confirmed) -> None:
        """The broker has the frame."""
        with self._lock:
            assert frame.place not in self._frames, f"{frame.place} is confirmed twice"
            self._frames[frame.place] = frame

    def __len__(self) -> int:
        with self._lock:
            return len(self._frames)

    def frames(self) -> dict[Place, Confirmed]:
        """A copy of all that is confirmed, by where it lies."""
        with self._lock:
            return dict(self._frames)

    def bad(self) -> dict[Place, Confirmed]:
        """Those that must become dead letters."""
        return {place: frame for place, frame in self.frames().items() if frame.reason}
