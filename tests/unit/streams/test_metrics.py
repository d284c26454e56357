"""What a worker's metrics say, by names and labels."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Sample
from prometheus_client.parser import text_string_to_metric_families

from streams.accounts import Accounts
from streams.lanes import Partition
from streams.metrics import WorkerMetrics
from streams.pages import new_registry
from streams.stage_times import StageTimes

SECOND = 1_000_000_000


def samples(accounts: Accounts, times: StageTimes | None = None, *, cameras: int = 200) -> list[Sample]:
    """All samples, as they come out of Prometheus' own text."""
    frames = SimpleNamespace(
        pipeline=SimpleNamespace(settings=SimpleNamespace(name="privacy"), label="privacy@1f3a"),
        times=times or StageTimes(),
        in_flight=3,
        rebalances=2,
        outbox=SimpleNamespace(publisher=SimpleNamespace(connections_lost=4)),
    )
    partition = Partition("raw", 7)
    progress: Any = SimpleNamespace(
        frames=frames,
        hung_threads=1,
        partitions=[partition],
        lag=lambda: {partition: 9},
        lag_s=lambda now_ns: {partition: 1.5},
        undelivered_s=0.5,
    )
    registry = CollectorRegistry()
    registry.register(WorkerMetrics(progress, accounts, cameras=cameras))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return [sample for family in families for sample in family.samples]


def values(found: list[Sample], name: str, **labels: str) -> Iterator[float]:
    """The values of those with this name and these labels."""
    return (s.value for s in found if s.name == name and labels.items() <= s.labels.items())


def value(found: list[Sample], name: str, **labels: str) -> float:
    """The value of the only one."""
    (only,) = values(found, name, **labels)
    return only


def test_each_frame_is_counted_by_what_became_of_it() -> None:
    accounts = Accounts()
    for _ in range(6):
        accounts.consumed("gate-1", size=100, missing=1)
    accounts.processed("gate-1", captured_ns=0, now_ns=SECOND // 5, size=40)
    accounts.filtered("gate-1")
    accounts.stale("gate-1")
    accounts.returned("gate-1")
    accounts.dead_lettered("gate-1", "undecodable")
    accounts.dead_lettered("gate-1", "operator_timeout")
    found = samples(accounts)
    name, camera = "framelane_frames_total", {"pipeline": "privacy", "camera_id": "gate-1"}
    assert value(found, name, outcome="consumed", stage="fetch", **camera) == 6
    ended = {"processed": "publish", "filtered": "operator", "stale": "queue", "returned": "queue"}
    for outcome, stage in ended.items():
        assert value(found, name, outcome=outcome, stage=stage, reason="", **camera) == 1
    assert value(found, name, outcome="dead_lettered", stage="decode", reason="undecodable", **camera) == 1
    assert value(found, name, outcome="dead_lettered", stage="operator", reason="operator_timeout", **camera) == 1
    assert value(found, name, outcome="dead_lettered", stage="gate", reason="empty", **camera) == 0
    assert sum(values(found, name)) == 12, "the sum closes: consumed once, ended once"
    assert value(found, "framelane_frame_bytes_total", direction="in", **camera) == 600
    assert value(found, "framelane_frame_bytes_total", direction="out", **camera) == 40
    assert value(found, "framelane_sequence_gaps_total", **camera) == 6
    assert value(found, "framelane_frame_age_seconds_bucket", le="0.25", **camera) == 1
    assert value(found, "framelane_frame_age_seconds_bucket", le="0.1", **camera) == 0
    assert value(found, "framelane_frame_age_seconds_sum", **camera) == 0.2


def test_only_the_first_cameras_have_a_label_of_their_own() -> None:
    accounts = Accounts(max_cameras=5)
    for camera in ("a", "_invalid", "b", "c", "d", "e", "f"):
        accounts.consumed(camera)
    found = samples(accounts, cameras=2)
    consumed = {s.labels["camera_id"]: s.value for s in found if s.labels.get("outcome") == "consumed"}
    assert consumed == {"a": 1, "_invalid": 1, "b": 1, "_other": 4}


def test_with_no_camera_to_be_told_apart_all_are_one() -> None:
    accounts = Accounts()
    accounts.consumed("a")
    accounts.consumed("b")
    assert value(samples(accounts, cameras=0), "framelane_frames_total", outcome="consumed", camera_id="_other") == 2


def test_stages_name_their_operator() -> None:
    times = StageTimes()
    times.add("decode", 0.004)
    times.add("1:resize", 0.002)
    found = samples(Accounts(), times)
    assert value(found, "framelane_stage_seconds_bucket", stage="decode", operator="", le="0.005") == 1
    assert value(found, "framelane_stage_seconds_sum", stage="operator", operator="1:resize") == 0.002


def test_what_is_true_of_the_whole_worker() -> None:
    found = samples(Accounts())
    place = {"topic": "raw", "partition": "7", "pipeline": "privacy"}
    assert value(found, "framelane_lag_frames", **place) == 9
    assert value(found, "framelane_lag_seconds", **place) == 1.5
    plain = {
        "framelane_assigned_partitions": 1,
        "framelane_queue_frames": 3,
        "framelane_hung_threads": 1,
        "framelane_undelivered_seconds": 0.5,
        "framelane_rebalances_total": 2,
        "framelane_broker_reconnects_total": 4,
    }
    assert {name: value(found, name, pipeline="privacy") for name in plain} == plain
    assert value(found, "framelane_build_info", pipeline="privacy", pipeline_hash="1f3a") == 1


def test_the_process_tells_of_itself() -> None:
    assert b"python_info" in generate_latest(new_registry())
