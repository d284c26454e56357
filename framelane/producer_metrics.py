"""A producer's metrics and probes, in the names that the workers' have."""

import platform
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from producers.frame_producer import FrameProducer
from streams.contract.histogram import AGE_BOUNDS_S, Histogram
from streams.contract.status import ASKED_FOR, CameraSums, Status
from streams.pages import Pages, add_histogram, new_registry, serve_pages

_OTHER = "_other"
# Why pictures are dropped. Each is there from the start, so that the first of its kind is an increase.
_REASONS = (
    *sorted(ASKED_FOR),
    "undecodable",
    "buffer_full",
    "too_large",
    "stopped",
    "undelivered",
    "topic_missing",
    "not_authorized",
    "timed_out",
    "delivery_failed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPort:
    """Where metrics are shown; port 0: nowhere. cameras: so many are told apart, the rest is `_other`."""

    host: str
    port: int
    cameras: int


def serve_producer_metrics(connection: FrameProducer, where: MetricsPort, *, until: ExitStack) -> None:
    """Show `/metrics`, `/healthz` and `/readyz` until the stack is closed. Raises SettingError for a wrong host."""
    if not where.port:
        return
    registry = new_registry()
    registry.register(ProducerMetrics(connection, cameras=where.cameras))
    probes = {"/healthz": lambda: "", "/readyz": lambda: unready(connection.status())}
    server = serve_pages(Pages(registry=registry, probes=probes), host=where.host, port=where.port)
    until.callback(server.server_close)
    until.callback(server.shutdown)


def unready(status: Status) -> str:
    """Which cameras give nothing, where none does; "" where any is open."""
    states = {name: about.get("state", "") for name, about in status.settings.items()}
    if not states or any(state == "open" for state in states.values()):
        return ""
    return "no camera is open: " + "; ".join(f"{name} {state}" for name, state in states.items())


class Reporting(Protocol):
    """What is needed of a FrameProducer."""

    def status(self) -> Status:
        """What it reports."""

    def sums(self) -> dict[str, CameraSums]:
        """Of every camera that has been there."""

    def ages(self) -> dict[str, Histogram]:
        """From capture to delivered, of each."""


class ProducerMetrics(Collector):
    """What `/metrics` says of one producer's cameras, read off when somebody asks."""

    def __init__(self, connection: Reporting, *, cameras: int) -> None:
        """cameras: so many have a label of their own: those that came first, for good, so that counters grow."""
        self._connection, self._cameras = connection, cameras
        self._labels: dict[str, str] = {}

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        status, counted = self._connection.status(), self._connection.sums()
        for name in counted:
            self._labels.setdefault(name, name if len(self._labels) < self._cameras else _OTHER)
        labels = {name: self._labels[name] for name in counted}
        sums = _summed(counted, labels)
        yield _frames(sums)
        yield _bytes(sums)
        yield self._age(labels)
        yield _gauge(
            "framelane_queue_frames",
            "Captured, and neither delivered nor dropped.",
            {name: _in_flight(each) for name, each in sums.items()},
        )
        yield _counter(
            "framelane_source_reconnects",
            "How often the source was opened again.",
            {name: each.reconnects for name, each in sums.items()},
        )
        yield _counter(
            "framelane_frames_fitted",
            "Frames made smaller, so that the topic takes them.",
            {name: each.fitted for name, each in sums.items()},
        )
        yield _gauge("framelane_source_open", "Sources that are open: 1 or 0 for a camera.", _open(status, labels))
        build = GaugeMetricFamily(
            "framelane_build_info", "1; what runs here is in the labels.", labels=["version", "python", "role"]
        )
        build.add_metric([status.version, platform.python_version(), "producer"], 1)
        yield build

    def _age(self, labels: Mapping[str, str]) -> Metric:
        family = HistogramMetricFamily(
            "framelane_frame_age_seconds", "From capture to delivered.", labels=["camera_id"]
        )
        totals: dict[str, Histogram] = {}
        for name, histogram in self._connection.ages().items():
            # A camera that has come since the status was taken is told of the next time.
            if name in labels:
                totals.setdefault(labels[name], Histogram(AGE_BOUNDS_S)).merge(histogram)
        for label, total in totals.items():
            add_histogram(family, [label], total)
        return family


def _summed(cameras: Mapping[str, CameraSums], labels: Mapping[str, str]) -> dict[str, CameraSums]:
    found: dict[str, CameraSums] = {}
    for name, sums in cameras.items():
        total = found.setdefault(labels[name], CameraSums())
        for field in ("captured", "produced", "bytes_out", "reconnects", "fitted"):
            setattr(total, field, getattr(total, field) + getattr(sums, field))
        for reason, count in sums.dropped.items():
            total.dropped[reason] = total.dropped.get(reason, 0) + count
    return found


def _in_flight(sums: CameraSums) -> int:
    return sums.captured - sums.produced - sum(sums.dropped.values())


def _frames(sums: Mapping[str, CameraSums]) -> Metric:
    family = CounterMetricFamily(
        "framelane_frames",
        "Frames: captured, and what became of them.",
        labels=["camera_id", "stage", "outcome", "reason"],
    )
    for name, each in sums.items():
        family.add_metric([name, "capture", "captured", ""], each.captured)
        family.add_metric([name, "publish", "produced", ""], each.produced)
        for reason, count in (dict.fromkeys(_REASONS, 0) | each.dropped).items():
            family.add_metric([name, "publish", "dropped", reason], count)
    return family


def _bytes(sums: Mapping[str, CameraSums]) -> Metric:
    family = CounterMetricFamily(
        "framelane_frame_bytes", "Bytes of delivered frames.", labels=["camera_id", "direction"]
    )
    for name, each in sums.items():
        family.add_metric([name, "out"], each.bytes_out)
    return family


def _open(status: Status, labels: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, label in labels.items():
        found[label] = found.get(label, 0) + (status.settings.get(name, {}).get("state") == "open")
    return found


def _counter(name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["camera_id"])
    for camera, value in values.items():
        family.add_metric([camera], value)
    return family


def _gauge(name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["camera_id"])
    for camera, value in values.items():
        family.add_metric([camera], value)
    return family
