"""What became of each camera's frames: sums that only grow, and that close.

consumed = processed + filtered + stale + dead-lettered + returned + in flight. Returned are the frames that were taken
in and given back at a rebalance or a stop: they come again, here or elsewhere. Gaps are frames that never came: they
are no part of the sum.
"""

from collections import deque
from dataclasses import dataclass, field

import msgspec

from streams.contract.histogram import AGE_BOUNDS_S, Histogram
from streams.contract.status import CameraSums

AGE_WINDOW_NS = 10_000_000_000
# Frames whose key is no camera id are counted together: their keys are not ours to repeat in labels.
INVALID_CAMERA = "_invalid"
OTHER_CAMERAS = "_other"


@dataclass(slots=True, eq=False)
class Account:
    """What is counted of one camera. bytes_in: values of consumed frames; bytes_out: of processed ones.

    recent: (when, age) of the last published frames, both in ns. age: capture to published, of all of them.
    """

    sums: CameraSums = field(default_factory=CameraSums)
    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=1000))
    age: Histogram = field(default_factory=lambda: Histogram(AGE_BOUNDS_S))
    bytes_in: int = 0
    bytes_out: int = 0


class Accounts:
    """Sums by camera. Written by the event loop, read by any thread: each count is one step, and copies are too.

    max_cameras: further ones are counted together as `_other`, so that forged keys fill neither the memory nor the
    status report, which has to fit its topic.
    """

    def __init__(self, *, max_cameras: int = 4000) -> None:
        self._accounts: dict[str, Account] = {}
        self._max_cameras = max_cameras

    def consumed(self, camera: str, *, size: int = 0, missing: int = 0) -> None:
        """A frame of so many bytes was taken in. missing: frames of the camera that should have come before it."""
        account = self._of(camera)
        account.sums.consumed += 1
        account.sums.gaps += missing
        account.bytes_in += size

    def returned(self, camera: str) -> None:
        """A frame that was taken in was given back."""
        self._of(camera).sums.returned += 1

    def processed(self, camera: str, *, captured_ns: int | None, now_ns: int, size: int = 0) -> None:
        """A frame's output of so many bytes has reached the broker. Times are ns since 1970.

        captured_ns: None where it is no measure of how late the pipeline is: then no age is counted.
        """
        account = self._of(camera)
        account.sums.processed += 1
        account.bytes_out += size
        if captured_ns is None:
            return
        # A camera's clock may run ahead of ours: an age is never negative.
        age_ns = max(0, now_ns - captured_ns)
        account.recent.append((now_ns, age_ns))
        account.age.observe(age_ns / 1e9)

    def filtered(self, camera: str) -> None:
        """A frame was dropped on purpose, by the camera filter, `max_fps` or an operator."""
        self._of(camera).sums.filtered += 1

    def stale(self, camera: str) -> None:
        """A frame was skipped: a newer one was there, or it was too old."""
        self._of(camera).sums.stale += 1

    def dead_lettered(self, camera: str, reason: str) -> None:
        """A frame's dead letter has reached the broker."""
        dead = self._of(camera).sums.dead_lettered
        dead[reason] = dead.get(reason, 0) + 1

    def accounts(self) -> list[tuple[str, Account]]:
        """Every camera's account, as it is counted on; in the order in which the cameras came."""
        return list(self._accounts.items())

    def snapshot(self, now_ns: int) -> dict[str, CameraSums]:
        """A copy of all sums, with the ages of the last ten seconds."""
        return {camera: _with_ages(account, now_ns) for camera, account in self.accounts()}

    def _of(self, camera: str) -> Account:
        account = self._accounts.get(camera)
        if account is None:
            if len(self._accounts) >= self._max_cameras and camera != OTHER_CAMERAS:
                return self._of(OTHER_CAMERAS)
            account = self._accounts[camera] = Account()
        return account


def _with_ages(account: Account, now_ns: int) -> CameraSums:
    recent = sorted(age for at, age in list(account.recent) if now_ns - at <= AGE_WINDOW_NS)
    copy = msgspec.structs.replace(account.sums, dead_lettered=account.sums.dead_lettered.copy())
    if recent:
        copy.age_p50_ms = recent[len(recent) // 2] / 1e6
        copy.age_p99_ms = recent[min(len(recent) - 1, len(recent) * 99 // 100)] / 1e6
    return copy
