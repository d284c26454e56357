"""How far a group is on one partition: what was handed out, and what of it is done with."""

import msgspec

from consumers.received import Receipt


class PlaceNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is written beside a group's place (the commit's metadata, as JSON).

    upto: frames from the place to this offset may have been handed out already. at_ms: the newest timestamp of what is
    done with, ms since 1970.
    """

    upto: int = 0
    at_ms: int = 0


def read_note(text: str | None) -> PlaceNote:
    """The note of a committed place; an empty one where another client has written the place."""
    try:
        return msgspec.json.decode(text or "{}", type=PlaceNote)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return PlaceNote()


# Before anything is known of the rate: so few may be marked as redelivered though they were not handed out. Then for
# two seconds at the rate of late; it grows step by step, for the rate of a moment says little.
_FIRST_RESERVE = 16
_RESERVE_S = 2.0
_GROWTH = 4


class Progress:
    """One partition, from its assignment until it is taken away.

    Reading begins at `start`; what lies below `resume` was done with before, and is only remembered, to know repeats.
    Below `upto` frames may have been handed out by whoever read before. `done` may be called in any thread.
    """

    def __init__(
        self, *, start: int, resume: int, upto: int = 0, at_ms: int = 0, before: "Progress | None" = None
    ) -> None:
        """before: of the same partition, when this process had it the last time."""
        self.resume = resume
        self._before = before
        self.upto = upto
        # The offset after the last one that was read.
        self.next = start
        # Read and not done with: the timestamp by offset.
        self._open: dict[int, int] = {}
        self._at_ms = at_ms
        # Nothing from `_reserved` on is handed out before the broker knows that it may have been; more is asked for at
        # `_ask_at`, in time to be there when it is needed. `free_until` is the lower of both.
        self._reserved = self._ask_at = self.free_until = 0
        self._handed = 0
        self._wrote_at = 0.0
        self._reserve = _FIRST_RESERVE
        self.written: tuple[int, str] | None = None

    @property
    def position(self) -> int:
        """Where the group would resume: behind all that is done with without a break."""
        # A copy: another thread may be done with one meanwhile.
        return min(self._open.copy(), default=max(self.next, self.resume))

    def passed(self, offset: int) -> None:
        """A record was read, and is not handed out."""
        self.next = max(self.next, offset + 1)
        self._open.pop(offset, None)

    def hold(self, offset: int, at_ms: int) -> None:
        """A record was read, and is not done with until its receipt says so. at_ms: its timestamp, ms since 1970."""
        self.next = max(self.next, offset + 1)
        self._open[offset] = at_ms

    def receipt(self, offset: int) -> Receipt:
        """What says that a record which is held is done with."""
        return _Receipt(self, offset)

    def handed(self) -> None:
        """One more was handed out."""
        self._handed += 1

    def was_open(self, offset: int) -> bool:
        """Whether this process was handed the record when it had the partition before, and is not done with it yet."""
        return self._before is not None and offset in self._before._open

    def done(self, offset: int) -> None:
        """Nobody needs this record any more."""
        self._at_ms = max(self._at_ms, self._open.pop(offset, 0))

    def note(self, *, more: bool) -> tuple[int, str]:
        """Place and note to be written. more: reading goes on, so that some of what follows may be handed out."""
        position, upto = self.position, self.upto
        if more:
            upto = max(upto, max(self.next, self.resume) + self._reserve)
        elif self._open:
            upto = max(upto, self.next)
        if upto <= position:
            upto = 0
        return position, msgspec.json.encode(PlaceNote(upto=upto, at_ms=self._at_ms)).decode()

    def wrote(self, place: tuple[int, str], now: float) -> None:
        """This is on its way to the broker. now: of the monotonic clock; from it follows how much to reserve next."""
        self.written = place
        wanted = round(_RESERVE_S * self._handed / (now - self._wrote_at)) if now > self._wrote_at else 0
        self._reserve = max(_FIRST_RESERVE, min(_GROWTH * self._reserve, wanted))
        self._handed, self._wrote_at = 0, now
        self._ask_at = max(self._ask_at, (self.next + read_note(place[1]).upto) // 2)
        self.free_until = min(self._ask_at, self._reserved)

    def has(self, place: tuple[int, str]) -> None:
        """The broker has this place."""
        self._reserved = max(self._reserved, read_note(place[1]).upto)
        self.free_until = min(self._ask_at, self._reserved)

    def needs(self, offset: int) -> tuple[bool, bool]:
        """Whether more must be asked for by now, and whether this record has to wait until the broker has it."""
        return offset >= self._ask_at, offset >= self._reserved


class _Receipt:
    __slots__ = ("_offset", "_progress")

    def __init__(self, progress: Progress, offset: int) -> None:
        self._progress, self._offset = progress, offset

    def done(self) -> None:
        self._progress.done(self._offset)


class NoReceipt:
    """For those who watch without a group: nobody remembers how far they are."""

    __slots__ = ()

    def done(self) -> None:
        """Nothing to do."""
