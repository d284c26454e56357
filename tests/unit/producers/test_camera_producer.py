import threading
from concurrent.futures import Future
from typing import cast

import pytest
from confluent_kafka import KafkaError as ClientError
from producer_support import noise

from producers import CameraProducer, FrameProducer
from producers.camera_state import CameraState
from producers.deliveries import Outgoing, topic_missing
from producers.outbox import Done, Policy
from producers.sums import Sums
from producers.topic_limits import TopicLimits
from streams.contract.errors import FrameError, MessageTooLarge, SettingError, TopicMissing
from streams.contract.headers import to_headers
from streams.contract.images import encode, inspect
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
        self.records: list[Outgoing] = []
        self.held: list[Done] = []
        self.answer: Future[int] = Future()
        self.limits = TopicLimits(lambda _: self.answer)

    def clock(self) -> int:
        return NOW_NS

    def register(
        self, camera_id: str, *, policy: Policy, buffer_bytes: int, stop: threading.Event | None = None
    ) -> CameraState:
        """Take any camera."""
        return CameraState(
            camera_id,
            self.send,
            sums=Sums(clock=self.clock),
            limits=self.limits,
            policy=policy,
            stop=self.stop,
            buffer_bytes=buffer_bytes,
        )

    def check_topic(self, topic: str, *, needed: bool = True) -> None:
        if not self.topic_there:
            raise topic_missing(topic)
        self.limits.ask(topic)

    def send(self, record: Outgoing, done: Done) -> None:
        self.records.append(record)
        self.sent.append(int(record.name.rpartition("/")[2]))
        if self.sent[-1] in self.too_large:
            self.held.append(done)
        else:
            done(None)

    def refuse(self) -> None:
        """Answer what was held."""
        self.held.pop()(ClientError(ClientError.MSG_SIZE_TOO_LARGE))


def camera_on(connection: Connection, *, fit: bool = False) -> CameraProducer:
    return CameraProducer("gate-1", producer=cast(FrameProducer, connection), fit=fit)


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


@pytest.mark.parametrize("buffer_bytes", [2**20 - 1, 0, -1, 32.0, True, "32"])
def test_a_buffer_is_whole_bytes_and_takes_a_frame(buffer_bytes: object) -> None:
    camera = camera_on(Connection())
    with pytest.raises(SettingError, match=r"buffer_bytes .*1 MiB"):
        CameraProducer("a", bootstrap="127.0.0.1:1", buffer_bytes=buffer_bytes)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r"buffer_bytes .*1 MiB"):
        camera.change(topic="other", buffer_bytes=buffer_bytes)  # type: ignore[arg-type]
    assert camera.topic == "frames.raw"


def test_a_living_camera_changes_its_topic_and_its_policy() -> None:
    connection = Connection()
    camera = camera_on(connection)
    connection.too_large = {1}
    camera.publish(JPEG)
    camera.change(topic="other", policy="drop_oldest", buffer_bytes=2**20)
    camera.publish(JPEG)
    assert [record.topic for record in connection.records] == ["frames.raw", "other"]
    with pytest.raises(SettingError, match="policy"):
        camera.change(policy="sometimes")  # type: ignore[arg-type]


def test_a_frame_that_is_too_large_is_made_to_fit_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    connection = Connection()
    camera = camera_on(connection, fit=True)
    connection.answer.set_result(8000)
    frame = camera.publish(noise(160, 120, seed=1))
    (record,) = connection.records
    assert record.batch_size <= 8000
    assert inspect(record.value).upright == (frame.width, frame.height)
    assert dict(record.headers)["ce_width"] == str(frame.width).encode()
    assert camera.sums.fitted == 1
    assert "camera gate-1: frame" in caplog.text
    assert "takes: 8000 bytes" in caplog.text
    camera.publish(JPEG)
    assert (connection.records[1].value, camera.sums.fitted) == (JPEG, 1)


def test_fit_learns_from_a_refusal_which_is_not_raised() -> None:
    connection = Connection()
    camera = camera_on(connection, fit=True)
    connection.too_large = {0}
    camera.publish(noise(160, 120, seed=1))
    connection.refuse()
    camera.publish(noise(160, 120, seed=1))
    first, second = connection.records
    assert second.batch_size <= first.batch_size * 3 // 4
    assert (camera.sums.dropped, camera.sums.fitted, camera.sums.produced) == ({"too_large": 1}, 1, 1)


def test_what_cannot_fit_is_counted_and_said() -> None:
    connection = Connection()
    camera = camera_on(connection, fit=True)
    connection.answer.set_result(600)
    with pytest.raises(FrameError, match="no picture fits"):
        camera.publish(JPEG)
    assert camera.sums.dropped == {"too_large": 1}
    camera.change(fit=False)
    camera.publish(JPEG)
    assert connection.records[0].value == JPEG


def test_who_hands_a_picture_on_says_when_it_came() -> None:
    camera = camera_on(Connection())
    frame = camera.publish(JPEG, called_at_ns=NOW_NS - 5 * 10**9)
    assert (frame.captured_at_ns, frame.camera_clock_ns) == (NOW_NS - 5 * 10**9, None)
