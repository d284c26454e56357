"""An instance's last report, as of now: whether it runs, and how fast its counts grow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from streams.contract.status import ASKED_FOR, INTERVAL_S, CameraSums, Status

SILENT_S = 3 * INTERVAL_S
# Whoever has not reported for so long is gone for good, and no news to those who look now.
RECENT_S = 600.0

ProcessState = Literal["starting", "running", "silent", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLine:
    """A worker or producer, by its own last report. seen_s: how long ago that was.

    state: "silent" when it should have reported three times since; "stopped" when it has said so itself. fps: frames
    processed, or captured, a second between its last two reports. away: of a producer's cameras that give nothing, what
    it says of them.
    """

    instance: str
    state: ProcessState
    seen_s: float
    version: str
    pipeline: str = ""
    group: str = ""
    partitions: tuple[str, ...] = ()
    fps: float = 0.0
    cameras: tuple[str, ...] = ()
    away: dict[str, str] = field(default_factory=dict)


class Reported:
    """An instance's last report, with the one before it, as of `now_ns`."""

    def __init__(self, status: Status, before: Status | None = None, *, now_ns: int) -> None:
        self.status, self._before = status, before
        self.seen_s = max(0.0, (now_ns - status.reported_ns) / 1e9)
        silent = status.state != "stopped" and self.seen_s > SILENT_S
        self.state: ProcessState = "silent" if silent else status.state
        self.running = self.state in ("starting", "running")

    def rate(self, count: Callable[[CameraSums], int], camera: str | None = None) -> float:
        """How much a count grew a second between the last two reports: of one camera, or of all.

        0 for an instance that runs no more.
        """
        if self._before is None or not self.running:
            return 0.0
        took_s = (self.status.reported_ns - self._before.reported_ns) / 1e9
        names = self.status.cameras if camera is None else (camera,)
        grown = sum(count(self.sums(name)) - count(self._before.cameras.get(name, CameraSums())) for name in names)
        return round(max(0.0, grown / took_s), 2) if took_s > 0 else 0.0

    def sums(self, camera: str) -> CameraSums:
        """The last sums of a camera."""
        return self.status.cameras.get(camera, CameraSums())

    def stage_rates(self) -> dict[str, float]:
        """Seconds of work a second in each stage, between the last two reports, all threads together.

        Empty for an instance that runs no more, or has reported once.
        """
        if self._before is None or not self.running or self._before.pipeline != self.status.pipeline:
            return {}
        took_s = (self.status.reported_ns - self._before.reported_ns) / 1e9
        earlier = self._before.stage_seconds
        grown = {stage: total - earlier.get(stage, 0.0) for stage, total in self.status.stage_seconds.items()}
        return {stage: max(0.0, more / took_s) for stage, more in grown.items()} if took_s > 0 else {}

    def line(self) -> ProcessLine:
        """The instance as a row."""
        status = self.status
        counted: Callable[[CameraSums], int] = captured_of if status.role == "producer" else processed_of
        return ProcessLine(
            instance=status.instance,
            state=self.state,
            seen_s=round(self.seen_s, 1),
            version=status.version,
            pipeline=status.pipeline,
            group=status.group,
            partitions=tuple(status.partitions),
            fps=self.rate(counted),
            cameras=tuple(sorted(status.cameras)) if status.role == "producer" else (),
            away=_away(status) if status.role == "producer" else {},
        )


def _away(status: Status) -> dict[str, str]:
    states = {camera: str(about.get("state", "")) for camera, about in sorted(status.settings.items())}
    return {camera: state for camera, state in states.items() if state.startswith(("lost", "failed"))}


def captured_of(sums: CameraSums) -> int:
    """Frames captured."""
    return sums.captured


def processed_of(sums: CameraSums) -> int:
    """Frames processed."""
    return sums.processed


def dead_of(sums: CameraSums) -> int:
    """Frames that ended as dead letters, for whatever reason."""
    return sum(sums.dead_lettered.values())


def dropped_of(sums: CameraSums) -> int:
    """Frames that the producer dropped though nobody wanted it so."""
    return sum(count for reason, count in sums.dropped.items() if reason not in ASKED_FOR)
