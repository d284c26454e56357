"""The Kafka client under all producers: its settings, and what it says of the broker."""

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException, Producer

from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import PARTITIONER, KafkaSettings
from streams.contract.signals import signals_held_back

logger = logging.getLogger(__name__)

Acks = Literal["all", "1"]
# A batch is what the topic's limit is held against. Below the smallest limit in use, only a frame that is too large
# by itself is refused, and takes no neighbour with it. A frame that is larger than this goes in a batch of its own.
BATCH_BYTES = 128 * 1024
_LARGEST_MESSAGE = 1_000_000_000
_QUEUE_KBYTES = 512 * 1024
_OF_FRAMES: Mapping[str, str | int | float | bool] = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 0,
    "compression.type": "none",
    "partitioner": PARTITIONER,
    "message.max.bytes": _LARGEST_MESSAGE,
    "allow.auto.create.topics": False,
}


class Broker:
    """What is known of the broker: told by the client, told on in errors and logs."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """What is wrong, as a clause; "" when nothing is known to be."""
        return self._trouble

    def on_error(self, error: ClientError) -> None:
        """Take the client's word: librdkafka mends these errors itself, so they are said once, not every second."""
        if not self._trouble:
            logger.warning("trouble with the broker at %s, which is tried again: %s", self.bootstrap, error.str())
        self._trouble = error.str()

    def on_answer(self) -> None:
        """A record has arrived."""
        if self._trouble:
            logger.info("the broker at %s answers again", self.bootstrap)
        self._trouble = ""


# Without sequence numbers only one request may be under way, or one that is sent again comes after its successors.
_OF_ACKS: Mapping[Acks, Mapping[str, str | int | float | bool]] = {
    "all": {},
    "1": {"acks": "1", "enable.idempotence": False, "max.in.flight.requests.per.connection": 1},
}


def connect(settings: KafkaSettings, *, on_error: Callable[[ClientError], None], acks: Acks = "all") -> Producer:
    """Make the cameras' client. acks: as for FrameProducer. Raises as `make_client`."""
    ours: dict[str, str | int | float | bool] = {
        "client.id": "framelane-producer",
        "batch.size": BATCH_BYTES,
        "queue.buffering.max.kbytes": _QUEUE_KBYTES,
        # No frame is given up because the broker is away: the cameras' outboxes fill up, and do as their policies say.
        "message.timeout.ms": 0,
        # How long a topic that the broker does not know is waited for.
        "topic.metadata.propagation.max.ms": 5000,
        **_OF_ACKS[acks],
    }
    return make_client(settings, ours, on_error=on_error)


def make_client(
    settings: KafkaSettings, own: Mapping[str, str | int | float | bool], *, on_error: Callable[[ClientError], None]
) -> Producer:
    """A client that sends frames; own: what it has beside that. Nothing is sent yet, so no broker need be there.

    Raises SettingError for what the client refuses.
    """
    config = settings.for_confluent(**{**_OF_FRAMES, **own})
    try:
        with signals_held_back():
            return Producer(config | {"error_cb": on_error}, logger=ClientLog(quiet=True))
    except (KafkaException, TypeError, ValueError) as error:
        raise SettingError(f"kafka: the client refuses its settings: {error}") from error
