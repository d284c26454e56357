"""The client's consumer: how it is made, left, and what it says of where a message lies."""

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from consumers.failures import Failures
from consumers.places import GroupPlaces
from consumers.settings import SubscriptionSettings, client_config
from streams.contract.errors import SettingError
from streams.contract.signals import signals_held_back

_log = logging.getLogger(__name__)
_CLOSE_S = 5.0


def open_client(
    settings: SubscriptionSettings,
    protocol: str = "classic",
    *,
    failures: Failures,
    places: GroupPlaces | None = None,
    more: Mapping[str, object] | None = None,
) -> Consumer:
    """A consumer by the settings; SettingError when the client refuses them.

    protocol: of the group. more: settings of the client that go before these.
    """
    callbacks = {"error_cb": failures.note} | ({} if places is None else {"on_commit": places.on_commit})
    try:
        with signals_held_back():
            return Consumer(client_config(settings, protocol) | callbacks | dict(more or {}))
    except (KafkaException, TypeError, ValueError) as error:
        # A file that is no certificate, or a [kafka.librdkafka] key that does not exist, is found here.
        raise SettingError(f"kafka: the client refuses its settings: {error}") from error


def leave(consumer: Consumer, places: GroupPlaces | None, settings: SubscriptionSettings, failures: Failures) -> None:
    """Write the group's places for the last time, and close; waits no longer than a broker that is away is worth."""

    def close() -> None:
        if places is not None:
            places.write_at_the_end()
        consumer.close()

    # With a commit on its way the client waits for ever for a broker that is away (librdkafka#3740).
    closing = threading.Thread(target=close, name="close subscription", daemon=True)
    try:
        closing.start()
    except RuntimeError:
        # The interpreter ends, and begins no thread any more; what would wait for ever must not be begun.
        with suppress(KafkaException):
            consumer.list_topics(settings.topic, timeout=1.0)
            close()
        return
    closing.join(_CLOSE_S)
    if closing.is_alive():
        where = settings.kafka.bootstrap
        failures.leave()
        _log.warning("topic %s: left without a word to the broker at %s, which is away", settings.topic, where)


def place_of(message: Message) -> TopicPartition:
    """Where a message lies."""
    topic, partition = message.topic(), message.partition()
    assert topic is not None and partition is not None
    return TopicPartition(topic, partition, message.offset() or 0)
