"""How what new settings make of frames differs from what those that run make of them: counts of the last minute."""

import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import cv2
import msgspec

from streams.contract.errors import FrameError
from streams.contract.frame import Event
from streams.contract.images import decode

WINDOW_S = 60
# Pictures are decoded once more to be compared: so often for each camera, in seconds.
PICTURE_EVERY_S = 1.0
# What counts for pictures without a difference, whose ratio is infinite.
SAME_DB = 100.0
_MAX_CAMERAS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a frame. made: whether there is an output. picture: encoded, b"" where it is not published."""

    made: bool = False
    picture: bytes = b""
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class Counts:
    """Sums over frames that both have seen.

    changed_frames: with other events. changed_events: those that only one has found, of a type the larger number.
    only_live, only_shadow: frames of which only one made an output. pictures: pairs that were compared, psnr_db: the
    sum of theirs, lowest_db: the lowest. resized: pairs of different sizes, which are not measured.
    """

    frames: int = 0
    changed_frames: int = 0
    changed_events: int = 0
    only_live: int = 0
    only_shadow: int = 0
    pictures: int = 0
    resized: int = 0
    psnr_db: float = 0.0
    lowest_db: float = SAME_DB

    def add(self, more: "Counts") -> None:
        """Add others to these."""
        lowest = min(self.lowest_db, more.lowest_db)
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(more, field.name))
        self.lowest_db = lowest


class Comparison:
    """Compares frame by frame; called by any thread.

    timeout_s: a frame that the shadow is not done with after so long counts as one that only the live settings make.
    clock: seconds.
    """

    def __init__(self, *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s, self._clock, self._begun = timeout_s, clock, clock()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        # What the live settings have made of frames that the shadow is at, and since when.
        self._open: dict[int, tuple[float, Seen]] = {}
        # When a picture of each camera is due to be compared.
        self._due: dict[str, float] = {}
        self._seconds: deque[tuple[int, Counts]] = deque()
        self._total = Counts()

    def begin(self, live: Seen) -> int:
        """The live settings are done with a frame, and the shadow begins; what to call `end` with."""
        number = next(self._numbers)
        with self._lock:
            self._open[number] = (self._clock(), live)
        return number

    def end(self, number: int, shadow: Seen, *, camera: str) -> None:
        """The shadow is done with the frame."""
        with self._lock:
            _, live = self._open.pop(number, (0.0, None))
            due = live is not None and bool(live.picture and shadow.picture) and self._is_due(camera)
        if live is not None:
            self._count(live, shadow, compare_pictures=due)

    def last_minute(self) -> tuple[float, Counts]:
        """How many seconds are told of, from 1 to 60, and their sums."""
        self._give_up()
        now, total = self._clock(), Counts()
        with self._lock:
            self._drop_old(now)
            for _, counts in self._seconds:
                total.add(counts)
        return min(float(WINDOW_S), max(1.0, now - self._begun)), total

    def totals(self) -> Counts:
        """The sums since the start."""
        self._give_up()
        total = Counts()
        with self._lock:
            total.add(self._total)
        return total

    def _give_up(self) -> None:
        now = self._clock()
        with self._lock:
            late = [number for number, (since, _) in self._open.items() if now - since > self._timeout_s]
            given_up = [self._open.pop(number)[1] for number in late]
        for live in given_up:
            self._count(live, Seen(), compare_pictures=False)

    def _is_due(self, camera: str) -> bool:
        now = self._clock()
        if now < self._due.get(camera, now):
            return False
        if len(self._due) >= _MAX_CAMERAS:
            # Forged camera ids must not fill the memory.
            self._due.clear()
        self._due[camera] = now + PICTURE_EVERY_S
        return True

    def _count(self, live: Seen, shadow: Seen, *, compare_pictures: bool) -> None:
        changed = changed_events(live.events, shadow.events)
        counts = Counts(
            frames=1,
            changed_frames=int(changed > 0),
            changed_events=changed,
            only_live=int(live.made and not shadow.made),
            only_shadow=int(shadow.made and not live.made),
        )
        if compare_pictures:
            _compare(live.picture, shadow.picture, counts)
        now = self._clock()
        with self._lock:
            self._total.add(counts)
            self._drop_old(now)
            if not self._seconds or self._seconds[-1][0] != int(now):
                self._seconds.append((int(now), Counts()))
            self._seconds[-1][1].add(counts)

    def _drop_old(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= int(now) - WINDOW_S:
            self._seconds.popleft()


def changed_events(live: Sequence[Event], shadow: Sequence[Event]) -> int:
    """How many events differ by type or data, whatever their order: one that is another now counts once."""
    before, after = _counted(live), _counted(shadow)
    gone, new = Counter[str](), Counter[str]()
    for (kind, _), count in (before - after).items():
        gone[kind] += count
    for (kind, _), count in (after - before).items():
        new[kind] += count
    return (gone | new).total()


def _counted(events: Sequence[Event]) -> "Counter[tuple[str, bytes]]":
    return Counter((event.type, msgspec.json.encode(event.data, order="sorted")) for event in events)


def _compare(live: bytes, shadow: bytes, counts: Counts) -> None:
    """Note in the counts how much the pictures differ."""
    ratio = SAME_DB
    if live != shadow:
        try:
            one, other = decode(live), decode(shadow)
        except FrameError:
            # The camera's own bytes, which pass undecoded where no operator needs the picture.
            return
        if one.shape != other.shape:
            counts.resized = 1
            return
        ratio = min(SAME_DB, float(cv2.PSNR(one, other)))
    counts.pictures, counts.psnr_db, counts.lowest_db = 1, ratio, ratio
