"""What became of each camera's frames: sums that only grow, and that close.

consumed = processed + filtered + stale + dead-lettered + returned + in flight. Returned are the frames that were taken
in and given back at a rebalance or a stop: they come again, here or elsewhere.
"""

import threading
from collections import deque

import msgspec

from streams.contract.status import CameraSums

AGE_WINDOW_NS = 10_000_000_000
# Frames whose key is no camera id are counted together: their keys are not ours to repeat in labels.
INVALID_CAMERA = "_invalid"


class Accounts:
    """Sums by camera. Written by the event loop, read by whoever reports.

    max_cameras: further ones are counted together as `_other`, so that forged keys fill neither the memory nor the
    status report, which has to fit its topic.
    """

    def __init__(self, *, max_cameras: int = 4000) -> None:
        self._sums: dict[str, CameraSums] = {}
        self._ages: dict[str, deque[tuple[int, int]]] = {}
        self._max_cameras = max_cameras
        self._lock = threading.Lock()

    def consumed(self, camera: str) -> None:
        """A frame was taken in."""
        with self._lock:
            self._of(camera).consumed += 1

    def returned(self, camera: str) -> None:
        """A frame that was taken in was given back."""
        with self._lock:
            self._of(camera).returned += 1

    def processed(self, camera: str, *, captured_ns: int, now_ns: int) -> None:
        """A frame's output has reached the broker. Times are ns since 1970."""
        with self._lock:
            self._of(camera).processed += 1
            # A camera's clock may run ahead of ours: an age is never negative.
            self._ages[self._known(camera)].append((now_ns, max(0, now_ns - captured_ns)))

    def filtered(self, camera: str) -> None:
        """A frame was dropped on purpose, by the camera filter, `max_fps` or an operator."""
        with self._lock:
            self._of(camera).filtered += 1

    def stale(self, camera: str) -> None:
        """A frame was skipped: a newer one was there, or it was too old."""
        with self._lock:
            self._of(camera).stale += 1

    def dead_lettered(self, camera: str, reason: str) -> None:
        """A frame's dead letter has reached the broker."""
        with self._lock:
            sums = self._of(camera)
            sums.dead_lettered[reason] = sums.dead_lettered.get(reason, 0) + 1

    def snapshot(self, now_ns: int) -> dict[str, CameraSums]:
        """A copy of all sums, with the ages of the last ten seconds."""
        with self._lock:
            return {camera: self._with_ages(camera, sums, now_ns) for camera, sums in self._sums.items()}

    def _known(self, camera: str) -> str:
        return camera if camera in self._sums or len(self._sums) < self._max_cameras else "_other"

    def _of(self, camera: str) -> CameraSums:
        camera = self._known(camera)
        if camera not in self._sums:
            self._sums[camera] = CameraSums()
            self._ages[camera] = deque(maxlen=1000)
        return self._sums[camera]

    def _with_ages(self, camera: str, sums: CameraSums, now_ns: int) -> CameraSums:
        recent = sorted(age for at, age in self._ages[camera] if now_ns - at <= AGE_WINDOW_NS)
        copy = msgspec.structs.replace(sums, dead_lettered=dict(sums.dead_lettered))
        if recent:
            copy.age_p50_ms = recent[len(recent) // 2] / 1e6
            copy.age_p99_ms = recent[min(len(recent) - 1, len(recent) * 99 // 100)] / 1e6
        return copy
