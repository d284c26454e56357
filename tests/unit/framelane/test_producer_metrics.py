import platform
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from framelane.producer_metrics import ProducerMetrics, unready
from streams.contract.histogram import AGE_BOUNDS_S, Histogram
from streams.contract.status import CameraSums, Status


def status(**states: str) -> Status:
    sums = CameraSums(
        captured=10, produced=6, dropped={"paced": 2, "too_large": 1}, bytes_out=600, reconnects=3, fitted=1
    )
    return Status(
        role="producer",
        instance="i",
        version="1",
        started_ns=0,
        reported_ns=0,
        state="running",
        cameras={name: sums for name in states},
        settings={name: {"state": state} for name, state in states.items()},
    )


@dataclass
class Connection:
    """What a producer says of itself; former: cameras that are here no more."""

    found: Status
    former: dict[str, CameraSums] = field(default_factory=dict)

    def status(self) -> Status:
        return self.found

    def sums(self) -> dict[str, CameraSums]:
        return {**self.found.cameras, **self.former}

    def ages(self) -> dict[str, Histogram]:
        ages = {name: Histogram(AGE_BOUNDS_S) for name in [*self.sums(), "just-come"]}
        for histogram in ages.values():
            histogram.observe(0.02)
        return ages


def registry_of(connection: Connection, *, cameras: int = 200) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(ProducerMetrics(connection, cameras=cameras))
    return registry


def registry(found: Status, *, cameras: int = 200) -> CollectorRegistry:
    return registry_of(Connection(found), cameras=cameras)


def test_the_sums_close() -> None:
    values = registry(status(gate="open"))

    def frames(stage: str, outcome: str, reason: str = "") -> float | None:
        labels = {"camera_id": "gate", "stage": stage, "outcome": outcome, "reason": reason}
        return values.get_sample_value("framelane_frames_total", labels)

    assert frames("capture", "captured") == 10
    assert frames("publish", "produced") == 6
    assert (frames("publish", "dropped", "paced"), frames("publish", "dropped", "too_large")) == (2, 1)
    assert frames("publish", "dropped", "buffer_full") == 0, "the first one has to be an increase"
    assert values.get_sample_value("framelane_queue_frames", {"camera_id": "gate"}) == 1
    assert values.get_sample_value("framelane_source_reconnects_total", {"camera_id": "gate"}) == 3
    assert values.get_sample_value("framelane_frames_fitted_total", {"camera_id": "gate"}) == 1
    assert values.get_sample_value("framelane_frame_bytes_total", {"camera_id": "gate", "direction": "out"}) == 600
    assert values.get_sample_value("framelane_frame_age_seconds_count", {"camera_id": "gate"}) == 1
    assert (
        values.get_sample_value(
            "framelane_build_info", {"version": "1", "python": platform.python_version(), "role": "producer"}
        )
        == 1
    )


def test_the_rest_is_counted_together() -> None:
    values = registry(status(a="open", b="open", c="lost: away"), cameras=1)
    assert values.get_sample_value("framelane_source_open", {"camera_id": "a"}) == 1
    assert values.get_sample_value("framelane_source_open", {"camera_id": "_other"}) == 1
    assert values.get_sample_value("framelane_source_reconnects_total", {"camera_id": "_other"}) == 6
    labels = {"camera_id": "_other", "stage": "publish", "outcome": "dropped", "reason": "paced"}
    assert values.get_sample_value("framelane_frames_total", labels) == 4
    assert values.get_sample_value("framelane_frame_age_seconds_count", {"camera_id": "_other"}) == 2


def test_counters_only_grow_whoever_comes_and_goes() -> None:
    connection = Connection(status(a="open", b="open", c="open", d="open"))
    values = registry_of(connection, cameras=2)

    def captured(label: str) -> float | None:
        labels = {"camera_id": label, "stage": "capture", "outcome": "captured", "reason": ""}
        return values.get_sample_value("framelane_frames_total", labels)

    before = [captured(label) for label in ("a", "b", "_other")]
    assert before == [10, 10, 20]
    # One was changed, so that it is the last now; another is gone.
    connection.former = {"d": connection.found.cameras["d"]}
    connection.found = status(b="open", c="open", a="open", e="open")
    assert [captured(label) for label in ("a", "b", "_other")] == [10, 10, 30]


def test_when_it_is_ready() -> None:
    assert unready(status(a="open", b="lost: away")) == ""
    assert unready(status()) == ""
    assert unready(status(a="opening", b="lost: away")) == "no camera is open: a opening; b lost: away"
