"""When a picture is published: as fast as it comes, or at the pace of the real thing; and thinning to a limit."""

from collections.abc import Callable
from typing import Protocol

from producers.sources.base import DEFAULT_FPS

SECOND_NS = 1_000_000_000
# Further behind than this the schedule moves instead: catching up in a burst helps nobody who watches.
MAX_BEHIND_NS = SECOND_NS


class Pacer(Protocol):
    """Waits for each picture's turn, in the order in which they come."""

    def admit(self, media_time_ns: int | None) -> None:
        """Return when it is time for the picture with this position in its file."""


class Fast:
    """No pace at all."""

    def admit(self, media_time_ns: int | None) -> None:
        """Admit every picture at once."""


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
        """fps: fixed pace; None: the pictures' media times, or the nominal pace where they have none (0: 10 a second).

        clock: ns, monotonic. sleep: takes seconds; it may return early to end the wait.
        """
        self._fixed = fps is not None
        self._interval_ns = round(SECOND_NS / (fps or nominal_fps or DEFAULT_FPS))
        self._clock, self._sleep, self._max_behind_ns = clock, sleep, max_behind_ns
        self._due_ns: int | None = None
        self._media_ns: int | None = None

    def admit(self, media_time_ns: int | None) -> None:
        """Wait until the picture is due."""
        now = self._clock()
        due = now if self._due_ns is None else self._due_ns + self._step(media_time_ns)
        if now - due > self._max_behind_ns:
            due = now
        if due > now:
            self._sleep((due - now) / SECOND_NS)
        self._due_ns, self._media_ns = due, media_time_ns

    def _step(self, media_time_ns: int | None) -> int:
        """From the last picture to this one. A file that begins again runs on at its nominal pace."""
        if self._fixed or media_time_ns is None or self._media_ns is None:
            return self._interval_ns
        step = media_time_ns - self._media_ns
        return step if step > 0 else self._interval_ns


class Limit:
    """Thins pictures to so many a second in the mean."""

    def __init__(self, *, fps: float) -> None:
        self._interval_ns = round(SECOND_NS / fps)
        self._due_ns: int | None = None

    def admits(self, at_ns: int) -> bool:
        """Whether the picture that comes at this time, in ns, is due; a little early counts as such: cameras jitter."""
        if self._due_ns is None or at_ns - self._due_ns > self._interval_ns:
            self._due_ns = at_ns
        if at_ns < self._due_ns - self._interval_ns // 4:
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
    """The pacer for a source: nobody can pace a live one; all others play in realtime or fast."""
    if live or not realtime:
        return Fast()
    return Realtime(fps=fps, nominal_fps=nominal_fps, clock=clock, sleep=sleep)
