"""Lanes: the frames of one partition in one generation of the group, in order.

A lane knows three things of each frame: whether its result is there, whether its records are delivered, and what comes
before it. Frames may be processed and delivered in any order; they are published in the order of their offsets, and
the position (what is committed) moves over the contiguous prefix of what is settled. Everything here runs on the event
loop; there is no I/O, no clock and no Kafka, so every order of events can be tried in a test.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(slots=True, eq=False)
class Entry(Generic[Work, Result]):
    """One frame in a lane.

    size: bytes held. light: it holds nothing any more and only keeps its place. pending: records of it that the broker
    has not confirmed; 0 and published means settled.
    """

    lane: "Lane[Work, Result]" = field(repr=False)
    offset: int
    size: int
    work: Work
    result: Result | None = None
    published: bool = False
    pending: int = 0
    light: bool = False

    @property
    def settled(self) -> bool:
        """Whether nothing more has to happen for this frame."""
        return self.published and self.pending == 0


@dataclass(slots=True, kw_only=True)
class LaneLimits:
    """When a lane is full. frames: count; size: bytes. It takes in again at half of both.

    Frames that only keep their place do not count, up to so many times as many.
    """

    frames: int
    size: int
    light: int = 64


class Lane(Generic[Work, Result]):
    """The frames of one partition in one generation.

    publish: called once for each entry, in order, when its result is there; it hands the records over, sets
    `entry.pending`, and returns False when it cannot take any now (`advance` is then to be called again).
    """

    def __init__(
        self,
        partition: Partition,
        generation: int,
        *,
        limits: LaneLimits,
        publish: Callable[[Entry[Work, Result]], bool],
    ) -> None:
        self.partition, self.generation = partition, generation
        self.killed = False
        self.next_offset = 0
        self.position: int | None = None
        # What the broker has of it; set by whoever commits.
        self.committed: int | None = None
        self.size = 0
        self._limits, self._publish = limits, publish
        self._light = 0
        self._entries: deque[Entry[Work, Result]] = deque()
        # Those of the entries whose records are not handed over yet: a suffix of the above.
        self._unpublished: deque[Entry[Work, Result]] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def full(self) -> bool:
        """Whether no more should be fetched for now; what comes all the same is taken."""
        frames, size, held = self._limits.frames, self._limits.size, len(self._entries)
        return held - self._light >= frames or self.size >= size or held >= frames * self._limits.light

    @property
    def roomy(self) -> bool:
        """Whether fetching should go on."""
        frames, size, held = self._limits.frames // 2, self._limits.size // 2, len(self._entries)
        return held - self._light <= frames and self.size <= size and held <= frames * self._limits.light

    def restarts(self, offset: int) -> bool:
        """Whether this offset says that the partition began anew: its topic was deleted and made again.

        What is only read twice lies at or after the committed position.
        """
        return self.committed is not None and offset < self.committed

    def add(self, *, offset: int, size: int, work: Work) -> Entry[Work, Result] | None:
        """Take a frame in; None for one that the lane has had already, for Faust seeks back within a generation."""
        if self.killed or offset < self.next_offset:
            return None
        entry: Entry[Work, Result] = Entry(self, offset, size, work)
        self.next_offset = offset + 1
        self.size += size
        self._entries.append(entry)
        self._unpublished.append(entry)
        return entry

    def complete(self, entry: Entry[Work, Result], result: Result) -> None:
        """A frame's result is there. The first one counts: a frame past its deadline may still come to an end."""
        if self.killed or entry.result is not None:
            return
        entry.result = result
        self.advance()

    def lighten(self, entry: Entry[Work, Result]) -> None:
        """The entry's bytes are let go of; it only keeps its place."""
        if not self.killed and not entry.light:
            self.size -= entry.size
            self._light += 1
            entry.size, entry.light = 0, True

    def advance(self) -> None:
        """Publish what is next in order, as far as results go."""
        while self._unpublished and self._unpublished[0].result is not None and not self.killed:
            entry = self._unpublished[0]
            if not self._publish(entry):
                return
            self._unpublished.popleft()
            entry.published = True
            if entry.pending == 0:
                self._settle()

    def delivered(self, entry: Entry[Work, Result]) -> None:
        """One of the entry's records has reached the broker."""
        entry.pending -= 1
        if not self.killed and entry.settled:
            self._settle()

    def unfinished(self) -> list[Entry[Work, Result]]:
        """The frames whose result is not there, in order."""
        return [entry for entry in self._unpublished if entry.result is None]

    def shed(self, begun: Callable[[Work], bool]) -> list[Entry[Work, Result]]:
        """Forget every frame from the first one on that nobody has begun to process; returns them, the last first.

        They come again, here or elsewhere: nothing of them was published. Those before it are finished.
        """
        waiting = next(
            (n for n, entry in enumerate(self._unpublished) if entry.result is None and not begun(entry.work)), None
        )
        if waiting is None:
            return []
        dropped = [self._unpublished.pop() for _ in range(len(self._unpublished) - waiting)]
        for entry in dropped:
            self._entries.pop()
            self.size -= entry.size
            self._light -= entry.light
        self.next_offset = dropped[-1].offset
        return dropped

    def kill(self) -> list[Entry[Work, Result]]:
        """The partition is no longer ours: nothing more is published or acked. Returns what was left."""
        self.killed = True
        left = list(self._entries)
        self._entries.clear()
        self._unpublished.clear()
        self.size = self._light = 0
        return left

    def oldest(self) -> Entry[Work, Result] | None:
        """The entry that holds back the position, if there is one."""
        return self._entries[0] if self._entries else None

    def _settle(self) -> None:
        while self._entries and self._entries[0].settled:
            entry = self._entries.popleft()
            self.size -= entry.size
            self._light -= entry.light
            self.position = entry.offset + 1
