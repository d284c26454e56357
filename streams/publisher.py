"""Publishing: records to Kafka by confluent-kafka, in order, each confirmed or reported.

Faust's own producer only buffers on `send`, and a delivery that fails is a log line while the offset is committed.
"""

import bisect
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.contract import errors
from streams.contract.client_log import ClientLog
from streams.contract.kafka_settings import PARTITIONER, KafkaSettings
from streams.mailbox import Mailbox

log = logging.getLogger(__name__)

# Above the limit of any topic: the topic's own limit is to be what refuses a record.
MAX_RECORD_BYTES = 128 * 1024 * 1024
MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
RETRY_S = 1.0
# How often the client is asked for what it has to say. While reports are awaited that is at each tick of the mailbox: a
# thread that waits for them would wake the loop for each.
IDLE_POLL_S = 1.0

# The broker refuses this one record; the others are none the worse for it.
_REFUSED: dict[int, errors.Reason] = {
    KafkaError.MSG_SIZE_TOO_LARGE: "output_too_large",
    KafkaError.RECORD_LIST_TOO_LARGE: "output_too_large",
    KafkaError.INVALID_TIMESTAMP: "undeliverable",
    KafkaError.INVALID_RECORD: "undeliverable",
}
# The topic or the broker is away: it is waited for, however long that takes.
_AWAY = {
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    # A topic is made again: librdkafka lets go of the old one with what waited to be sent to it.
    KafkaError._DESTROY,
}


_PRODUCER: dict[str, str | int | float | bool] = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 0,
    "compression.type": "none",
    # The broker refuses batches, not records: with one record in each, a bad one costs no good neighbour.
    "batch.num.messages": 1,
    "partitioner": PARTITIONER,
    "message.max.bytes": MAX_RECORD_BYTES,
    "queue.buffering.max.kbytes": 2 * MAX_IN_FLIGHT_BYTES // 1024,
    # A frame is never given up because the broker is away; lanes fill, and fetching pauses.
    "message.timeout.ms": 0,
    "allow.auto.create.topics": False,
    # After minutes without a broker the first output follows its return at once, and not after librdkafka's 10 s.
    "reconnect.backoff.max.ms": 1000,
}


@dataclass(frozen=True, slots=True, eq=False)
class OutRecord:
    """A record to be published. timestamp_ms: ms since 1970."""

    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


class Receiver(Protocol):
    """Who publishes a record, and is told on the loop what became of it."""

    @property
    def wanted(self) -> bool:
        """Whether the record is to be sent again after a failure: not when its partition was given up meanwhile."""

    def delivered(self) -> None:
        """The broker has it."""

    def refused(self, error: errors.FrameError) -> None:
        """The broker does not take this record, and never will."""


