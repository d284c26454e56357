"""How a worker runs: what is the same for every pipeline."""

import os
from dataclasses import dataclass, field

from streams.contract.errors import SettingError
from streams.contract.topics import MIB, STATUS


def _cores() -> int:
    # What this process may use, which in a container is less than what the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Settings of one worker process.

    threads: frames processed at the same time; OpenCV lets go of the GIL, so cores is a good number.
    lane_frames, lane_bytes: how much of one partition is taken in before its fetching pauses.
    drain_s: how long a rebalance or a stop waits for frames in flight, and again for the last commit.
    max_hung: how many threads may hang in an operator before the worker ends, to be started again; 0: 4 x threads.
    commit_interval_s: how often positions are committed; it bounds what a kill repeats.
    session_s, heartbeat_s: how long the group waits for a silent worker, and how often this one speaks.
    rebalance_s: how long the group waits for its members to join again.
    warmup_max_s: how long frames of a partition that has arrived may wait for the memories of stateful operators to be
    warmed with the frames before; 0 is off.
    memory_cameras: how many cameras have a memory at once, where the pipeline has one; 0 is no limit.
    status_topic: where the worker reports itself; "" is nowhere.
    """

    threads: int = field(default_factory=_cores)
    lane_frames: int = 32
    lane_bytes: int = 16 * MIB
    drain_s: float = 10.0
    max_hung: int = 0
    commit_interval_s: float = 0.5
    session_s: float = 12.0
    heartbeat_s: float = 1.0
    rebalance_s: float = 30.0
    warmup_max_s: float = 3.0
    memory_cameras: int = 12
    status_topic: str = STATUS

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 256:
            raise SettingError(f"threads {self.threads}: expected 1 to 256")
        if not 0 < 2 * self.drain_s < self.rebalance_s:
            raise SettingError(f"drain_s {self.drain_s}: expected above 0, and less than half of {self.rebalance_s}")
        if not 0 <= self.warmup_max_s <= 60:
            raise SettingError(f"warmup_max_s {self.warmup_max_s:g}: expected 0 (off) to 60 seconds")
        if self.memory_cameras < 0:
            raise SettingError(f"memory_cameras {self.memory_cameras}: expected a number of cameras, or 0 for no limit")
        if not 0 < self.heartbeat_s < self.session_s:
            raise SettingError(f"heartbeat_s {self.heartbeat_s}: expected above 0, and less than {self.session_s}")
