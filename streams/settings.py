"""How a worker runs: what is the same for every pipeline."""

import os
from dataclasses import dataclass, field

from streams.contract.errors import SettingError
from streams.contract.topics import MIB, STATUS

METRICS_PORT = 9464


def cores() -> int:
    """Processors that this process may use, which in a container are fewer than what the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How a worker is watched, from outside and by itself.

    port, host: where metrics and probes are; another free port when that one is taken, 0: nowhere.
    cameras: so many cameras are told apart in the metrics; the others are counted together.
    stall_s: frames wait, nothing is committed, and nothing explains it for so long: the worker ends. 0: never.
    loop_s: the event loop has not ticked for so long: the worker calls itself unhealthy.
    end_s: how much longer until it is ended from outside of the loop.
    look_s: how often the broker is asked where something waits; more often where stall_s is short.
    """

    port: int = METRICS_PORT
    host: str = "127.0.0.1"
    cameras: int = 200
    stall_s: float = 60.0
    loop_s: float = 10.0
    end_s: float = 20.0
    look_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise SettingError(f"metrics port {self.port}: expected 1 to 65535, or 0 for none")
        if self.cameras < 0:
            raise SettingError(f"metrics cameras {self.cameras}: expected 0 or more")
        if self.stall_s < 0:
            raise SettingError(f"stall_s {self.stall_s}: expected 0 (never) or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Settings of one worker process.

    threads: frames processed at the same time; OpenCV lets go of the GIL, so cores is a good number.
    lane_frames, lane_bytes: how much of one partition is taken in before its fetching pauses.
    lanes_bytes: how much of all of them together, shared out evenly.
    drain_s: how long a rebalance or a stop waits for frames in flight, and again for the last commit.
    max_hung: how many threads may hang in an operator before the worker ends, to be started again; 0: 4 x threads.
    commit_interval_s: how often positions are committed; it bounds what a kill repeats.
    session_s, heartbeat_s: how long the group waits for a silent worker, and how often this one speaks.
    rebalance_s: how long the group waits for its members to join again.
    warmup_max_s: how long frames of a partition that has arrived may wait for the memories of stateful operators to be
    warmed with the frames before; 0 is off.
    memory_cameras: how many cameras have a memory at once, where the pipeline has one; 0 is no limit.
    status_topic: where the worker reports itself; "" is nowhere. watching: how it is watched.
    """

    threads: int = field(default_factory=cores)
    lane_frames: int = 32
    lane_bytes: int = 16 * MIB
    lanes_bytes: int = 96 * MIB
    drain_s: float = 10.0
    max_hung: int = 0
    commit_interval_s: float = 0.5
    session_s: float = 12.0
    heartbeat_s: float = 1.0
    rebalance_s: float = 30.0
    warmup_max_s: float = 3.0
    memory_cameras: int = 64
    status_topic: str = STATUS
    watching: WatchSettings = field(default_factory=WatchSettings)

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
