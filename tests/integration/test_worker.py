"""One worker on a real Kafka: what comes out, what becomes a dead letter, and how it starts and stops."""

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from confluent_kafka import Message, Producer
from kafka_support import count_of, drain
from worker_support import (
    JPEG,
    Backlog,
    Fleet,
    Topics,
    cameras_on_each_partition,
    findings,
    identity,
    input_of,
    make_topics,
    send,
)

MakeTopic = Callable[..., str]


def reasons(messages: list[Message]) -> list[str]:
    return [dict(message.headers() or [])["dl_reason"].decode() for message in messages]


def run_until(fleet: Fleet, *, processed: int = 0, dead: int = 0) -> tuple[list[Message], list[Message]]:
    """Wait for so many records; returns (processed, dead letters)."""
    outputs = drain(fleet.bootstrap, fleet.topics.processed, count=processed, timeout_s=60) if processed else []
    letters = drain(fleet.bootstrap, fleet.topics.dead_letter, count=dead, timeout_s=60) if dead else []
    return outputs, letters


@pytest.fixture
def topics(make_topic: MakeTopic) -> Topics:
    return make_topics(make_topic)


def test_frames_come_out_once_in_order_with_sound_headers(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    cameras = ["a", "b", "c"]
    send(kafka_bootstrap, topics.raw, cameras, 40)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "resize:width=160", "--op", "grayscale")
        outputs, _ = run_until(fleet, processed=120)
        assert worker.stop() == 0
    found = findings(outputs, cameras, 40)
    assert (found.lost, found.repeated, found.out_of_order) == (0, 0, 0)
    for message in outputs:
        headers = dict(message.headers() or [])
        assert (headers["ce_width"], headers["ce_height"]) == (b"160", b"120")
        # A quick pipeline has its group's name.
        assert headers["ce_source"].decode() == f"/pipelines/{fleet.group}"
        assert headers["ce_pipeline"].decode().startswith(f"{fleet.group}@")
        assert int(headers["ce_receivedns"]) <= int(headers["ce_startedns"]) <= int(headers["ce_processedns"])
    image = cv2.imdecode(np.frombuffer(outputs[0].value() or b"", np.uint8), cv2.IMREAD_UNCHANGED)
    assert image.shape == (120, 160)
    # An output has its input's timestamp, so that ages and replays go by the capture.
    raw = {(m.partition(), m.offset()): m.timestamp()[1] for m in drain(kafka_bootstrap, topics.raw)}
    assert all(message.timestamp()[1] == raw[input_of(message)] for message in outputs)


def test_what_cannot_be_processed_becomes_a_dead_letter(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "partitioner": "murmur2_random"})
    bad: dict[str, tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = {
        "empty": (b"cam", None, []),
        "not_an_image": (b"cam", b"GIF89a" + bytes(50), []),
        "undecodable": (b"cam", JPEG[:-100], []),
        "too_many_pixels": (b"cam", cv2.imencode(".png", np.zeros((6000, 6000), np.uint8))[1].tobytes(), []),
        "bad_headers": (b"cam", JPEG, [("ce_id", b"other/e/1")]),
    }
    for key, value, headers in bad.values():
        producer.produce(topics.raw, key=key, value=value, headers=headers)
    producer.produce(topics.raw, key=b"\xff\xfe", value=JPEG)
    producer.produce(topics.raw, key=None, value=JPEG, headers=[("Faust-Ag-ReplyTo", topics.events.encode())])
    producer.produce(topics.raw, key=b"cam", value=JPEG)
    producer.flush()
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "grayscale")
        outputs, letters = run_until(fleet, processed=1, dead=7)
        assert worker.stop() == 0
        log = worker.log.read_text()
    assert sorted(reasons(letters)) == sorted([*bad, "bad_headers", "bad_headers"])
    for message in letters:
        reason = dict(message.headers() or [])["dl_reason"].decode()
        if reason in bad and reason != "bad_headers":
            assert message.value() == (bad[reason][1] or b"")
            assert message.key() == b"cam"
    assert [identity(message)[0] for message in outputs] == ["cam"]
    assert drain(kafka_bootstrap, topics.events) == []
    assert "cam: consumed 6, processed 1, filtered 0, stale 0, dead-lettered 5" in log


