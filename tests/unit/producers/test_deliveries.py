import pytest
from confluent_kafka import KafkaError as ClientError

from producers.deliveries import Outgoing, error_of, reason_of
from streams.contract.errors import KafkaError, MessageTooLarge, TopicMissing

RECORD = Outgoing(
    topic="frames.raw", camera_id="gate-1", name="gate-1/e/7", value=b"x" * 5000, headers=[], captured_at_ns=0
)


@pytest.mark.parametrize(
    ("code", "reason", "raised"),
    [
        (ClientError.MSG_SIZE_TOO_LARGE, "too_large", MessageTooLarge),
        (ClientError._UNKNOWN_TOPIC, "topic_missing", TopicMissing),
        (ClientError.UNKNOWN_TOPIC_OR_PART, "topic_missing", TopicMissing),
        (ClientError.UNKNOWN_TOPIC_ID, "topic_missing", TopicMissing),
        (ClientError._UNKNOWN_PARTITION, "topic_missing", TopicMissing),
        (ClientError.TOPIC_AUTHORIZATION_FAILED, "not_authorized", KafkaError),
        (ClientError._MSG_TIMED_OUT, "timed_out", None),
        (ClientError._PURGE_QUEUE, "undelivered", None),
        (ClientError.NOT_ENOUGH_REPLICAS, "delivery_failed", None),
    ],
)
def test_a_failed_delivery_is_counted_and_raised_where_somebody_must_mend_it(
    code: int, reason: str, raised: type[KafkaError] | None
) -> None:
    error = ClientError(code)
    assert reason_of(error) == reason
    found = error_of(error, RECORD)
    assert (None if found is None else type(found)) is raised


def test_too_large_names_camera_size_topic_and_the_mend() -> None:
    message = str(error_of(ClientError(ClientError.MSG_SIZE_TOO_LARGE), RECORD, limit=": 4096 bytes"))
    for part in ("gate-1", "5000 bytes", "frames.raw takes: 4096 bytes", "--quality", "--size", "--max-bytes"):
        assert part in message


def test_a_producer_at_its_end_says_so() -> None:
    found = error_of(ClientError(ClientError.INVALID_PRODUCER_EPOCH, "fenced", fatal=True), RECORD)
    assert "cannot go on: fenced" in str(found)
