"""What it means when a frame does not arrive: the reason to count, and the error where somebody has to mend it."""

from dataclasses import dataclass
from typing import Self

from confluent_kafka import KafkaError as ClientError

from producers.record_size import batch_bytes
from streams.contract.errors import ClientFailed, FramelaneError, KafkaError, MessageTooLarge, TopicMissing
from streams.contract.frame import Frame
from streams.contract.headers import to_headers

_REASONS = {
    ClientError.MSG_SIZE_TOO_LARGE: "too_large",
    ClientError.RECORD_LIST_TOO_LARGE: "too_large",
    ClientError._MSG_TIMED_OUT: "timed_out",
    ClientError.REQUEST_TIMED_OUT: "timed_out",
    ClientError._UNKNOWN_TOPIC: "topic_missing",
    ClientError._UNKNOWN_PARTITION: "topic_missing",
    ClientError.UNKNOWN_TOPIC_OR_PART: "topic_missing",
    ClientError.UNKNOWN_TOPIC_ID: "topic_missing",
    ClientError.TOPIC_AUTHORIZATION_FAILED: "not_authorized",
    ClientError.CLUSTER_AUTHORIZATION_FAILED: "not_authorized",
    ClientError._PURGE_QUEUE: "undelivered",
    ClientError._PURGE_INFLIGHT: "undelivered",
}
# The topic is there, but not enough of its replicas are; or, in the moment in which it is made again, librdkafka lets
# go of the old one with what waited to be sent to it (`_DESTROY`: nobody has closed the client).
_FOR_A_WHILE = {
    ClientError.NOT_ENOUGH_REPLICAS,
    ClientError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ClientError._DESTROY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A frame's record, ready for Kafka. captured_at_ns: ns since 1970."""

    topic: str
    camera_id: str
    name: str
    value: bytes
    headers: list[tuple[str, bytes]]
    captured_at_ns: int

    @classmethod
    def of(cls, frame: Frame, topic: str) -> Self:
        """The frame's record for this topic."""
        return cls(
            topic=topic,
            camera_id=frame.camera_id,
            name=frame.name,
            value=frame.data,
            headers=to_headers(frame),
            captured_at_ns=frame.captured_at_ns,
        )

    @property
    def key(self) -> bytes:
        """The record's key."""
        return self.camera_id.encode()

    @property
    def batch_size(self) -> int:
        """Bytes that the topic's limit is held against when it goes alone."""
        return batch_bytes(self.key, self.size, self.headers)

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return len(self.value)


def reason_of(error: ClientError) -> str:
    """The word under which a failed delivery is counted."""
    return _REASONS.get(error.code(), "delivery_failed")


def is_away(error: ClientError) -> bool:
    """Whether the topic is away, and may come back: then the frame can wait for it."""
    return reason_of(error) == "topic_missing" or error.code() in _FOR_A_WHILE


def error_of(error: ClientError, record: Outgoing, *, limit: str = "") -> FramelaneError | None:
    """The error to raise: for what stays wrong until somebody mends it; None for what is only counted.

    limit: of the topic, as `TopicLimits.told`.
    """
    reason = reason_of(error)
    if reason == "too_large":
        return MessageTooLarge(
            f"camera {record.camera_id}: frame {record.name} has {record.size} bytes ({record.batch_size} with "
            f"key and headers), more than the topic {record.topic} takes{limit}; make frames smaller "
            "(--quality, --size; fit=True does so by itself), or let the topic take more "
            "(framelane topics create --max-bytes, or its max.message.bytes)"
        )
    if reason == "topic_missing":
        return topic_missing(record.topic)
    if reason == "not_authorized":
        return KafkaError(
            f"camera {record.camera_id}: this user may not write to the topic {record.topic}: "
            f"{error.str()}; it needs the right WRITE on it"
        )
    if error.fatal() or error.code() == ClientError._FATAL:
        return ClientFailed(f"the Kafka producer cannot go on: {error.str()}; start it anew")
    return None


def topic_missing(topic: str) -> TopicMissing:
    """The error for a topic that is not there."""
    return TopicMissing(f"topic {topic} does not exist; create it: framelane topics create {topic}")
