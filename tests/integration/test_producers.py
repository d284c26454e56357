"""Cameras into a real Kafka, through the Python API."""

import os
import re
import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from kafka_support import drain, run_cli, unique
from producer_support import (
    frames_of,
    java_partition,
    mjpeg_camera,
    noise,
    scene_images,
)

from framelane.embedded import EmbeddedKafka
from producers import CameraProducer, FrameProducer
from producers.camera_run import CameraRun, RunSettings
from producers.sources import SourceOptions, open_source
from producers.stamp import read_stamp
from streams.contract.errors import BrokerUnavailable, FrameError, MessageTooLarge, SettingError, TopicMissing
from streams.contract.headers import to_headers
from streams.contract.images import encode
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.status import CameraSums, decode_status

MakeTopic = Callable[..., str]
SECOND_NS = 1_000_000_000


def in_flight(sums: CameraSums) -> int:
    return sums.captured - sums.produced - sum(sums.dropped.values())


def test_images_and_bytes_arrive_once_in_order_with_sound_headers(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    images = scene_images(6, camera_id="gate-1")
    before = time.time_ns()
    with CameraProducer("gate-1", bootstrap=kafka_bootstrap, topic=topic) as camera:
        sent = [camera.publish(image) for image in images[:5]]
        png = encode(images[5], "image/png")
        sent.append(camera.publish(png, media_time_ns=7))
    messages = drain(kafka_bootstrap, topic)
    frames = frames_of(messages)
    assert [frame.name for frame in frames] == [frame.name for frame in sent]
    assert [frame.sequence for frame in frames] == list(range(6))
    assert {frame.epoch for frame in frames} == {camera.epoch}
    assert [message.headers() for message in messages] == [to_headers(frame) for frame in sent]
    assert [message.timestamp() for message in messages] == [(1, frame.captured_at_ns // 1_000_000) for frame in sent]
    assert all(before <= frame.captured_at_ns <= time.time_ns() for frame in frames)
    assert frames[5].data == png
    assert (frames[5].content_type, frames[5].media_time_ns) == ("image/png", 7)
    stamps = [read_stamp(frame.image) for frame in frames]
    assert [stamp.sequence for stamp in stamps if stamp] == list(range(6))
    assert camera.sums.captured == camera.sums.produced == 6
    assert camera.sums.age_p50_ms is not None


def test_a_camera_lies_where_every_client_with_javas_hash_puts_it(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=12)
    cameras = [f"cam-{number}" for number in range(20)]
    jpeg = encode(noise(64, 48, seed=1))
    with FrameProducer(KafkaSettings(bootstrap=kafka_bootstrap), status_topic=None) as producer:
        for camera_id in cameras:
            CameraProducer(camera_id, producer=producer, topic=topic).publish(jpeg)
    found = {message.key(): message.partition() for message in drain(kafka_bootstrap, topic)}
    assert found == {camera.encode(): java_partition(camera.encode(), 12) for camera in cameras}


def test_a_camera_clock_that_is_off_is_kept_and_not_believed(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    now = time.time_ns()
    with CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic) as camera:
        for captured in (now - SECOND_NS, now - 3600 * SECOND_NS):
            camera.publish(encode(noise(64, 48, seed=1)), captured_at_ns=captured)
    near, off = frames_of(drain(kafka_bootstrap, topic))
    assert (near.captured_at_ns, near.camera_clock_ns) == (now - SECOND_NS, None)
    assert off.camera_clock_ns == now - 3600 * SECOND_NS
    assert abs(off.captured_at_ns - now) < 60 * SECOND_NS


def test_a_new_epoch_numbers_from_0(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    with CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic) as camera:
        first = camera.publish(noise(64, 48, seed=1))
        camera.begin_epoch()
        second = camera.publish(noise(64, 48, seed=1))
    assert (first.sequence, second.sequence) == (0, 0)
    assert first.epoch != second.epoch


def test_what_is_no_image_is_refused_and_counted(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    with CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic) as camera:
        for wrong in (b"no image", np.zeros((4, 4), np.float64)):
            with pytest.raises(FrameError):
                camera.publish(wrong)  # type: ignore[arg-type]
        frame = camera.publish(noise(64, 48, seed=1))
    assert camera.sums.dropped == {"not_an_image": 1, "bad_result": 1}
    assert (camera.sums.captured, camera.sums.produced, frame.sequence) == (3, 1, 2)


def test_a_frame_above_the_topics_limit_is_raised_and_leaves_the_others_whole(
    kafka_bootstrap: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(max_bytes=600_000)
    small, large = encode(noise(320, 240, seed=1)), encode(noise(1280, 720, seed=1), "image/png")
    camera = CameraProducer("gate-1", bootstrap=kafka_bootstrap, topic=topic)
    raised = []
    # Whichever call comes after the broker's answer raises what that was.
    calls = [partial(camera.publish, data) for data in (small, large, small, small)]
    for call in (*calls, camera.close):
        try:
            call()
        except MessageTooLarge as error:
            raised.append(str(error))
    assert len(raised) == 1
    assert re.search(rf"gate-1.*{len(large)} bytes.*{topic} takes: 600000 bytes.*--quality.*--max-bytes", raised[0])
    assert camera.sums.dropped == {"too_large": 1}
    assert in_flight(camera.sums) == 0
    assert [frame.sequence for frame in frames_of(drain(kafka_bootstrap, topic))] == [0, 2, 3]


def test_the_error_inside_a_with_is_the_one_that_is_seen(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    large = encode(noise(1280, 720, seed=1), "image/png")
    topic = make_topic(max_bytes=600_000)
    with pytest.raises(ZeroDivisionError), CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic) as camera:
        camera.publish(large)
        raise ZeroDivisionError


def test_a_missing_topic_is_said_at_the_first_frame(kafka_bootstrap: str) -> None:
    topic = unique("nowhere")
    with (
        pytest.raises(TopicMissing, match=f"{topic} does not exist.*topics create {topic}"),
        CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic) as camera,
    ):
        camera.publish(noise(64, 48, seed=1))


def test_wrong_parameters_are_refused_before_anything_starts() -> None:
    threads = threading.active_count()
    for wrong in ({"quality": 0}, {"policy": "sometimes"}, {"size": (0, 1)}):
        with pytest.raises(SettingError):
            CameraProducer("a", bootstrap="localhost:1", **wrong)
    with pytest.raises(SettingError, match="a b"):
        CameraProducer("a b")
    assert threading.active_count() == threads


@pytest.mark.parametrize("policy", ["block", "drop_oldest"])
def test_without_a_broker_close_says_how_many_frames_are_lost(policy: str) -> None:
    camera = CameraProducer("gate-1", bootstrap="127.0.0.1:1", policy=policy)  # type: ignore[arg-type]
    for seed in range(3):
        camera.publish(noise(64, 48, seed=seed))
    started = time.monotonic()
    with pytest.raises(BrokerUnavailable, match=r"3 frames were not delivered to 127.0.0.1:1 .*gate-1: 3"):
        camera.close(timeout_s=0.5)
    assert time.monotonic() - started < 8
    assert camera.sums.dropped == {"undelivered": 3}
    assert in_flight(camera.sums) == 0


def test_frames_wait_for_a_broker_that_comes_back() -> None:
    with EmbeddedKafka() as kafka:
        producer = FrameProducer(KafkaSettings(bootstrap=kafka.bootstrap), status_topic=None)
        topic = unique("raw")
        assert run_cli(["topics", "create", topic, "--bootstrap", kafka.bootstrap]).returncode == 0
        camera = CameraProducer("a", producer=producer, topic=topic, policy="drop_oldest")
        camera.publish(noise(64, 48, seed=0))
        camera.flush()
        kafka.nodes[0].kill()
        for seed in range(1, 60):
            camera.publish(noise(64, 48, seed=seed))
        assert in_flight(camera.sums) == 59
        kafka.nodes[0].start()
        producer.close(timeout_s=60)
        assert [frame.sequence for frame in frames_of(drain(kafka.bootstrap, topic))] == list(range(60))
        assert camera.sums.produced == 60


def test_a_report_says_what_each_camera_did(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic, status_topic = make_topic(), make_topic("status", partitions=1)
    with FrameProducer(KafkaSettings(bootstrap=kafka_bootstrap), status_topic=status_topic) as producer:
        for camera_id in ("a", "b"):
            camera = CameraProducer(camera_id, producer=producer, topic=topic)
            camera.describe({"source": "test"})
            camera.publish(noise(64, 48, seed=1))
    *_, last = drain(kafka_bootstrap, status_topic)
    status = decode_status(last.value() or b"")
    assert (last.key() or b"").decode() == f"producer/{producer.instance}"  # type: ignore[union-attr,unused-ignore]
    assert (status.role, status.state) == ("producer", "stopped")
    assert {name: (sums.captured, sums.produced) for name, sums in status.cameras.items()} == {"a": (1, 1), "b": (1, 1)}
    assert status.settings["a"] == {"source": "test"}
    assert f"-{os.getpid()}-" in producer.instance, "two in one process report apart"


def test_a_missing_status_topic_harms_nothing(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic, nowhere = make_topic(), unique("nowhere")
    started = time.monotonic()
    with FrameProducer(KafkaSettings(bootstrap=kafka_bootstrap), status_topic=nowhere) as producer:
        CameraProducer("a", producer=producer, topic=topic).publish(noise(64, 48, seed=1))
    assert time.monotonic() - started < 5
    assert len(drain(kafka_bootstrap, topic)) == 1


def test_a_live_camera_that_hangs_up_comes_back_as_a_new_epoch(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    stop = threading.Event()
    with mjpeg_camera([encode(image, quality=90) for image in scene_images(20)]) as address:
        camera = CameraProducer("yard", bootstrap=kafka_bootstrap, topic=topic)
        options = SourceOptions(camera_id="yard")
        run = CameraRun(
            camera=camera,
            open_source=lambda: open_source(address, options),
            settings=RunSettings(count=30),
            stop=stop,
        )
        run.run()
        camera.close()
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert len(frames) == 30
    epochs = list(dict.fromkeys(frame.epoch for frame in frames))
    assert len(epochs) == 1 + camera.sums.reconnects >= 2
    for epoch in epochs:
        numbers = [frame.sequence for frame in frames if frame.epoch == epoch]
        assert numbers == list(range(len(numbers)))
