"""Frames as they were captured -> times within a video in which each is shown at its own."""

from consumers.sinks.constant_rate import MAX_GAP_S, MAX_STEP_BACK_S, SECOND_NS

TICKS_PER_SECOND = 1000
_FIRST_STEP = 40


class CaptureClock:
    """Tells at which tick (ms) of the video a frame is shown: as far from the first one as it was captured after it.

    Ticks only rise, so a frame that is late or of the same ms comes a tick after the one before. After a gap above
    MAX_GAP_S, or a step back above MAX_STEP_BACK_S, the clock is set anew: the gap is cut out.
    """

    def __init__(self) -> None:
        self._origin_ns = 0
        self._last = -1
        self.step = _FIRST_STEP

    def tick(self, at_ns: int) -> int:
        """at_ns: by the capture clock, ns. `step` is then how many ticks lie between this frame and the one before."""
        if self._last < 0:
            self._origin_ns, self._last = at_ns, 0
            return 0
        ahead_s = (at_ns - self._origin_ns) / SECOND_NS - self._last / TICKS_PER_SECOND
        if not -MAX_STEP_BACK_S <= ahead_s <= MAX_GAP_S:
            self._origin_ns = at_ns - (self._last + self.step) * (SECOND_NS // TICKS_PER_SECOND)
        tick = max(self._last + 1, round((at_ns - self._origin_ns) * TICKS_PER_SECOND / SECOND_NS))
        self.step, self._last = tick - self._last, tick
        return tick
