"""A worker's metrics in Prometheus' terms, read off when somebody asks; the hot path knows nothing of them.

Units are base units. Times in histograms are those of frames, not of calls.
"""

import platform
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import NamedTuple, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.accounts import INVALID_CAMERA, OTHER_CAMERAS, Account, Accounts
from streams.contract.errors import Reason
from streams.contract.histogram import AGE_BOUNDS_S, Histogram
from streams.pages import add_histogram
from streams.progress import Progress

# Where the way of a frame ended that became a dead letter.
_STAGES: dict[str, str] = {
    "empty": "gate",
    "too_large": "gate",
    "not_an_image": "gate",
    "too_many_pixels": "gate",
    "undecodable": "decode",
    "bad_headers": "headers",
    "output_too_large": "publish",
    "undeliverable": "publish",
}
_OPERATOR = "operator"


class _Ended(NamedTuple):
    stage: str
    outcome: str
    reason: str = ""


class WorkerMetrics(Collector):
    """What `/metrics` says of one worker. cameras: so many are told apart; the rest is `_other`."""

    def __init__(self, progress: Progress, accounts: Accounts, *, cameras: int) -> None:
        self._progress, self._accounts, self._cameras = progress, accounts, cameras

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        accounts = self._by_label()
        yield self._frames(accounts)
        yield self._bytes(accounts)
        yield self._gaps(accounts)
        yield self._ages(accounts)
        yield self._stages()
        yield from self._partitions()
        yield from self._worker()

    @property
    def _pipeline(self) -> str:
        return self._progress.frames.pipeline.settings.name

    def _by_label(self) -> dict[str, list[Account]]:
        """The accounts behind each value of the label camera_id. Whoever came first keeps the label."""
        found: dict[str, list[Account]] = {}
        left = self._cameras
        for camera, account in self._accounts.accounts():
            real = camera not in (INVALID_CAMERA, OTHER_CAMERAS)
            found.setdefault(OTHER_CAMERAS if real and left <= 0 else camera, []).append(account)
            left -= real
        return found

    def _frames(self, accounts: dict[str, list[Account]]) -> Metric:
        family = CounterMetricFamily(
            "framelane_frames",
            "Frames: consumed, and what became of them; stage is where their way ended.",
            labels=["pipeline", "camera_id", "stage", "outcome", "reason"],
        )
        for camera, each in accounts.items():
            for ended, count in _sums(each).items():
                family.add_metric([self._pipeline, camera, *ended], count)
        return family

    def _bytes(self, accounts: dict[str, list[Account]]) -> Metric:
        family = CounterMetricFamily(
            "framelane_frame_bytes",
            "Bytes of encoded frames: in, as consumed; out, as published.",
            labels=["pipeline", "camera_id", "direction"],
        )
        for camera, each in accounts.items():
            family.add_metric([self._pipeline, camera, "in"], sum(account.bytes_in for account in each))
            family.add_metric([self._pipeline, camera, "out"], sum(account.bytes_out for account in each))
        return family

    def _gaps(self, accounts: dict[str, list[Account]]) -> Metric:
        family = CounterMetricFamily(
            "framelane_sequence_gaps",
            "Frames whose numbers are missing in what came: lost or dropped before this worker.",
            labels=["pipeline", "camera_id"],
        )
        for camera, each in accounts.items():
            family.add_metric([self._pipeline, camera], sum(account.sums.gaps for account in each))
        return family

    def _ages(self, accounts: dict[str, list[Account]]) -> Metric:
        family = HistogramMetricFamily(
            "framelane_frame_age_seconds", "From capture to published.", labels=["pipeline", "camera_id"]
        )
        for camera, each in accounts.items():
            total = Histogram(AGE_BOUNDS_S)
            for account in each:
                total.merge(account.age)
            add_histogram(family, [self._pipeline, camera], total)
        return family

    def _stages(self) -> Metric:
        family = HistogramMetricFamily(
            "framelane_stage_seconds",
            "What frames spend in each stage; operator is its place and name in the pipeline.",
            labels=["pipeline", "stage", "operator"],
        )
        for stage, histogram in self._progress.frames.times.histograms().items():
            labels = [_OPERATOR, stage] if ":" in stage else [stage, ""]
            add_histogram(family, [self._pipeline, *labels], histogram)
        return family

    def _partitions(self) -> Iterator[Metric]:
        labels = ["pipeline", "topic", "partition"]
        lag = GaugeMetricFamily("framelane_lag_frames", "High watermark minus position.", labels=labels)
        for (topic, number), behind in self._progress.lag().items():
            lag.add_metric([self._pipeline, topic, str(number)], behind)
        yield lag
        lag_s = GaugeMetricFamily(
            "framelane_lag_seconds", "How long ago the frame at the position was captured.", labels=labels
        )
        for (topic, number), seconds in self._progress.lag_s(now_ns=time.time_ns()).items():
            lag_s.add_metric([self._pipeline, topic, str(number)], seconds)
        yield lag_s
        yield self._gauge("framelane_assigned_partitions", "Partitions it has.", len(self._progress.partitions))

    def _worker(self) -> Iterator[Metric]:
        frames = self._progress.frames
        yield self._gauge("framelane_queue_frames", "Frames taken in and not settled.", frames.in_flight)
        yield self._gauge("framelane_hung_threads", "Threads that hang in an operator.", self._progress.hung_threads)
        yield self._gauge(
            "framelane_undelivered_seconds",
            "For how long the broker has confirmed nothing though outputs wait for it.",
            self._progress.undelivered_s,
        )
        yield self._counter(
            "framelane_rebalances", "Times partitions were assigned, the first included.", frames.rebalances
        )
        lost = frames.outbox.publisher.connections_lost
        yield self._counter("framelane_broker_reconnects", "Connections to brokers lost, and made anew.", lost)
        info = {name: version(name) for name in ("framelane", "opencv-python-headless", "faust-streaming", "aiokafka")}
        labels = ["version", "opencv", "faust", "aiokafka", "python", "pipeline", "pipeline_hash"]
        build = GaugeMetricFamily("framelane_build_info", "1; what runs here is in the labels.", labels=labels)
        name, _, digest = frames.pipeline.label.partition("@")
        build.add_metric([*info.values(), platform.python_version(), name, digest], 1)
        yield build

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(name, text, labels=["pipeline"])
        family.add_metric([self._pipeline], value)
        return family

    def _counter(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(name, text, labels=["pipeline"])
        family.add_metric([self._pipeline], value)
        return family


def _sums(accounts: Iterable[Account]) -> dict[_Ended, int]:
    """The sums of these accounts together; every kind is there from the start, so that its first one is an increase."""
    plain = {
        "consumed": _Ended("fetch", "consumed"),
        "processed": _Ended("publish", "processed"),
        "filtered": _Ended(_OPERATOR, "filtered"),
        "stale": _Ended("queue", "stale"),
        "returned": _Ended("queue", "returned"),
    }
    dead = {reason: _Ended(_STAGES.get(reason, _OPERATOR), "dead_lettered", reason) for reason in get_args(Reason)}
    found = dict.fromkeys([*plain.values(), *dead.values()], 0)
    for account in accounts:
        for name, ended in plain.items():
            found[ended] += getattr(account.sums, name)
        for reason, count in account.sums.dead_lettered.copy().items():
            found[dead[reason]] += count
    return found
