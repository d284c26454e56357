"""Which stretches of a partition are not read yet, and in which of them a frame ought to lie."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Offsets from start up to, but without, end."""

    start: int
    end: int

    def distance(self, offset: int) -> int:
        """How far an offset lies outside; 0 within."""
        return max(self.start - offset, offset - self.end + 1, 0)


class Unread:
    """What is left to be read, in order.

    likely: where the frame ought to lie. unlikely: where it does not, unless it is out of order.
    """

    def __init__(self, likely: Span, unlikely: Iterable[Span] = ()) -> None:
        self.likely = _sound([likely])
        self.unlikely = _sound(unlikely)

    def read(self, start: int, end: int) -> None:
        """This stretch has been read, and the frame is not there."""
        self.likely = _without(self.likely, start, end)
        self.unlikely = _without(self.unlikely, start, end)

    def lies_after(self, offset: int) -> None:
        """The frame ought to lie after this offset."""
        self._doubt(Span(0, offset + 1))

    def lies_before(self, offset: int) -> None:
        """The frame ought to lie before this offset."""
        self._doubt(Span(offset, max(offset, *(span.end for span in (*self.likely, Span(0, 0))))))

    def _doubt(self, part: Span) -> None:
        doubted = (Span(max(span.start, part.start), min(span.end, part.end)) for span in self.likely)
        self.unlikely = sorted([*self.unlikely, *_sound(doubted)])
        self.likely = _without(self.likely, *part)


def nearest(spans: Sequence[Span], offset: int) -> Span:
    """The span that holds the offset, or else comes closest to it."""
    return min(spans, key=lambda span: span.distance(offset))


def widest(spans: Sequence[Span]) -> Span:
    """The longest one."""
    return max(spans, key=lambda span: span.end - span.start)


def _without(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    parts = ((Span(span.start, min(span.end, start)), Span(max(span.start, end), span.end)) for span in spans)
    return _sound(part for pair in parts for part in pair)


def _sound(spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.start < span.end]
