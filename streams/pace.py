"""What the time for a warm-up is enough for: as many frames as can be run, spread evenly, the newest among them."""

import time
from collections.abc import Callable, Hashable

# Of the time left this much is planned with; the rest is for what takes longer than it did so far.
PLANNED = 0.9
# How often the speed of reading is looked at, and how much of what it promises is relied on.
_MEASURE_S = 0.2
_RELIED_ON = 0.7
# How much the latest frame counts in the mean time for one.
_WEIGHT = 0.1


class Pace:
    """The time that the partitions which arrive together have in common.

    deadline: by the clock, in s. threads: frames run at the same time, one for each camera. Read by the thread that
    reads, written by the loop.
    """

    def __init__(self, deadline: float, *, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.deadline, self._threads, self._clock = deadline, threads, clock
        self._frame_s = 0.0
        self._ran = 0
        self._cameras: set[str] = set()
        self._coming: dict[Hashable, int] = {}

    @property
    def left_s(self) -> float:
        """Seconds to the deadline; never negative."""
        return max(0.0, self.deadline - self._clock())

    def ran(self, seconds: float) -> None:
        """A frame has been run, and that took so long."""
        self._ran += 1
        self._frame_s += (seconds - self._frame_s) * max(_WEIGHT, 1 / self._ran)

    def share(self, lane: Hashable, camera: str, *, coming: int, waiting: int) -> float:
        """Which share of the frames that still come can be run: 0 to 1, and 1 as long as nothing is known.

        coming: those of this lane, this one included; what other lanes last said is added. waiting: frames that are
        taken and have not been run.
        """
        self._cameras.add(camera)
        self._coming[lane] = coming
        if self._frame_s == 0:
            return 1.0
        at_once = min(self._threads, len(self._cameras))
        fits = self.left_s * PLANNED * at_once / self._frame_s - waiting
        # A copy: lanes end meanwhile, on the loop.
        return max(0.0, min(1.0, fits / max(1, sum(list(self._coming.values())))))

    def gone(self, lane: Hashable) -> None:
        """Nothing more comes of this lane."""
        self._coming.pop(lane, None)


class Stride:
    """Takes a share of each camera's frames, evenly: of every third its frames 3, 6, 9 ..."""

    def __init__(self) -> None:
        self._credit: dict[str, float] = {}

    def take(self, camera: str, share: float) -> bool:
        """Whether this frame of the camera is among those to be taken. share: 0 to 1, and may change as it goes."""
        credit = self._credit.get(camera, 0.0) + share
        taken = credit >= 1.0
        self._credit[camera] = credit - taken
        return taken


class Speed:
    """How many records are read in a second, without the time in which the reader waits for those that process them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started: float | None = None
        self._asked = self._waited = 0.0
        self._records = 0

    def read(self, *, waited: float) -> None:
        """One more record is read. waited: seconds for which nobody could take it."""
        if self._started is None:
            # Until here it was to be found, and fetched.
            self._started = self._asked = self._clock()
            return
        self._records += 1
        self._waited += waited

    def reach(self, left_s: float) -> int | None:
        """How many records can be read in the time left; told a few times a second, from when it is known on."""
        now = self._clock()
        if self._started is None or now - self._asked < _MEASURE_S:
            return None
        self._asked = now
        reading = max(now - self._started - self._waited, 1e-3)
        return int(self._records / reading * left_s * _RELIED_ON)
