"""When records were made: the times of single records, read where they lie."""

import time
from collections.abc import Collection, Mapping

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, TopicPartition

from consumers.plain_consumer import plain_consumer
from streams.contract.client_log import ClientLog
from streams.contract.kafka_settings import KafkaSettings

Place = tuple[str, int]
Times = Mapping[tuple[str, int, int], int]

_TIMEOUT_S = 5.0
# One frame of each partition is wanted. The broker gives a larger one all the same, but then one partition at a time.
_FETCH_BYTES = 256 * 1024


def record_times(
    kafka: KafkaSettings, places: Collection[tuple[str, int, int]], *, timeout_s: float = _TIMEOUT_S
) -> dict[tuple[str, int, int], int]:
    """The time of the first record at or after each (topic, partition, offset), in ms since 1970.

    What cannot be read in time, or without the right to, is left out. Raises SettingError when the client refuses its
    settings.
    """
    found: dict[tuple[str, int, int], int] = {}
    # Two groups may be at different offsets of one partition, and a consumer is at one place of it at a time.
    left = sorted(places)
    give_up = time.monotonic() + timeout_s
    while left and time.monotonic() < give_up:
        turn = {(topic, partition): offset for topic, partition, offset in reversed(left)}
        found.update(_read(kafka, turn, give_up=give_up))
        left = [place for place in left if turn[place[:2]] != place[2]]
    return found


def _read(kafka: KafkaSettings, turn: Mapping[Place, int], *, give_up: float) -> dict[tuple[str, int, int], int]:
    consumer = plain_consumer(
        kafka,
        "framelane.status",
        log=ClientLog(quiet=True),
        auto_offset_reset="error",
        max_partition_fetch_bytes=_FETCH_BYTES,
        queued_min_messages=1,
        # One record is all that the client holds, and by default it fetches the next partition's a second later.
        fetch_queue_backoff_ms=10,
        fetch_wait_max_ms=100,
    )
    found: dict[tuple[str, int, int], int] = {}
    waiting = set(turn)
    try:
        consumer.assign([TopicPartition(*place, offset) for place, offset in turn.items()])
        while waiting and (left := give_up - time.monotonic()) > 0:
            message = consumer.poll(left)
            place = (message.topic() or "", message.partition() or 0) if message else ("", 0)
            if message is None or place not in waiting:
                continue
            waiting.discard(place)
            consumer.incremental_unassign([TopicPartition(*place)])
            kind, at_ms = message.timestamp()
            if message.error() is None and kind != TIMESTAMP_NOT_AVAILABLE:
                found[*place, turn[place]] = at_ms
    finally:
        consumer.close()
    return found
