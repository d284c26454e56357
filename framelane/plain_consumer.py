"""A client that reads where it is told to: it joins no group and commits nothing."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException

from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.signals import signals_held_back


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
