"""What a worker shows on its port, on a real Kafka."""

import json
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Producer
from kafka_support import drain, unique
from probe_support import counts, page, wait_for_count, wait_for_page
from worker_support import JPEG, Fleet, make_topics, send

from streams.contract.kafka_settings import PARTITIONER


def test_the_sums_are_those_of_what_was_sent(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic)
    send(kafka_bootstrap, topics.raw, ["a", "b"], 20)
    # Ten frames of "a" never come; one frame is damaged, one has no camera, one comes twice.
    send(kafka_bootstrap, topics.raw, ["a"], 5, first=30)
    send(kafka_bootstrap, topics.raw, ["a"], 1, first=30)
    send(kafka_bootstrap, topics.raw, ["b"], 1, first=20, data=JPEG[:1000])
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "partitioner": PARTITIONER})
    producer.produce(topics.raw, key=b"no camera", value=JPEG)
    producer.produce(topics.raw, key=b"bare", value=JPEG)
    assert producer.flush(30) == 0
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "flip", "--metrics-cameras", "2", "--threads", "2")
        drain(kafka_bootstrap, topics.processed, count=47)
        drain(kafka_bootstrap, topics.dead_letter, count=2)
        pipeline = fleet.group.removeprefix("framelane.")
        wait_for_count(worker, 47, "framelane_frames_total", outcome="processed", pipeline=pipeline)
        wait_for_count(worker, 2, "framelane_frames_total", outcome="dead_lettered")
        by_outcome = counts(worker, "framelane_frames_total", "outcome")
        by_reason = +counts(worker, "framelane_frames_total", "outcome", "reason", "stage")
        by_camera = counts(worker, "framelane_frames_total", "camera_id", "outcome")
        gaps = counts(worker, "framelane_sequence_gaps_total")
        sizes = counts(worker, "framelane_frame_bytes_total", "direction")
        stages = counts(worker, "framelane_stage_seconds_count", "stage", "operator")
        ages = counts(worker, "framelane_frame_age_seconds_count")
        lag = counts(worker, "framelane_lag_frames", "partition")
        assigned = counts(worker, "framelane_assigned_partitions")
        assert worker.stop() == 0, worker.log.read_text()
    assert by_outcome[("consumed",)] == 49 == sum(by_outcome.values()) - by_outcome[("consumed",)]
    assert by_reason[("dead_lettered", "undecodable", "decode")] == 1
    assert by_reason[("dead_lettered", "bad_headers", "headers")] == 1
    assert by_camera[("_invalid", "consumed")] == 1
    # Two of the three cameras have a label of their own, the third is among the others.
    assert len({camera for camera, _ in by_camera} - {"_invalid", "_other"}) == 2
    assert sum(by_camera[(camera, "consumed")] for camera in ("a", "b", "bare", "_other")) == 48
    assert gaps[()] == 10
    assert sizes[("in",)] == 48 * len(JPEG) + 1000
    outputs = drain(kafka_bootstrap, topics.processed)
    assert sizes[("out",)] == sum(len(message.value() or b"") for message in outputs)
    assert ages[()] == 47
    assert stages == {
        ("fetch", ""): 49,
        ("queue", ""): 48,
        ("decode", ""): 47,
        ("operator", "0:flip"): 47,
        ("encode", ""): 47,
        ("order", ""): 49,
        ("publish", ""): 49,
    }
    assert lag == {("0",): 0, ("1",): 0, ("2",): 0, ("3",): 0}
    assert assigned[()] == 4


def test_a_worker_without_partitions_is_ready(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=1)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        first = fleet.start("--op", "flip")
        wait_for_page(first, "/readyz", 200)
        assert counts(first, "framelane_rebalances_total")[()] == 1
        second = fleet.start("--op", "flip")
        wait_for_count(first, 2, "framelane_rebalances_total")
        wait_for_page(second, "/readyz", 200)
        assigned = [counts(worker, "framelane_assigned_partitions")[()] for worker in (first, second)]
        assert sorted(assigned) == [0, 1]
        assert page(second, "/healthz") == (200, "ok\n")


def test_a_worker_that_waits_for_its_place_is_not_ready(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=1)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        # It holds the group up until its frame is done.
        first = fleet.start("--op", "trial_operators:Slow:ms=3000")
        wait_for_page(first, "/readyz", 200)
        send(kafka_bootstrap, topics.raw, ["a"], 1)
        wait_for_count(first, 1, "framelane_queue_frames")
        second = fleet.start("--op", "trial_operators:Slow:ms=3000")
        assert "no place in the group" in wait_for_page(second, "/readyz", 503)
        assert page(second, "/healthz") == (200, "ok\n")
        wait_for_page(second, "/readyz", 200)


def test_each_pipeline_of_a_file_has_a_port(
    kafka_bootstrap: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topics = make_topics(make_topic, partitions=1)
    names = [unique("one"), unique("two")]
    tables = [
        f'[[pipeline]]\nname = "{name}"\ninput = "{topics.raw}"\noutput = "{topics.processed}"\n'
        f'events = "{topics.events}"\ndead_letter = "{topics.dead_letter}"\n'
        for name in names
    ]
    pipelines = tmp_path / "pipelines.toml"
    pipelines.write_text("\n".join(tables))
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start_file(pipelines)
        worker.wait_for_log("in group framelane." + names[0])
        worker.wait_for_log("in group framelane." + names[1])
        lines = [json.loads(line)["event"] for line in worker.log.read_text().splitlines() if line.startswith("{")]
        ports = [line for line in lines if line.startswith("metrics and probes on")]
        assert len(set(ports)) == 2, lines
        assert worker.stop() == 0, worker.log.read_text()
