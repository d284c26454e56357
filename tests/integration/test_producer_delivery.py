"""How frames are delivered to a real Kafka: confirmed by whom, however large, and of cameras that are gone."""

import logging
import time
from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from kafka_support import drain
from producer_support import frames_of, noise

from producers import CameraProducer, FrameProducer
from producers.deliveries import Outgoing
from producers.record_size import batch_bytes
from streams.contract.errors import KafkaError, MessageTooLarge, SettingError
from streams.contract.images import encode
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.status import decode_status

MakeTopic = Callable[..., str]
SMALL = encode(noise(64, 48, seed=1))


def connection(bootstrap: str, *, status_topic: str | None = None, **more: object) -> FrameProducer:
    return FrameProducer(KafkaSettings(bootstrap=bootstrap), status_topic=status_topic, **more)  # type: ignore[arg-type]


def set_limit(bootstrap: str, topic: str, limit: int) -> None:
    """Change a topic's max.message.bytes."""
    entry = ConfigEntry("max.message.bytes", str(limit), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.incremental_alter_configs([resource])[resource].result(timeout=30)


def until(reached: Callable[[], bool]) -> None:
    """Wait for what comes soon, or fail."""
    give_up = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_one_replica_is_enough_when_that_is_asked_for(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    with connection(kafka_bootstrap, acks="1") as producer:
        camera = CameraProducer("a", producer=producer, topic=topic)
        for _ in range(50):
            camera.publish(SMALL)
    assert [frame.sequence for frame in frames_of(drain(kafka_bootstrap, topic))] == list(range(50))
    with pytest.raises(SettingError, match="acks 1: expected one of all, 1, as text"):
        connection(kafka_bootstrap, acks=1)


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_is_held_against_what_we_count(kafka_bootstrap: str, make_topic: MakeTopic, over: int) -> None:
    topic = make_topic(max_bytes=200_000)
    camera = CameraProducer("a-camera", bootstrap=kafka_bootstrap, topic=topic)
    spare = 200_000 - Outgoing.of(camera.publish(SMALL), topic).batch_size - 2
    # A JPEG's decoder stops at its end. The number of this frame has as many digits as that of the first.
    data = SMALL + b"\0" * (spare + over)
    frame = camera.publish(data)
    record = Outgoing.of(frame, topic)
    assert record.batch_size == batch_bytes(b"a-camera", len(data), record.headers) == 200_000 + over
    if over:
        with pytest.raises(MessageTooLarge):
            camera.close()
    else:
        camera.close()


def test_small_frames_take_none_of_each_other_with_them(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1, max_bytes=200_000)
    jpeg = encode(noise(200, 150, seed=1), quality=95)
    with CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic) as camera:
        for _ in range(100):
            camera.publish(jpeg)
    assert camera.sums.produced == 100


def test_a_topic_that_takes_less_than_a_batch_is_warned_of_with_the_mend(
    kafka_bootstrap: str, make_topic: MakeTopic, caplog: pytest.LogCaptureFixture
) -> None:
    topic = make_topic(partitions=1, max_bytes=50_000)
    with caplog.at_level(logging.WARNING):
        with CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic) as camera:
            camera.publish(SMALL)
            camera.publish(SMALL)
        assert caplog.text.count(f"topic {topic} takes 50000 bytes at a time") == 1
        assert '"batch.size" = 50000' in caplog.text
        caplog.clear()
        mended = KafkaSettings(bootstrap=kafka_bootstrap, librdkafka={"batch.size": 50_000})
        with FrameProducer(mended, status_topic=None) as producer:
            camera = CameraProducer("a", producer=producer, topic=topic)
            for _ in range(200):
                camera.publish(SMALL)
        assert (camera.sums.produced, caplog.text) == (200, "")


