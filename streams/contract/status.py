"""What each role reports of itself on `frames.status`: every two seconds, and at its end.

The topic is compacted; the key is `<role>/<instance>`, so the last report of each instance stays.
"""

import threading
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from streams.contract.topics import STATUS

INTERVAL_S = 2.0
# Why a producer leaves pictures out because somebody wants it so: no loss.
ASKED_FOR = frozenset(("paced", "no_motion"))
Role = Literal["producer", "worker", "gateway", "view", "shadow"]


class CameraSums(msgspec.Struct, kw_only=True):
    """Counts of one camera since the instance started: they only grow, and they close.

    Producer: captured = produced + dropped (by reason) + what is in flight. fitted: captured frames that were made
    smaller because their topic takes no larger ones; they are no part of the sum.
    bytes_out: of delivered frames. reconnects: how often the source was opened again.
    Worker: consumed = processed + filtered + stale + dead-lettered (by reason) + returned + what is in flight; returned
    are the frames given back at a rebalance or a stop, which come again. gaps: frames whose numbers are missing in what
    came; they were lost or dropped before, and are no part of the sum.
    age_p50_ms, age_p99_ms: capture to published, over the last ten seconds; None where nothing was published.
    """

    captured: int = 0
    produced: int = 0
    dropped: dict[str, int] = msgspec.field(default_factory=dict)
    fitted: int = 0
    bytes_out: int = 0
    reconnects: int = 0
    consumed: int = 0
    processed: int = 0
    filtered: int = 0
    stale: int = 0
    dead_lettered: dict[str, int] = msgspec.field(default_factory=dict)
    returned: int = 0
    gaps: int = 0
    age_p50_ms: float | None = None
    age_p99_ms: float | None = None


class ShadowFigures(msgspec.Struct, kw_only=True):
    """How new settings of a pipeline compare with those that are live, on the same frames, over the last `seconds`.

    live, shadow: `name@hash`; the shadow's hash is the one that its settings will have when they are live. seconds: 60,
    or fewer after the start. frames: that were compared; changed_frames: with other events. changed_events: those that
    only one of both has found; one that is another now counts once. only_live, only_shadow: frames of which only one
    made an output, as the other filtered them out or failed. pictures: pairs of outputs that were compared, at most one
    for each camera and second; psnr_mean_db, psnr_lowest_db: how much they are alike, 100 for pictures that are the
    same, None where none was compared. resized: pairs of different sizes, which are not measured.
    """

    live: str
    shadow: str
    seconds: float
    frames: int = 0
    changed_frames: int = 0
    changed_events: int = 0
    changed_events_per_minute: float = 0.0
    only_live: int = 0
    only_shadow: int = 0
    pictures: int = 0
    resized: int = 0
    psnr_mean_db: float | None = None
    psnr_lowest_db: float | None = None


class Status(msgspec.Struct, kw_only=True):
    """One report. Times are ns since 1970; `state` is "stopped" in an instance's last one.

    pipeline: `name@hash` of a worker. partitions: `topic/partition` that it has. lag: frames behind, by the same names;
    lag_s: how long ago the frame at the position was captured, in seconds, 0.0 where none waits. What is not known is
    left out. rebalances: how often partitions were assigned, the first time included.
    stage_seconds: time spent in each stage since the start. settings: what a person would want to see; a worker's are
    `threads` and those of its pipeline as in a file, its operators as tables with `op`, without anything secret.
    The role "shadow" is that of a worker whose outputs are only looked at: it tells what a worker tells, and in
    `shadow` how its settings compare with the live ones.
    """

    role: Role
    instance: str
    version: str
    started_ns: int
    reported_ns: int
    state: Literal["starting", "running", "stopped"]
    pipeline: str = ""
    group: str = ""
    partitions: list[str] = msgspec.field(default_factory=list)
    lag: dict[str, int] = msgspec.field(default_factory=dict)
    lag_s: dict[str, float] = msgspec.field(default_factory=dict)
    rebalances: int = 0
    stage_seconds: dict[str, float] = msgspec.field(default_factory=dict)
    cameras: dict[str, CameraSums] = msgspec.field(default_factory=dict)
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    shadow: ShadowFigures | None = None

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{self.role}/{self.instance}"


class StatusProducer(Protocol):
    """What is needed of a Kafka producer: confluent_kafka.Producer's `produce`."""

    def produce(self, topic: str, value: bytes, key: bytes) -> None:
        """Hand a record over; it must not block."""


def encode_status(status: Status) -> bytes:
    """A report as JSON."""
    return msgspec.json.encode(status)


def decode_status(data: bytes) -> Status:
    """A report from JSON; raises msgspec.DecodeError or msgspec.ValidationError."""
    return msgspec.json.decode(data, type=Status)


class StatusReporter:
    """Publishes `snapshot()` every two seconds from a thread of its own, and once more at `close()`.

    A report that cannot be handed over (the producer's queue is full) is dropped: the next one says all that it said.
    """

    def __init__(self, producer: StatusProducer, snapshot: Callable[[], Status], *, topic: str = STATUS) -> None:
        self._producer, self._snapshot, self._topic = producer, snapshot, topic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def start(self) -> None:
        """Begin to report, at once."""
        self._thread.start()

    def close(self) -> None:
        """Report a last time, with the state "stopped"; the producer must still be open, and be flushed afterwards."""
        self._stop.set()
        self._thread.join()
        status = self._snapshot()
        status.state = "stopped"
        self._publish(status)

    def _run(self) -> None:
        while True:
            self._publish(self._snapshot())
            if self._stop.wait(INTERVAL_S):
                return

    def _publish(self, status: Status) -> None:
        try:
            self._producer.produce(self._topic, value=encode_status(status), key=status.key.encode())
        except BufferError:
            return
