import logging
import threading
from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError as ClientError

from producers.camera_state import CameraState
from producers.deliveries import Outgoing
from producers.outbox import Done
from producers.sums import Sums
from producers.topic_limits import TopicLimits
from streams.contract.errors import MessageTooLarge, TopicMissing

UNKNOWN_TOPIC = ClientError(ClientError._UNKNOWN_TOPIC)
TOO_LARGE = ClientError(ClientError.MSG_SIZE_TOO_LARGE)
RECORD = Outgoing(topic="t", camera_id="c", name="c/e/0", value=b"x", headers=[], captured_at_ns=0)


@pytest.fixture
def sent() -> list[Done]:
    """How to answer what the camera has sent."""
    return []


@pytest.fixture
def answer() -> "Future[int]":
    """What the broker says of the topic's limit."""
    return Future()


@pytest.fixture
def limits(answer: "Future[int]") -> TopicLimits:
    """The limits, asked for as when the first frame is published."""
    limits = TopicLimits(lambda _: answer)
    limits.ask("t")
    return limits


@pytest.fixture
def state(sent: list[Done], limits: TopicLimits) -> CameraState:
    """A camera whose connection keeps what it is given until the test answers."""
    return CameraState(
        "c",
        lambda _record, done: sent.append(done),
        sums=Sums(clock=lambda: 0),
        limits=limits,
        policy="block",
        stop=threading.Event(),
    )


@pytest.mark.parametrize(
    "code",
    [
        ClientError._UNKNOWN_TOPIC,
        ClientError._UNKNOWN_PARTITION,
        ClientError.UNKNOWN_TOPIC_OR_PART,
        ClientError.UNKNOWN_TOPIC_ID,
        ClientError.NOT_ENOUGH_REPLICAS,
        ClientError._DESTROY,
    ],
)
def test_once_running_a_topic_that_goes_away_is_waited_for(state: CameraState, sent: list[Done], code: int) -> None:
    for _ in range(3):
        state.outbox.put(RECORD)
    sent[0](None)
    sent[1](ClientError(code))
    sent[2](ClientError(code))
    state.raise_failure()
    assert state.outbox.pending == 2
    assert state.sums.snapshot().dropped == {}


def test_a_topic_that_never_was_there_is_an_error(state: CameraState, sent: list[Done]) -> None:
    state.outbox.put(RECORD)
    sent[0](UNKNOWN_TOPIC)
    assert state.sums.snapshot().dropped == {"topic_missing": 1}
    with pytest.raises(TopicMissing):
        state.raise_failure()
    state.raise_failure()


def test_a_script_is_told_of_a_frame_that_is_too_large(state: CameraState, sent: list[Done]) -> None:
    state.outbox.put(RECORD)
    sent[0](TOO_LARGE)
    assert state.sums.snapshot().dropped == {"too_large": 1}
    with pytest.raises(MessageTooLarge):
        state.raise_failure()


def test_a_live_camera_counts_it_warns_and_goes_on(
    state: CameraState, sent: list[Done], caplog: pytest.LogCaptureFixture
) -> None:
    state.raises_too_large = False
    for _ in range(3):
        state.outbox.put(RECORD)
    with caplog.at_level(logging.WARNING):
        for done in sent:
            done(TOO_LARGE)
    state.raise_failure()
    assert state.sums.snapshot().dropped == {"too_large": 3}
    (message,) = [record.getMessage() for record in caplog.records]
    assert "more than the topic t takes" in message


def test_what_nobody_can_mend_is_dropped_with_a_word(
    state: CameraState, sent: list[Done], caplog: pytest.LogCaptureFixture
) -> None:
    state.outbox.put(RECORD)
    with caplog.at_level(logging.WARNING):
        sent[0](ClientError(ClientError.INVALID_RECORD, "no such thing"))
    state.raise_failure()
    assert state.sums.snapshot().dropped == {"delivery_failed": 1}
    (message,) = [record.getMessage() for record in caplog.records]
    assert message == "camera c: frame c/e/0 was dropped: no such thing"


def test_a_refusal_names_the_limit_and_is_remembered(
    state: CameraState, sent: list[Done], answer: "Future[int]", limits: TopicLimits
) -> None:
    answer.set_result(RECORD.batch_size - 1)
    state.outbox.put(RECORD)
    sent[0](TOO_LARGE)
    with pytest.raises(MessageTooLarge, match=rf"camera c: .* 1 bytes .* topic t takes: {RECORD.batch_size - 1} bytes"):
        state.raise_failure()
    assert limits.bound("t") == RECORD.batch_size - 1


def test_a_refusal_of_an_unknown_limit_says_so_and_is_learnt_from(
    state: CameraState, sent: list[Done], limits: TopicLimits
) -> None:
    state.outbox.put(RECORD)
    sent[0](TOO_LARGE)
    with pytest.raises(MessageTooLarge, match="is not known: the broker has not said it yet"):
        state.raise_failure()
    assert limits.bound("t") == RECORD.batch_size * 3 // 4
