"""Frames as they were captured -> a video of a constant rate that keeps to the capture clock."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median

SECOND_NS = 1_000_000_000
DEFAULT_FPS = 25.0
MIN_FPS, MAX_FPS = 0.1, 120.0
# A longer silence, such as a camera that was unplugged, is cut out instead of shown as a still.
MAX_GAP_S = 10.0
MAX_STEP_BACK_S = 1.0


def estimate_fps(times_ns: Sequence[int]) -> float:
    """Frames per second from the first frames' capture times (ns); frames that are missing among them do no harm."""
    steps = [later - earlier for earlier, later in pairwise(times_ns) if later > earlier]
    if not steps:
        return DEFAULT_FPS
    usual = median(steps)
    fps = SECOND_NS / fmean(step for step in steps if step < 1.5 * usual)
    if abs(fps - round(fps)) < 0.01 * fps and fps >= 1:
        fps = round(fps)
    # MPEG-4 holds the rate as a fraction with a denominator of 16 bits.
    return round(min(max(fps, MIN_FPS), MAX_FPS), 2)


class ConstantRate:
    """Tells how many slots of the video each frame takes, so that slot n shows what was at n / fps seconds.

    A frame that is early or late by less than a slot takes exactly one, so jitter neither skips nor repeats any.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._origin_ns: float | None = None
        self._written = 0

    def slots(self, at_ns: int) -> int:
        """0: skip this frame. n: show the one before n - 1 times more, then this one.

        at_ns: by the capture clock. After a gap above MAX_GAP_S, or a step back, the clock is set anew.
        """
        ahead = 0.0 if self._origin_ns is None else (at_ns - self._origin_ns) * self._fps / SECOND_NS - self._written
        if self._origin_ns is None or not -MAX_STEP_BACK_S * self._fps <= ahead <= MAX_GAP_S * self._fps:
            self._origin_ns, ahead = at_ns - self._written * SECOND_NS / self._fps, 0.0
        if ahead <= -1:
            return 0
        count = 1 + max(0, int(ahead))
        self._written += count
        return count
