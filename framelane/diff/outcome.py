"""What a comparison has come to, by camera."""

from collections import Counter
from dataclasses import dataclass, field

from framelane.diff.asked import Key
from framelane.diff.likeness import Likeness

# The kinds of difference, as the summary and the report name them.
KINDS = {
    "missing": "missing: in A, not in B",
    "extra": "extra: in B, not in A",
    "pictures": "changed pictures",
    "events": "changed events",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A frame that differs. at_ns: when it was captured, ns since 1970."""

    at_ns: int
    key: Key


@dataclass(slots=True)
class Likenesses:
    """How alike pictures were that have other bytes.

    same: pixel by pixel, all the same. alike: not so, but as far as is asked. untold: those that have no PSNR.
    """

    same: int = 0
    alike: int = 0
    untold: int = 0
    _sum: float = 0.0
    _count: int = 0
    lowest: float | None = None

    @property
    def mean(self) -> float | None:
        """The mean PSNR, in dB, of those whose pixels differ."""
        return self._sum / self._count if self._count else None

    def add(self, likeness: Likeness, *, enough: bool) -> None:
        """Take one in."""
        if likeness.psnr is None:
            self.untold += 1
        elif likeness.psnr == float("inf"):
            self.same += 1
        else:
            self.alike += enough
            self._sum += likeness.psnr
            self._count += 1
            self.lowest = likeness.psnr if self.lowest is None else min(self.lowest, likeness.psnr)

    def merge(self, other: "Likenesses") -> None:
        """Take those of another in."""
        self.same += other.same
        self.alike += other.alike
        self.untold += other.untold
        self._sum += other._sum
        self._count += other._count
        self.lowest = min((each for each in (self.lowest, other.lowest) if each is not None), default=None)


@dataclass(slots=True)
class CameraOutcome:
    """One camera: how many frames either side has, when they were captured, and those that differ, by kind.

    letters: why frames that the one side lacks are dead letters there: of extra frames at A, of missing ones at B.
    """

    frames: list[int] = field(default_factory=lambda: [0, 0])
    events: list[int] = field(default_factory=lambda: [0, 0])
    times_ns: list[int] = field(default_factory=list)
    marks: dict[str, list[Mark]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    likenesses: Likenesses = field(default_factory=Likenesses)
    letters: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return any(self.marks.values())

    def count(self, kind: str) -> int:
        """How many frames differ so."""
        return len(self.marks[kind])


@dataclass(slots=True)
class SideOutcome:
    """One side. topic, events: where it was read; events is "" where none were. source: who has made it."""

    topic: str
    events: str = ""
    source: str = ""
    repeats: int = 0
    unlike: int = 0
    others: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Outcome:
    """The whole. outside: frames that lie outside the time that both sides have, and were left out. notes: what was
    not compared, and why.
    """

    sides: tuple[SideOutcome, SideOutcome]
    cameras: dict[str, CameraOutcome] = field(default_factory=dict)
    outside: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return any(camera.differs for camera in self.cameras.values())

    @property
    def empty(self) -> bool:
        """Whether there was nothing to be compared."""
        return not any(sum(camera.frames) + sum(camera.events) for camera in self.cameras.values())

    def camera(self, camera_id: str) -> CameraOutcome:
        """That of a camera, made where it is new."""
        return self.cameras.setdefault(camera_id, CameraOutcome())

    def count(self, kind: str) -> int:
        """How many frames differ so, over all cameras."""
        return sum(camera.count(kind) for camera in self.cameras.values())

    def in_order(self) -> list[tuple[str, CameraOutcome]]:
        """The cameras by name."""
        return sorted(self.cameras.items())
