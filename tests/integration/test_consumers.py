"""subscribe() and `framelane tail` on a real Kafka."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from consumer_support import frame_of, picture, publish, publish_bare
from kafka_support import create_topic, read_lines, run_cli, start_cli, unique

from consumers import CameraSums, Subscription, SubscriptionSettings, subscribe
from streams.contract.errors import KafkaError, TopicMissing
from streams.contract.frame import Frame
from streams.contract.kafka_settings import KafkaSettings

MakeTopic = Callable[..., str]


@pytest.fixture
def topic(make_topic: MakeTopic) -> str:
    return make_topic("processed")


def quick(bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=bootstrap, librdkafka={"session.timeout.ms": 2000, "heartbeat.interval.ms": 500})


def take(subscription: Subscription, count: int, *, timeout_s: float = 20.0) -> list[Frame]:
    frames: list[Frame] = []
    give_up = time.monotonic() + timeout_s
    while len(frames) < count:
        assert time.monotonic() < give_up, f"{len(frames)} of {count} frames: {frames}"
        frame = subscription.poll(0.5)
        if frame is not None:
            frames.append(frame)
    return frames


@contextmanager
def running(arguments: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """`framelane ARGUMENTS` within the block; killed at its end where it has not ended itself, so that none is left."""
    with start_cli(arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def sequences(frames: list[Frame]) -> list[int]:
    return [frame.sequence for frame in frames]


def everything(bootstrap: str, topic: str, *, group: str | None = None) -> list[Frame]:
    since = None if group else "-1h"
    return list(subscribe(topic, kafka=quick(bootstrap), group=group, since=since, until="now"))


def test_each_frame_comes_once_and_rubbish_is_counted(kafka_bootstrap: str, topic: str) -> None:
    with subscribe(topic, bootstrap=kafka_bootstrap) as subscription:
        publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in (0, 1, 2, 1, 2, 5)])
        publish_bare(kafka_bootstrap, topic, [picture(3)], key="bare")
        publish_bare(kafka_bootstrap, topic, [b"rubbish", b"", None, picture()[:30]], key="gate-1")
        publish_bare(kafka_bootstrap, topic, [picture()], key=b"\xff")
        publish(kafka_bootstrap, topic, [frame_of("gate-1", 0), frame_of("gate-1", 6)])
        frames = take(subscription, 6)
        assert subscription.poll(0.3) is None
    by_camera = {camera: [each for each in frames if each.camera_id == camera] for camera in ("gate-1", "bare")}
    assert sequences(by_camera["gate-1"]) == [0, 1, 2, 5, 6]
    assert (by_camera["bare"][0].data, by_camera["bare"][0].epoch[:1]) == (picture(3), "@")
    assert by_camera["gate-1"][0].image.shape == (48, 64, 3)
    assert by_camera["gate-1"][0].pipeline == "demo@1f3a"
    assert subscription.sums["gate-1"] == CameraSums(frames=5, duplicates=3, missing=2)
    assert subscription.refused == {"not_an_image": 1, "empty": 2, "undecodable": 1, "bad_headers": 1}


def test_without_a_group_it_begins_now(kafka_bootstrap: str, topic: str) -> None:
    publish(kafka_bootstrap, topic, [frame_of("gate-1", 0)])
    with subscribe(topic, bootstrap=kafka_bootstrap) as subscription:
        publish(kafka_bootstrap, topic, [frame_of("gate-1", 1)])
        assert sequences(take(subscription, 1)) == [1]


def test_globs_choose_the_cameras(kafka_bootstrap: str, topic: str) -> None:
    with subscribe(topic, bootstrap=kafka_bootstrap, cameras=["gate-*", "!gate-9"]) as subscription:
        publish(kafka_bootstrap, topic, [frame_of(camera) for camera in ("yard", "gate-9", "gate-1", "gate-2")])
        assert {frame.camera_id for frame in take(subscription, 2)} == {"gate-1", "gate-2"}
        assert subscription.poll(0.3) is None


def test_since_and_until_go_by_the_records_timestamps(kafka_bootstrap: str, topic: str) -> None:
    now_ns = time.time_ns()
    for sequence, minutes in enumerate((50, 40, 30, 20, 10)):
        at_ms = now_ns // 1_000_000 - minutes * 60_000
        publish(
            kafka_bootstrap, topic, [frame_of("gate-1", sequence), frame_of("gate-2", sequence)], timestamp_ms=at_ms
        )
    between = list(subscribe(topic, bootstrap=kafka_bootstrap, since="-45m", until="-15m"))
    assert sorted((frame.camera_id, frame.sequence) for frame in between) == [
        (camera, sequence) for camera in ("gate-1", "gate-2") for sequence in (1, 2, 3)
    ]
    assert len(list(subscribe(topic, bootstrap=kafka_bootstrap, since=now_ns - 25 * 60 * 10**9, until=now_ns))) == 4
    assert list(subscribe(topic, bootstrap=kafka_bootstrap, since="-5m", until="now")) == []


def test_until_in_the_future_ends_by_the_clock_on_an_idle_topic(kafka_bootstrap: str, topic: str) -> None:
    subscription = subscribe(topic, bootstrap=kafka_bootstrap, until="+1s")
    publish(kafka_bootstrap, topic, [frame_of("gate-1", 0)])
    assert sequences(list(subscription)) == [0]
    assert subscription.ended


def test_a_late_record_before_until_is_found_behind_one_after_it(kafka_bootstrap: str, topic: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    for sequence, seconds in enumerate((70, 55, 65)):
        publish(kafka_bootstrap, topic, [frame_of("gate-1", sequence)], timestamp_ms=now_ms - seconds * 1000)
    assert sequences(list(subscribe(topic, bootstrap=kafka_bootstrap, since="-5m", until="-60s"))) == [0, 2]


def test_a_group_resumes_after_close_with_the_frame_in_hand(kafka_bootstrap: str, topic: str) -> None:
    group = unique("archive")
    publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in range(10)])
    with subscribe(topic, kafka=quick(kafka_bootstrap), group=group) as first:
        assert sequences(take(first, 4)) == [0, 1, 2, 3]
    assert sequences(everything(kafka_bootstrap, topic, group=group)) == [3, 4, 5, 6, 7, 8, 9]
    assert everything(kafka_bootstrap, topic, group=group) == []


def test_a_new_group_begins_at_since_and_an_old_one_where_it_was(kafka_bootstrap: str, topic: str) -> None:
    now_ms, group = time.time_ns() // 1_000_000, unique("archive")
    for sequence, minutes in enumerate((30, 20, 10)):
        publish(kafka_bootstrap, topic, [frame_of("gate-1", sequence)], timestamp_ms=now_ms - minutes * 60_000)
    kafka = quick(kafka_bootstrap)
    assert sequences(list(subscribe(topic, kafka=kafka, group=group, since="-25m", until="-15m"))) == [1]
    assert sequences(list(subscribe(topic, kafka=kafka, group=group, since="-1s", until="now"))) == [2]


def test_what_is_done_is_written_by_commit(kafka_bootstrap: str, topic: str) -> None:
    publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in range(5)])
    settings = SubscriptionSettings(
        kafka=quick(kafka_bootstrap), topic=topic, group=unique("archive"), commit_interval_s=None, ack="manual"
    )
    with Subscription(settings) as first:
        take(first, 3)
    with Subscription(settings) as second:
        frames = take(second, 3)
        assert sequences(frames) == [0, 1, 2]
        for frame in frames:
            frame.done()
        second.commit(wait=True)
        asker = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": settings.group})
        places = asker.committed([TopicPartition(topic, each) for each in range(4)], timeout=10)
        asker.close()
        assert sum(max(0, each.offset) for each in places) == 3


def test_a_topic_that_is_made_again_is_read_from_its_beginning(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic("raw", partitions=1)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    with subscribe(topic, bootstrap=kafka_bootstrap) as subscription:
        publish_bare(kafka_bootstrap, topic, [picture(each) for each in range(10)], key="gate-1")
        take(subscription, 10)
        admin.delete_topics([topic])[topic].result(timeout=15)
        create_topic(kafka_bootstrap, topic, partitions=1, config={})
        publish_bare(kafka_bootstrap, topic, [picture(each) for each in range(10, 15)], key="gate-1")
        again = take(subscription, 5, timeout_s=60)
    assert [frame.data for frame in again] == [picture(each) for each in range(10, 15)]
    assert subscription.sums["gate-1"] == CameraSums(frames=15)


def test_partitions_that_are_added_are_seen(
    kafka_bootstrap: str, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.assignment._REFRESH_S", 0.1)
    topic = make_topic("growing", partitions=1)
    with subscribe(topic, bootstrap=kafka_bootstrap) as subscription:
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        admin.create_partitions([NewPartitions(topic, 8)])[topic].result(timeout=15)
        cameras = [f"cam-{each}" for each in range(30)]
        publish(kafka_bootstrap, topic, [frame_of(camera) for camera in cameras])
        assert sorted(frame.camera_id for frame in take(subscription, 30)) == sorted(cameras)


def test_a_topic_that_is_missing_is_told_at_once(kafka_bootstrap: str) -> None:
    for group in (None, unique("archive")):
        with pytest.raises(TopicMissing, match="framelane topics create nowhere --bootstrap"):
            subscribe("nowhere", bootstrap=kafka_bootstrap, group=group)


def test_refused_credentials_are_told_and_not_waited_for(kafka_bootstrap: str) -> None:
    kafka = KafkaSettings(
        bootstrap=kafka_bootstrap, security="sasl_plaintext", mechanism="PLAIN", username="eve", password="guess"
    )
    with pytest.raises(KafkaError, match="credentials"):
        subscribe("frames.processed", kafka=kafka)


def test_tail_prints_a_json_object_a_frame(kafka_bootstrap: str, topic: str) -> None:
    frames = [frame_of("gate-1", each) for each in range(3)] + [frame_of("yard", 0)]
    arguments = ["tail", "--bootstrap", kafka_bootstrap, "--topic", topic, "--camera", "gate-*", "--json"]
    with running([*arguments, "--since", "-1m"]) as process:
        publish(kafka_bootstrap, topic, frames)
        lines = [json.loads(line) for line in read_lines(process, 3)]
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert [(line["camera_id"], line["sequence"], line["bytes"]) for line in lines] == [
        ("gate-1", each, len(frames[each].data)) for each in range(3)
    ]
    assert process.returncode == 130
    assert "3 frames from 1 camera; 0 missing; 0 duplicates dropped" in stderr.decode()


def test_sigterm_is_a_clean_end(kafka_bootstrap: str, topic: str) -> None:
    with running(["tail", "--bootstrap", kafka_bootstrap, "--topic", topic]) as process:
        wait_for_error(process, b"Ctrl-C ends")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert b"0 frames" in process.stderr.read()


def wait_for_error(process: "subprocess.Popen[bytes]", text: bytes) -> None:
    """Return when a line of stderr has the text; the test's time limit is the only one."""
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), f"{text!r} was not said"


