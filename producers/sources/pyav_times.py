"""The position of each frame in its video, by the times that PyAV gives with them."""

from fractions import Fraction

_SECOND_NS = 1_000_000_000


class Positions:
    """Gives each frame its position: ns from the video's beginning, 0 or more, each greater than the one before.

    A frame that has no time, or one that is not after the frame before it, comes one interval after that.
    """

    def __init__(self, *, time_base: Fraction | None, start: int | None, fps: float) -> None:
        """time_base: seconds, the unit of the times and of start, None when there are none. fps: above 0."""
        self._time_base, self._start = time_base or Fraction(1, _SECOND_NS), start
        self._interval_ns = round(_SECOND_NS / fps)
        self._last_ns: int | None = None

    def of(self, pts: int | None) -> int:
        """The position of the next frame. pts: its time, None when it has none."""
        last, self._last_ns = self._last_ns, self.at(pts)
        if last is not None and (self._last_ns is None or self._last_ns <= last):
            self._last_ns = last + self._interval_ns
        self._last_ns = self._last_ns or 0
        return self._last_ns

    def at(self, pts: int | None) -> int | None:
        """Where a time lies, ns from the beginning; None where there is none."""
        if pts is None:
            return None
        # A container may be wrong about where it begins.
        self._start = pts if self._start is None or (self._last_ns is None and pts < self._start) else self._start
        return max(0, round((pts - self._start) * self._time_base * _SECOND_NS))
