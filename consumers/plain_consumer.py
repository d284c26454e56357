"""A client that reads where it is told to: it joins no group and commits nothing."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException

from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.signals import signals_held_back


def seeking_consumer(kafka: KafkaSettings, group: str, *, fetch_bytes: int, **own: Any) -> Consumer:
    """One that reads a little here and there: it fetches about so much at a time. group, own: as of plain_consumer."""
    return plain_consumer(
        kafka,
        group,
        log=ClientLog(quiet=True),
        # What retention has deleted meanwhile is jumped over.
        auto_offset_reset="earliest",
        enable_partition_eof=True,
        max_partition_fetch_bytes=fetch_bytes,
        queued_min_messages=1,
        queued_max_messages_kbytes=max(1, 2 * fetch_bytes // 1024),
        fetch_queue_backoff_ms=1,
        # The end of a partition is told only when the broker has waited so long for more.
        fetch_wait_max_ms=10,
        **own,
    )


def plain_consumer(kafka: KafkaSettings, group: str, *, log: ClientLog, **own: Any) -> Consumer:
    """Make it. group: librdkafka wants one all the same. own: further settings, with _ for the dots.

    Raises SettingError when the client refuses its settings.
    """
    config: Mapping[str, Any] = kafka.for_confluent() | {name.replace("_", "."): value for name, value in own.items()}
    try:
        with signals_held_back():
            return Consumer({**config, "group.id": group, "enable.auto.commit": False, "logger": log})
    except (KafkaException, TypeError, ValueError) as error:
        raise SettingError(f"kafka: the client refuses its settings: {error}") from error