class Publisher:
    """An idempotent producer that lives on the event loop.

    on_room: called on the loop when `full` has ended. on_fatal: called on the loop when nothing can be delivered any
    more (no right to write, a fenced producer); the worker has to end without acking what is on its way.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        mailbox: Mailbox,
        *,
        on_room: Callable[[], None],
        on_fatal: Callable[[errors.KafkaError], None],
    ) -> None:
        self._log = ClientLog()
        # librdkafka writes to stderr unless it is given a logger.
        self._producer = Producer(producer_config(kafka) | {"logger": self._log})
        self._mailbox, self._on_room, self._on_fatal = mailbox, on_room, on_fatal
        self._in_flight_bytes = 0
        self._was_full = False
        # What the client had no room for.
        self._waiting: deque[tuple[OutRecord, Receiver]] = deque()
        self._sent = 0
        # Since when the broker has confirmed nothing that waits for it.
        self._silent_since = time.monotonic()
        # Topics that were away when last heard of. The oldest record then goes alone, until one arrives: while a topic
        # is made again librdkafka may fail one record and deliver the next.
        self._away: set[str] = set()
        # What failed because its topic is away. Nothing newer is taken until it is sent again: it would overtake.
        # By when each was sent: what was on its way to the broker fails later than what waited behind it.
        self._failed: list[tuple[int, OutRecord, Receiver]] = []
        self._serials = itertools.count()
        self._reports: deque[tuple[int, OutRecord, Receiver, KafkaError | None]] = deque()
        self._polling = self._closed = False
        self._idle()

    @property
    def full(self) -> bool:
        """Whether nothing more should be handed over for now."""
        return self._in_flight_bytes >= MAX_IN_FLIGHT_BYTES or bool(self._waiting) or bool(self._failed)

    @property
    def connections_lost(self) -> int:
        """How often a connection to a broker was lost; the client makes it anew."""
        return self._log.lost

    @property
    def undelivered_s(self) -> float:
        """For how long the broker has confirmed nothing though records wait for it; seconds, 0.0 when none waits."""
        waiting = self._sent or self._waiting or self._failed
        return time.monotonic() - self._silent_since if waiting else 0.0

    def publish(self, record: OutRecord, receiver: Receiver) -> None:
        """Hand a record over; the receiver is told once the broker has it or refuses it."""
        if not self._in_flight_bytes:
            self._silent_since = time.monotonic()
        self._in_flight_bytes += len(record.value)
        self._waiting.append((record, receiver))
        self._hand_over()
        self._was_full = self._was_full or self.full

    def publish_unconfirmed(self, topic: str, value: bytes, key: bytes) -> None:
        """Hand a record over that may be lost, such as a status report."""
        try:
            self._producer.produce(topic, value=value, key=key)
        except (BufferError, KafkaException) as error:
            log.debug("a record of %s is lost: %s", topic, error)

    def give_up(self, error: errors.FrameError) -> None:
        """A record that must be delivered cannot be."""
        self._on_fatal(errors.KafkaError(str(error)))

    def close(self, timeout_s: float = 5.0) -> None:
        """Deliver what is still on its way, for at most that long; may be called in any thread, when the loop is done.

        Nobody is told of it any more.
        """
        self._closed = True
        self._producer.flush(timeout_s)

    def _hand_over(self) -> None:
        while self._waiting and not self._failed and not (self._away and self._sent):
            record, receiver = self._waiting[0]
            self._sent += 1
            serial = next(self._serials)
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    timestamp=record.timestamp_ms,
                    on_delivery=self._on_delivery(serial, record, receiver),
                )
            except BufferError:
                self._sent -= 1
                return
            except KafkaException as error:
                self._waiting.popleft()
                self._reported(serial, record, receiver, error.args[0])
            else:
                self._waiting.popleft()
                if not self._polling:
                    self._polling = True
                    self._mailbox.next_tick(self._poll)

    def _on_delivery(
        self, serial: int, record: OutRecord, receiver: Receiver
    ) -> Callable[[KafkaError | None, Message], None]:
        # Called within `poll`, where nothing may be raised and not much be done.
        return lambda error, _message: self._reports.append((serial, record, receiver, error))

    def _reported(self, serial: int, record: OutRecord, receiver: Receiver, error: KafkaError | None) -> None:
        self._sent -= 1
        if error is None:
            self._silent_since = time.monotonic()
            self._away.discard(record.topic)
        if error is not None and error.code() in _AWAY:
            if not self._failed:
                log.warning("cannot deliver to %s, trying again: %s", record.topic, error.str())
                self._mailbox.later(RETRY_S, self._again)
            self._away.add(record.topic)
            bisect.insort(self._failed, (serial, record, receiver), key=itemgetter(0))
            self._was_full = True
            return
        self._in_flight_bytes -= len(record.value)
        if error is None:
            receiver.delivered()
        elif error.code() in _REFUSED:
            text = f"topic {record.topic} does not take it ({len(record.value)} bytes): {error.str()}"
            receiver.refused(errors.FrameError(text, reason=_REFUSED[error.code()], stage="publish"))
        else:
            self._on_fatal(errors.KafkaError(f"cannot write to topic {record.topic}: {error.str()}"))
        self._find_room()

    def _again(self) -> None:
        if self._sent:
            # What was sent before one of these may fail yet.
            self._mailbox.later(RETRY_S, self._again)
            return
        # Sent again in the order in which they were sent, before anything newer.
        failed, self._failed = self._failed, []
        self._away = {record.topic for _, record, receiver in failed if receiver.wanted}
        for _, record, receiver in reversed(failed):
            if receiver.wanted:
                self._waiting.appendleft((record, receiver))
            else:
                self._in_flight_bytes -= len(record.value)
        self._find_room()

    def _find_room(self) -> None:
        self._hand_over()
        if self._was_full and not self.full:
            self._was_full = False
            self._on_room()

    def _poll(self) -> None:
        self._producer.poll(0)
        while self._reports:
            self._reported(*self._reports.popleft())
        self._polling = self._sent > 0 and not self._closed
        if self._polling:
            self._mailbox.next_tick(self._poll)

    def _idle(self) -> None:
        # Its log lines and errors, too, come by polling.
        self._producer.poll(0)
        if not self._closed:
            self._mailbox.later(IDLE_POLL_S, self._idle)


def producer_config(kafka: KafkaSettings) -> dict[str, Any]:
    """How the worker's producer is set up."""
    return kafka.for_confluent(**_PRODUCER)