@pytest.mark.parametrize(
    ("how", "reason", "stage"),
    [
        ("raise", "operator_error", "0:trial_operators:Misbehave"),
        ("dtype", "bad_result", "0:trial_operators:Misbehave"),
        ("number", "bad_result", "0:trial_operators:Misbehave"),
    ],
)
def test_an_operator_that_misbehaves(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path, how: str, reason: str, stage: str
) -> None:
    send(kafka_bootstrap, topics.raw, ["good", "bad"], 5)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", f"trial_operators:Misbehave:how={how}")
        outputs, letters = run_until(fleet, processed=5, dead=5)
        assert worker.stop() == 0
    assert {identity(message)[0] for message in outputs} == {"good"}
    headers = dict(letters[0].headers() or [])
    assert (headers["dl_reason"].decode(), headers["dl_stage"].decode()) == (reason, stage)
    assert [identity(message)[2] for message in letters] == list(range(5))


def test_a_frame_that_hangs_ends_at_its_deadline_and_the_others_go_on(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    cameras = cameras_on_each_partition(kafka_bootstrap, topics.raw, 4)
    bad, good = cameras[0], cameras[1:]
    send(kafka_bootstrap, topics.raw, [bad], 3, first=1)
    send(kafka_bootstrap, topics.raw, good, 50, first=1)
    pipelines = tmp_path / "pipelines.toml"
    pipelines.write_text(
        f"""
        [[pipeline]]
        name = "hang"
        group = "GROUP"
        input = "{topics.raw}"
        output = "{topics.processed}"
        events = "{topics.events}"
        dead_letter = "{topics.dead_letter}"
        frame_timeout_ms = 500
        operators = [{{ op = "trial_operators:Misbehave", camera = "{bad}", how = "hang" }}]
        """
    )
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        pipelines.write_text(pipelines.read_text().replace("GROUP", fleet.group))
        worker = fleet.start_file(pipelines)
        letters = drain(kafka_bootstrap, topics.dead_letter, count=4, timeout_s=60)
        outputs = drain(kafka_bootstrap, topics.processed, count=150, timeout_s=60)
        assert worker.stop() == 0
    assert set(reasons(letters)) == {"operator_timeout"}
    assert {identity(message)[0] for message in letters} == {bad}
    assert (
        b"trial_operators.py" in dict(letters[0].headers() or [])["dl_error"]
        or b"threading.py" in dict(letters[0].headers() or [])["dl_error"]
    )
    assert findings([m for m in outputs if identity(m)[0] in good and identity(m)[2]], good, 51).lost == 3


def test_an_operator_with_memory_sees_each_camera_in_order(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    cameras = ["a", "b", "c", "d", "e"]
    send(kafka_bootstrap, topics.raw, cameras, 60)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "trial_operators:InOrder", "--threads", "4")
        outputs, _ = run_until(fleet, processed=300)
        assert worker.stop() == 0
    assert drain(kafka_bootstrap, topics.dead_letter) == []
    assert findings(outputs, cameras, 60).out_of_order == 0


def test_an_output_above_the_topics_limit_becomes_a_dead_letter(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topics = make_topics(make_topic, max_bytes=50_000)
    send(kafka_bootstrap, topics.raw, ["a"], 3)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "trial_operators:Noise")
        _, letters = run_until(fleet, dead=3)
        assert worker.stop() == 0
    assert set(reasons(letters)) == {"output_too_large"}
    assert [message.value() for message in letters] == [JPEG] * 3


def test_events_travel_beside_the_frames(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for sequence in range(40):
        picture = rng.integers(90, 110, (240, 320, 3), np.uint8)
        if sequence >= 30:
            picture[100:160, (sequence - 30) * 20 : (sequence - 30) * 20 + 60] = 255
        send(kafka_bootstrap, topics.raw, ["a"], 1, first=sequence, data=cv2.imencode(".jpg", picture)[1].tobytes())
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        worker = fleet.start("--op", "motion", "--op", "annotate")
        outputs, _ = run_until(fleet, processed=40)
        assert worker.stop() == 0
    events = drain(kafka_bootstrap, topics.events)
    assert events
    for message in events:
        event, headers = json.loads(message.value() or b""), dict(message.headers() or [])
        assert event["type"] == "motion"
        assert event["sequence"] >= 30
        assert headers["ce_id"].decode() == f"a/e1/{event['sequence']}/0/0"
        assert event["input"] == next(
            dict(m.headers() or [])["ce_input"].decode() for m in outputs if identity(m)[2] == event["sequence"]
        )
        assert event["data"]["boxes"]


def test_graceful_restarts_and_joins_repeat_nothing(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    found = _restarts(kafka_bootstrap, topics, tmp_path, variant="mended")
    assert (found.lost, found.repeated, found.out_of_order) == (0, 0, 0)


def test_without_the_drain_the_same_restarts_repeat_frames(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    found = _restarts(kafka_bootstrap, topics, tmp_path, variant="no-drain")
    assert found.lost == 0
    assert found.repeated > 0


def test_workers_that_are_stopped_together_repeat_nothing(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    """One leaves at once; the group's rebalance then meets the other in the midst of its own stop."""
    cameras = cameras_on_each_partition(kafka_bootstrap, topics.raw, 4)
    send(kafka_bootstrap, topics.raw, cameras, 100, first=1)
    with Fleet(kafka_bootstrap, tmp_path, topics) as fleet:
        slow = fleet.start("--op", "trial_operators:Slow:ms=1500", "--threads", "8")
        fast = fleet.start("--op", "trial_operators:Slow:ms=5", "--threads", "2")
        fleet.wait_for_members(2)
        drain(kafka_bootstrap, topics.processed, count=100, timeout_s=60)
        for worker in (slow, fast):
            worker.process.send_signal(signal.SIGTERM)
        for worker in (slow, fast):
            assert worker.process.wait(40) == 0, worker.log.read_text()
        last = {p: 0 for p in range(4)}
        for message in drain(kafka_bootstrap, topics.processed):
            partition, offset = input_of(message)
            last[partition] = max(last[partition], offset + 1)
        assert {p: o for p, o in fleet.committed().items() if o} == {p: o for p, o in last.items() if o}


def test_a_stop_amid_a_rebalance_ends_the_consumer_in_its_own_thread(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    closings = _closings_amid_a_rebalance(kafka_bootstrap, topics, tmp_path, variant="tells-closing")
    assert closings
    assert set(closings) == {"its own"}


def test_as_faust_has_it_the_consumer_is_not_ended_then(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    """Or, when the other thread is quick, in the wrong one, and the process crashes."""
    closings = _closings_amid_a_rebalance(kafka_bootstrap, topics, tmp_path, variant="closes-at-once")
    assert "its own" not in closings


def _closings_amid_a_rebalance(bootstrap: str, topics: Topics, folder: Path, *, variant: str) -> list[str]:
    """One of two workers has a long frame to finish when both are told to stop; whose threads close its connections."""
    cameras = cameras_on_each_partition(bootstrap, topics.raw, 4)
    send(bootstrap, topics.raw, cameras, 20, first=1)
    with Fleet(bootstrap, folder, topics, variant=variant) as fleet:
        slow = fleet.start("--op", "trial_operators:Slow:ms=5000", "--threads", "1")
        fleet.wait_for_members(1)
        fast = fleet.start("--op", "trial_operators:Slow:ms=5", "--threads", "2")
        fleet.wait_for_members(2)
        # By then the slow one goes on, too, and is in the midst of a frame.
        drain(bootstrap, topics.processed, count=40, timeout_s=60)
        for worker in (slow, fast):
            worker.process.send_signal(signal.SIGTERM)
        for worker in (slow, fast):
            worker.process.wait(40)
        return re.findall("closed in (.*) thread", slow.log.read_text().partition("stopping: ")[2])


def _restarts(bootstrap: str, topics: Topics, folder: Path, *, variant: str):  # type: ignore[no-untyped-def]
    """Workers come and go under a backlog, each told by SIGTERM; what a plain reader then finds."""
    cameras = cameras_on_each_partition(bootstrap, topics.raw, 4)
    slow = ["--op", "trial_operators:Slow:ms=15", "--threads", "2"]
    with Fleet(bootstrap, folder, topics, variant=variant) as fleet:
        with Backlog(bootstrap, topics, cameras) as backlog:
            fleet.start(*slow)
            fleet.wait_for_members(1)
            for turn in range(3):
                fleet.start(*slow)
                fleet.wait_for_members(2)
                before = count_of(bootstrap, topics.processed)
                drain(bootstrap, topics.processed, count=before + 30)
                leaving = fleet.workers[turn]
                assert leaving.stop() == 0, leaving.log.read_text()
                leaving.killed = True
                fleet.wait_for_members(1)
        everything = 44 + 4 * backlog.sent
        drain(bootstrap, topics.processed, until=lambda ms: len({identity(m) for m in ms}) >= everything, timeout_s=90)
        assert fleet.workers[-1].stop() == 0
    return findings(drain(bootstrap, topics.processed), cameras, backlog.sent)


def test_a_worker_with_small_lanes_does_not_stand_still(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    assert _commits_in_small_lanes(kafka_bootstrap, make_topic, tmp_path, variant="mended") == 600


def test_without_the_wake_up_the_same_worker_stands_still(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    assert _commits_in_small_lanes(kafka_bootstrap, make_topic, tmp_path, variant="no-wake") < 600


def _commits_in_small_lanes(bootstrap: str, make_topic: MakeTopic, folder: Path, *, variant: str) -> int:
    """How many of 600 frames a worker gets done within 12 seconds of the first one, by its own stamps.

    Each frame takes 5 ms in one thread: 3 s of work. A worker that sleeps a second each time that its only partition
    is full (32 frames) needs 19 s more.
    """
    topics = make_topics(make_topic, partitions=1)
    send(bootstrap, topics.raw, ["a"], 600)
    with Fleet(bootstrap, folder, topics, variant=variant) as fleet:
        fleet.start("--op", "trial_operators:Slow:ms=5", "--threads", "1")
        first = drain(bootstrap, topics.processed, count=1, timeout_s=60)[0]
        started_ns = int(dict(first.headers() or [])["ce_startedns"])
        outputs = drain(bootstrap, topics.processed, count=600, timeout_s=90)
    # By the frames' own stamps, so that a slow reader or machine start does not count.
    ends = [int(dict(m.headers() or [])["ce_processedns"]) for m in outputs]
    return sum(end - started_ns <= 12e9 for end in ends)


def test_several_pipelines_are_served_by_a_process_each(
    kafka_bootstrap: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    raw, events, dead = make_topic("raw"), make_topic("events"), make_topic("dead")
    outs = [make_topic("small"), make_topic("gray")]
    text = "".join(
        f'[[pipeline]]\nname = "{name}"\ngroup = "{raw}-{name}"\ninput = "{raw}"\noutput = "{out}"\n'
        f'events = "{events}"\ndead_letter = "{dead}"\noperators = [{{ op = "{op}" }}]\n'
        for name, out, op in (("flipped", outs[0], "flip"), ("gray", outs[1], "grayscale"))
    )
    path = tmp_path / "pipelines.toml"
    path.write_text(text)
    send(kafka_bootstrap, raw, ["a", "b"], 20)
    with Fleet(kafka_bootstrap, tmp_path, Topics(raw, outs[0], events, dead)) as fleet:
        supervisor = fleet.start_file(path)
        for out in outs:
            assert findings(drain(kafka_bootstrap, out, count=40, timeout_s=60), ["a", "b"], 20).lost == 0
        assert supervisor.stop() == 0
    pids = supervisor.log.read_text()
    assert "worker of pipeline flipped@" in pids
    assert "worker of pipeline gray@" in pids
