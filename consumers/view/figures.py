"""How a camera is doing, as seen by who watches the topics."""

from collections import deque
from typing import Literal

import msgspec

from consumers.received import ReceivedFrame
from consumers.reported import dropped_of
from consumers.status_board import CameraRow

State = Literal["live", "stale", "silent"]

SPARK_S = 60
# A frame that is older, or that has not come for so long, is no picture of now.
STALE_S = 3.0
SILENT_S = 30.0
_FPS_OVER_S = 5


class CameraFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's row. fps: processed frames a second, over five seconds. age_ms: of the newest frame when it came.

    state: "stale" when frames come late, or less often than they used to; "silent" when none came for 30 s, or ever.
    last_captured_at_ns: ns since 1970, as text, for JavaScript's numbers are too short; "" before the first frame.
    width, height: pixels of the processed frame. dropped, stale, dead_lettered, gaps: frames, as producers and workers
    report them; what a producer leaves out because it was asked to is not dropped. ages: the last 60 s, the oldest of
    each second in ms; None where no frame came.
    """

    camera_id: str
    state: State
    fps: float
    age_ms: float | None
    last_captured_at_ns: str
    width: int
    height: int
    pipeline: str
    dropped: int
    stale: int
    dead_lettered: int
    gaps: int
    ages: list[float | None]


class CameraWatch:
    """What came of one camera. `tick` once a second; times in ns since 1970."""

    def __init__(self, camera_id: str) -> None:
        self.camera_id = camera_id
        self._last: ReceivedFrame | None = None
        self._age_ms: float | None = None
        self._came_ns = 0
        self._oldest_ms: float | None = None
        self._ages: deque[float | None] = deque([None] * SPARK_S, maxlen=SPARK_S)
        # How many had come, by when: one entry a second.
        self._counts: deque[tuple[int, int]] = deque(maxlen=_FPS_OVER_S + 1)
        self._interval_s = 0.0

    def note(self, frame: ReceivedFrame, now_ns: int) -> None:
        """A frame has come."""
        if self._last is not None:
            between_s = min(SILENT_S, (now_ns - self._came_ns) / 1e9)
            self._interval_s += (between_s - self._interval_s) / 8
        self._last, self._came_ns = frame, now_ns
        self._age_ms = max(0.0, (now_ns - frame.captured_at_ns) / 1e6)
        self._oldest_ms = max(self._oldest_ms or 0.0, self._age_ms)

    def tick(self, count: int, now_ns: int) -> None:
        """A second has passed. count: frames that have come so far, those that were skipped included."""
        self._ages.append(None if self._oldest_ms is None else round(self._oldest_ms, 1))
        self._oldest_ms = None
        self._counts.append((now_ns, count))

    def figures(self, row: CameraRow | None, now_ns: int) -> CameraFigures:
        """Its row. row: what is reported of it."""
        last = self._last
        return CameraFigures(
            camera_id=self.camera_id,
            state=self._state(now_ns),
            fps=round(self._fps(), 1),
            age_ms=None if self._age_ms is None else round(self._age_ms, 1),
            last_captured_at_ns="" if last is None else str(last.captured_at_ns),
            width=0 if last is None else last.width,
            height=0 if last is None else last.height,
            pipeline="" if last is None else last.pipeline,
            dropped=dropped_of(row.produced) if row else 0,
            stale=row.worked.stale if row else 0,
            dead_lettered=row.dead_lettered if row else 0,
            gaps=row.worked.gaps if row else 0,
            ages=list(self._ages),
        )

    def _state(self, now_ns: int) -> State:
        silent_s = (now_ns - self._came_ns) / 1e9
        if self._last is None or silent_s > SILENT_S:
            return "silent"
        # A camera that sends a frame every ten seconds is well.
        late = silent_s > max(STALE_S, 3 * self._interval_s) or (self._age_ms or 0.0) > STALE_S * 1000
        return "stale" if late else "live"

    def _fps(self) -> float:
        if len(self._counts) < 2:
            return 0.0
        (first_ns, first), (last_ns, last) = self._counts[0], self._counts[-1]
        return (last - first) / ((last_ns - first_ns) / 1e9) if last_ns > first_ns else 0.0
