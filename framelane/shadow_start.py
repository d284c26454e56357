"""What a shadow needs of the broker before it starts: topics of its own, and a place to begin at."""

import logging
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from framelane.admin import create_topics, topic_states
from framelane.admin_client import REQUEST_S, AdminConnection
from framelane.topic_offsets import topic_offsets
from framelane.waiting import missing_topics
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import MIB, TopicSpec, spec_for
from streams.shadow_settings import Shadow

log = logging.getLogger(__name__)

# Where live workers want the cores, a shadow has the smaller share.
_NICE = 10
# Somebody looks at it now; what it writes is as much as what is live.
_RETENTION_BYTES = 512 * MIB
_LETTER_MARGIN = 64 * 1024
_MAX_BYTES = "max.message.bytes"


def be_modest() -> None:
    """Let this process go behind all others of usual priority, and be the first to end where memory runs out."""
    os.nice(_NICE)
    # Linux alone has it.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def ready_shadow(kafka: KafkaSettings, shadow: Shadow) -> None:
    """Make the shadow's topics where they are missing, and have its group begin with the newest frames.

    A group that has members already goes on where it is. The input topic has to exist. Raises BrokerUnavailable, or
    KafkaError where a right is missing.
    """
    connection = AdminConnection(kafka)
    source = shadow.live.input
    beside = [source, *([shadow.live.output] if shadow.live.output else [])]
    # Whoever may not write may not describe either, and would be told of that alone.
    missing_topics(connection, shadow.topics, write=shadow.topics)
    states = topic_states(connection, [*beside, *shadow.topics])
    largest = max(int(states[topic].config.get(_MAX_BYTES, 0)) for topic in beside if topic in states)
    absent = [topic for topic in shadow.topics if topic not in states]
    if absent:
        create_topics(kafka, [_spec(topic, shadow, states[source].partitions, largest) for topic in absent])
    _begin_at_newest(connection, shadow)


def _spec(topic: str, shadow: Shadow, partitions: int, largest: int) -> TopicSpec:
    # A letter carries the frame as it came, and more headers than it had.
    more = _LETTER_MARGIN if topic == shadow.settings.dead_letter else 0
    return replace(
        spec_for(topic),
        partitions=partitions,
        max_bytes=max(MIB, largest) + more,
        retention_bytes=_RETENTION_BYTES,
    )


def _begin_at_newest(connection: AdminConnection, shadow: Shadow) -> None:
    group, source = shadow.settings.group, shadow.live.input
    ends = topic_offsets(connection, [source]).get(source, {})
    places = [TopicPartition(source, number, at.end) for number, at in ends.items() if at.end >= 0]
    if not places:
        return
    asked = ConsumerGroupTopicPartitions(group, places)
    answer = connection.client.alter_consumer_group_offsets([asked], request_timeout=REQUEST_S)[group]
    try:
        refused = [place.error for place in answer.result().topic_partitions if place.error]
    except KafkaException as error:
        refused = [error.args[0]]
    if refused:
        # Others share the group already, or a shadow has just ended there. What is too old is skipped in any case.
        log.info("group %s goes on where it is: %s", group, refused[0].str())
