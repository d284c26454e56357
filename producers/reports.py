"""Reports on frames.status: sent through the producer that also sends the frames, without ever standing in its way."""

import logging
import threading
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

logger = logging.getLogger(__name__)
_METADATA_TIMEOUT_S = 2.0
# While the broker is away reports would pile up in the client, which never gives a record up by itself.
MAX_UNDER_WAY = 5


def topic_names(producer: Producer) -> set[str] | None:
    """The topics that the broker shows us; None when it does not answer within two seconds.

    All are asked for: asking for one by name would create it, where the broker is set to do so.
    """
    try:
        return set(producer.list_topics(timeout=_METADATA_TIMEOUT_S).topics)
    except KafkaException:
        return None


class StatusSender:
    """Sends reports once their topic exists.

    Without this a missing topic would keep each report waiting in the client's queue, and `close()` with it.
    """

    def __init__(self, producer: Producer, *, topics: Callable[[Producer], set[str] | None] = topic_names) -> None:
        self._producer, self._topics = producer, topics
        self._there = self._told = False
        self._under_way = 0
        self._lock = threading.Lock()

    def produce(self, topic: str, value: bytes, key: bytes) -> None:
        """Send a report, or drop it: the next one says all that it said."""
        if not self._there:
            names = self._topics(self._producer)
            self._there = names is not None and topic in names
            if names is not None and not self._there and not self._told:
                self._told = True
                logger.info("topic %s does not exist, so nothing is reported there", topic)
        if not self._there or self._under_way >= MAX_UNDER_WAY:
            return
        try:
            self._producer.produce(topic, value=value, key=key, on_delivery=self._on_delivery)
            with self._lock:
                self._under_way += 1
        except KafkaException as error:
            # The topic was deleted, or the producer is at its end: neither is a matter of the frames.
            logger.debug("a report was not sent: %s", error)

    def _on_delivery(self, _error: KafkaError | None, _message: Message) -> None:
        with self._lock:
            self._under_way -= 1