def test_tail_prints_a_line_a_frame_and_ends_at_the_count(kafka_bootstrap: str, topic: str) -> None:
    publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in range(5)])
    done = run_cli(["tail", "--bootstrap", kafka_bootstrap, "--topic", topic, "--since", "-1m", "--count", "2"])
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0].split()
    assert first[:5] == ["2026-05-09T07:33:20.000Z", "gate-1", "20260509T073000000-ab12", "0", "64x48"]
    assert (first[-1], len(done.stdout.splitlines())) == ("demo@1f3a", 2)


def test_a_reader_of_tail_that_goes_away_is_no_error(kafka_bootstrap: str, topic: str) -> None:
    publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in range(500)])
    with running(["tail", "--bootstrap", kafka_bootstrap, "--topic", topic, "--since", "-1m", "--json"]) as process:
        read_lines(process, 1)
        assert process.stdout is not None
        process.stdout.close()
        publish(kafka_bootstrap, topic, [frame_of("gate-1", each) for each in range(500, 1000)])
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["tail", "--topic", "nowhere", "--wait", "0s"], 1, "nowhere"),
        (["tail", "--bootstrap", "localhost:1", "--wait", "0s"], 1, "localhost:1"),
        (["tail", "--topic", ""], 2, "topic ''"),
        (["tail", "--topic", "bad name"], 2, "topic 'bad name'"),
        (["tail", "--since", "yesterday"], 2, "yesterday"),
        (["tail", "--since", "-1m", "--until", "-2m"], 2, "since"),
        (["tail", "--camera", "!"], 2, "'!'"),
    ],
)
def test_what_cannot_work_is_said_without_a_traceback(
    kafka_bootstrap: str, arguments: list[str], code: int, message: str
) -> None:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}
    done = run_cli(arguments, environ=environ)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