def test_noise_is_made_to_fit_and_stays_readable(
    kafka_bootstrap: str, make_topic: MakeTopic, caplog: pytest.LogCaptureFixture
) -> None:
    topic = make_topic(max_bytes=200_000)
    pictures = [noise(1280, 720, seed=1), SMALL, encode(noise(1280, 720, seed=2), "image/png"), SMALL]
    with caplog.at_level(logging.WARNING):
        with connection(kafka_bootstrap, status_topic=make_topic("status", partitions=1)) as producer:
            camera = CameraProducer("gate-1", producer=producer, topic=topic, fit=True)
            sent = [camera.publish(picture) for picture in pictures]
        assert producer.status().cameras["gate-1"].fitted == 2
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert [frame.name for frame in frames] == [frame.name for frame in sent]
    assert [frame.data == SMALL for frame in frames] == [False, True, False, True]
    for frame in frames:
        assert frame.image.shape == (frame.height, frame.width, 3)
        assert len(frame.data) < 200_000
    assert frames[0].width < 1280
    assert frames[0].content_type == frames[2].content_type == "image/jpeg"
    assert camera.sums.dropped == {}
    assert "camera gate-1: frame gate-1/" in caplog.text
    assert f"topic {topic} takes: 200000 bytes" in caplog.text


def test_a_limit_that_was_lowered_costs_one_frame(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(max_bytes=2_000_000)
    large = noise(1280, 720, seed=1)
    with CameraProducer("a", bootstrap=kafka_bootstrap, topic=topic, fit=True) as camera:
        camera.publish(large)
        camera.flush()
        assert camera.sums.fitted == 0
        set_limit(kafka_bootstrap, topic, 600_000)
        camera.publish(large)
        camera.flush()
        camera.publish(large)
    assert (camera.sums.produced, camera.sums.fitted, camera.sums.dropped) == (2, 1, {"too_large": 1})


def test_what_a_forgotten_camera_published_arrives_and_then_it_is_gone(
    kafka_bootstrap: str, make_topic: MakeTopic
) -> None:
    topic, status_topic = make_topic(partitions=1), make_topic("status", partitions=1)
    with connection(kafka_bootstrap, status_topic=status_topic) as producer:
        gone = CameraProducer("gone", producer=producer, topic=topic)
        CameraProducer("stays", producer=producer, topic=topic)
        for _ in range(100):
            gone.publish(SMALL)
        producer.forget("gone")
        until(lambda: set(producer.status().cameras) == {"stays"})
        assert gone.sums.produced == 100
        again = CameraProducer("gone", producer=producer, topic=topic)
        again.publish(SMALL)
        again.flush()
        assert again.sums.produced == 101, "an instance's sums only grow"
    reports = [decode_status(message.value() or b"") for message in drain(kafka_bootstrap, status_topic)]
    told = [report.cameras["gone"].produced for report in reports if "gone" in report.cameras]
    assert 100 in told
    assert told == sorted(told)
    with pytest.raises(SettingError, match="never: "):
        producer.forget("never")


def test_who_takes_a_forgotten_cameras_id_comes_after_it(kafka_bootstrap: str, make_topic: MakeTopic) -> None:
    topic = make_topic(partitions=1)
    jpeg = encode(noise(640, 480, seed=1))
    with connection(kafka_bootstrap) as producer:
        epochs = []
        for _ in range(4):
            camera = CameraProducer("a", producer=producer, topic=topic)
            for _ in range(60):
                camera.publish(jpeg)
            epochs.append(camera.epoch)
            producer.forget("a")
    frames = frames_of(drain(kafka_bootstrap, topic))
    assert len(frames) == 240
    assert list(dict.fromkeys(frame.epoch for frame in frames)) == epochs
    assert [frame.sequence for frame in frames] == list(range(60)) * 4


def test_closing_tells_of_what_forgotten_cameras_lose() -> None:
    producer = connection("127.0.0.1:1")
    camera = CameraProducer("gone", producer=producer)
    camera.publish(SMALL)
    producer.forget("gone")
    assert "gone" in producer.status().cameras
    with pytest.raises(KafkaError, match="gone: 1"):
        producer.close(timeout_s=0.2)
    assert camera.sums.dropped == {"undelivered": 1}
