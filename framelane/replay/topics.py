"""The topics that a replay writes to: made where they are missing, and refused where they will not do."""

from collections.abc import Mapping, Sequence

from framelane.admin import create_topics, topic_states
from framelane.admin_client import AdminConnection
from framelane.replay.settings import Replay
from framelane.topic_offsets import topic_offsets
from framelane.topic_rules import TopicState, check_topic_name
from framelane.waiting import missing_topics
from streams.contract.errors import TopicMismatch, TopicMissing
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.topics import HOUR_MS, MIB, TopicSpec, create_command

# Somebody has asked for them, and wants to look at them; not for ever.
_RETENTION_MS = 7 * 24 * HOUR_MS
_LETTER_MARGIN = 64 * 1024
_MAX_BYTES = "max.message.bytes"


def ready_topics(kafka: KafkaSettings, replay: Replay, *, begun: bool) -> dict[str, int]:
    """See to it that the replay's topics can be used; the largest record that each takes, in bytes.

    begun: whether the run has been begun, so that its topics should be there, and may hold records. Raises
    TopicMissing, TopicMismatch, BrokerUnavailable, or KafkaError where a right is missing.
    """
    connection = AdminConnection(kafka)
    for topic in (replay.pipeline.input, *replay.topics):
        check_topic_name(topic)
    # Whoever may not write may not describe either, and would be told of that alone.
    missing_topics(connection, replay.topics, write=replay.topics)
    states = topic_states(connection, [replay.pipeline.input, *replay.topics])
    source = states.get(replay.pipeline.input)
    if source is None:
        name = replay.pipeline.input
        create = create_command([name], reach=kafka.reach)
        raise TopicMissing(f"no topic {name} on {kafka.bootstrap}, so there is nothing to replay; make it: {create}")
    absent = [topic for topic in replay.topics if topic not in states]
    if absent and begun:
        raise TopicMissing(
            f"run {replay.run_id}: its topic {', '.join(absent)} is gone, and with it what was done: begin another one "
            "with another --run-id"
        )
    specs = [_spec(topic, replay, source) for topic in absent]
    made = create_topics(kafka, specs) if specs else []
    states |= {report.name: report.state for report in made}
    for topic in replay.topics:
        _check(states[topic], source)
    if not begun:
        _check_empty(connection, [topic for topic in replay.topics if topic not in absent], replay)
    return {topic: int(states[topic].config.get(_MAX_BYTES, MIB)) for topic in replay.topics}


def _spec(topic: str, replay: Replay, source: TopicState) -> TopicSpec:
    largest = max(4 * MIB, int(source.config.get(_MAX_BYTES, 0)))
    sizes: Mapping[str, int] = {
        replay.pipeline.events: MIB,
        # A letter carries the frame as it came, and more headers than it had.
        replay.pipeline.dead_letter: largest + _LETTER_MARGIN,
    }
    return TopicSpec(
        name=topic,
        partitions=source.partitions,
        retention_ms=_RETENTION_MS,
        retention_bytes=-1,
        max_bytes=sizes.get(topic, largest),
    )


def _check(state: TopicState, source: TopicState) -> None:
    if state.partitions != source.partitions:
        raise TopicMismatch(
            f"topic {state.name} has {state.partitions} partitions, and {source.name} has {source.partitions}: a "
            "replay puts each frame where it lies in the input; name a topic that does not exist, and it is made"
        )
    policy = state.config.get("cleanup.policy", "delete")
    if policy != "delete":
        raise TopicMismatch(
            f"topic {state.name} has cleanup.policy {policy}, which deletes frames of a camera: name another topic"
        )


def _check_empty(connection: AdminConnection, topics: Sequence[str], replay: Replay) -> None:
    for topic, partitions in topic_offsets(connection, topics).items():
        if any(each.end > max(0, each.oldest) for each in partitions.values()):
            raise TopicMismatch(
                f"topic {topic} holds records that are not of run {replay.run_id}: name another --output, or the "
                "--run-id that they are of"
            )
