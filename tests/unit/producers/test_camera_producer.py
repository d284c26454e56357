import threading
from typing import cast

import pytest
from confluent_kafka import KafkaError as ClientError
from producer_support import noise

from producers import CameraProducer, FrameProducer
from producers.camera_state import CameraState
from producers.deliveries import Outgoing, topic_missing
from producers.outbox import Done
from streams.contract.errors import FrameError, MessageTooLarge, SettingError, TopicMissing
from streams.contract.headers import to_headers
from streams.contract.images import encode
from streams.contract.kafka_settings import KafkaSettings

JPEG = encode(noise(64, 48, seed=1))
NOW_NS = 1_800_000_000 * 10**9


class Connection:
    """A connection that takes all frames at once; those with a number in `too_large` wait for `refuse`."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.too_large: set[int] = set()
        self.topic_there = True
        self.sent: list[int] = []
        self.held: list[Done] = []

    def clock(self) -> int:
        return NOW_NS

    def register(self, camera: CameraState) -> None:
        """Take any camera."""

    def check_topic(self, topic: str) -> None:
        if not self.topic_there:
            raise topic_missing(topic)

    def send(self, record: Outgoing, done: Done) -> None:
        self.sent.append(int(record.name.rpartition("/")[2]))
        if self.sent[-1] in self.too_large:
            self.held.append(done)
        else:
            done(None)

    def refuse(self) -> None:
        """Answer what was held."""
        self.held.pop()(ClientError(ClientError.MSG_SIZE_TOO_LARGE))


def camera_on(connection: Connection) -> CameraProducer:
    return CameraProducer("gate-1", producer=cast(FrameProducer, connection))


def test_an_earlier_frames_error_takes_no_other_frame_with_it() -> None:
    connection = Connection()
    camera = camera_on(connection)
    connection.too_large = {1}
    camera.publish(JPEG)
    camera.publish(JPEG)
    connection.refuse()
    with pytest.raises(MessageTooLarge, match="/1 has"):
        camera.publish(JPEG)
    camera.publish(JPEG)
    assert connection.sent == [0, 1, 2, 3]
    assert (camera.sums.captured, camera.sums.produced, camera.sums.dropped) == (4, 3, {"too_large": 1})


def test_a_frame_for_a_missing_topic_is_counted() -> None:
    connection = Connection()
    camera = camera_on(connection)
    connection.topic_there = False
    with pytest.raises(TopicMissing):
        camera.publish(JPEG)
    connection.topic_there = True
    assert camera.publish(JPEG).sequence == 1
    assert (camera.sums.captured, camera.sums.produced, camera.sums.dropped) == (2, 1, {"topic_missing": 1})


@pytest.mark.parametrize("times", [{"captured_at_ns": -1}, {"captured_at_ns": 1.5e18}, {"media_time_ns": -5}])
def test_times_that_every_reader_refuses_are_refused_here(times: dict[str, int]) -> None:
    connection = Connection()
    camera = camera_on(connection)
    with pytest.raises(FrameError, match=rf"{next(iter(times))} .*expected nanoseconds"):
        camera.publish(JPEG, **times)
    assert connection.sent == []
    assert camera.sums.dropped == {"bad_headers": 1}


def test_a_connection_takes_a_camera_once() -> None:
    producer = FrameProducer(KafkaSettings(bootstrap="127.0.0.1:1"), status_topic=None)
    try:
        first = CameraProducer("gate-1", producer=producer)
        CameraProducer("gate-2", producer=producer)
        with pytest.raises(SettingError, match="camera gate-1: this connection has a CameraProducer of that id"):
            CameraProducer("gate-1", producer=producer)
        assert producer.status().cameras.keys() == {first.camera_id, "gate-2"}
    finally:
        producer.close()


@pytest.mark.parametrize(
    ("given", "carried"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",) * 2,
        ("garbage", ""),
    ],
)
def test_a_frame_carries_the_trace_that_it_is_given_unless_that_is_unsound(given: str, carried: str) -> None:
    frame = camera_on(Connection()).publish(JPEG, traceparent=given)
    assert dict(to_headers(frame)).get("traceparent", b"").decode() == carried
