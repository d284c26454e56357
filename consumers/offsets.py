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
    return {each: bounds_of(consumer, topic, each, timeout_s=timeout_s)[1] for each in partitions}


def bounds_of(consumer: Consumer, topic: str, partition: int, *, timeout_s: float) -> tuple[int, int]:
    """A partition's oldest offset, and the one after its last record, as of now. Raises KafkaException."""
    bounds = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout_s)
    # None is how the client says that time has run out.
    if bounds is None:
        raise KafkaException(ClientError(ClientError._TIMED_OUT, f"the end of {topic}/{partition} is not known"))
    return bounds


def offsets_at(
    consumer: Consumer, topic: str, partitions: Iterable[int], *, at_ms: int, timeout_s: float
) -> dict[int, int]:
    """The first offset of that time (ms since 1970) or later; without the partitions where no record is that young.

    Raises KafkaException.
    """
    asked = [TopicPartition(topic, partition, at_ms) for partition in partitions]
    found = consumer.offsets_for_times(asked, timeout=timeout_s)
    for each in found:
        if each.error is not None:
            raise KafkaException(each.error)
    return {each.partition: each.offset for each in found if each.offset >= 0}


def starts_at(
    consumer: Consumer, topic: str, partitions: Iterable[int], *, since_ns: int | None, timeout_s: float
) -> list[TopicPartition]:
    """Where to begin: at the first record of `since_ns` or later, else at the end as of now. Raises KafkaException."""
    partitions = list(partitions)
    # Naming the end pins "from now on" to this moment. Before the time is asked for: what comes between the two
    # questions is as young as that, and lies behind the end.
    starts = ends_of(consumer, topic, partitions, timeout_s=timeout_s)
    if since_ns is not None:
        starts |= offsets_at(consumer, topic, partitions, at_ms=-(-since_ns // 1_000_000), timeout_s=timeout_s)
    return [TopicPartition(topic, partition, offset) for partition, offset in sorted(starts.items())]
