"""Where partitions begin and end: what a subscription asks the broker before it reads."""

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.failures import is_missing, topic_missing
from consumers.settings import SubscriptionSettings


def partitions_of(consumer: Consumer, settings: SubscriptionSettings, *, timeout_s: float) -> list[int]:
    """The topic's partitions. Raises TopicMissing, or KafkaException for what may pass."""
    found = consumer.list_topics(settings.topic, timeout=timeout_s).topics[settings.topic]
    if found.error is not None:
        if is_missing(found.error):
            raise topic_missing(settings)
        raise KafkaException(found.error)
    return sorted(found.partitions)


def ends_of(consumer: Consumer, topic: str, partitions: Iterable[int], *, timeout_s: float) -> dict[int, int]:
    """The offset after each partition's last record, as of now. Raises KafkaException."""
    ends = {}
    for partition in partitions:
        watermarks = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout_s)
        # None is how the client says that time has run out.
        if watermarks is None:
            raise KafkaException(ClientError(ClientError._TIMED_OUT, f"the end of {topic}/{partition} is not known"))
        ends[partition] = watermarks[1]
    return ends


def starts_at(
    consumer: Consumer, topic: str, partitions: Iterable[int], *, since_ns: int | None, timeout_s: float
) -> list[TopicPartition]:
    """Where to begin: at the first record of `since_ns` or later, else at the end as of now. Raises KafkaException."""
    found: list[TopicPartition] = []
    if since_ns is not None:
        since_ms = -(-since_ns // 1_000_000)
        asked = [TopicPartition(topic, partition, since_ms) for partition in partitions]
        found = consumer.offsets_for_times(asked, timeout=timeout_s)
        for each in found:
            if each.error is not None:
                raise KafkaException(each.error)
    # A negative offset says that no record is that young; naming the end pins "from now on" to this moment.
    at = {each.partition: each.offset for each in found if each.offset >= 0}
    ends = ends_of(consumer, topic, [each for each in partitions if each not in at], timeout_s=timeout_s)
    return [TopicPartition(topic, partition, offset) for partition, offset in sorted((at | ends).items())]
