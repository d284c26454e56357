"""When a grab is published: as fast as it comes, at the pace of the real thing, or thinned to a limit."""

from collections.abc import Callable
from typing import Protocol

from producers.sources.base import DEFAULT_FPS, Grab

SECOND_NS = 1_000_000_000
# Further behind than this the schedule moves instead: catching up in a burst helps nobody who watches.
MAX_BEHIND_NS = SECOND_NS


class Pacer(Protocol):
    """Decides about each grab, in the order in which they come."""

    def admit(self, grab: Grab) -> bool:
        """Return True when it is time to publish the grab, waiting if need be; False when it is to be dropped."""


class Fast:
    """No pace at all."""

    def admit(self, grab: Grab) -> bool:
        """Admit every grab at once."""
        return True


class Realtime:
    """Plays a file at its own speed, or at a given one, on an absolute schedule, so that it does not drift."""

    def __init__(
        self,
        *,
        fps: float | None,
        nominal_fps: float,
        clock: Callable[[], int],
        sleep: Callable[[float], object],
        max_behind_ns: int = MAX_BEHIND_NS,
    ) -> None:
        """fps: fixed pace; None: the grabs' media times, or the nominal pace where they have none (0: 10 a second).

        clock: ns, monotonic. sleep: takes seconds; it may return early to end the wait.
        """
        self._fixed = fps is not None
        self._interval_ns = round(SECOND_NS / (fps or nominal_fps or DEFAULT_FPS))
        self._clock, self._sleep, self._max_behind_ns = clock, sleep, max_behind_ns
        self._due_ns: int | None = None
        self._media_ns: int | None = None

    def admit(self, grab: Grab) -> bool:
        """Wait until the grab is due."""
        now = self._clock()
        due = now if self._due_ns is None else self._due_ns + self._step(grab)
        if now - due > self._max_behind_ns:
            due = now
        if due > now:
            self._sleep((due - now) / SECOND_NS)
        self._due_ns, self._media_ns = due, grab.media_time_ns
        return True

    def _step(self, grab: Grab) -> int:
        """From the last grab to this one. A file that begins again runs on at its nominal pace."""
        if self._fixed or grab.media_time_ns is None or self._media_ns is None:
            return self._interval_ns
        step = grab.media_time_ns - self._media_ns
        return step if step > 0 else self._interval_ns


class Limit:
    """Thins a live source, which nobody can slow down, to so many frames a second in the mean."""

    def __init__(self, *, fps: float, clock: Callable[[], int]) -> None:
        """clock: ns, monotonic."""
        self._interval_ns = round(SECOND_NS / fps)
        self._clock = clock
        self._due_ns: int | None = None

    def admit(self, grab: Grab) -> bool:
        """Admit the grab that is due; one that comes a little early counts as such, since cameras jitter."""
        now = self._clock()
        if self._due_ns is None or now - self._due_ns > self._interval_ns:
            self._due_ns = now
        if now < self._due_ns - self._interval_ns // 4:
            return False
        self._due_ns += self._interval_ns
        return True


def pacer_for(
    *,
    live: bool,
    realtime: bool,
    fps: float | None,
    nominal_fps: float,
    clock: Callable[[], int],
    sleep: Callable[[float], object],
) -> Pacer:
    """The pacer for a source: live ones are limited when fps is given, all others play in realtime or fast."""
    if live:
        return Fast() if fps is None else Limit(fps=fps, clock=clock)
    if not realtime:
        return Fast()
    return Realtime(fps=fps, nominal_fps=nominal_fps, clock=clock, sleep=sleep)
