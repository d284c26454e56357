"""Publishing one partition of a run: its records and its place in the input become visible together, or not at all.

The transactional id is the run's and the partition's, so whoever opens it last has it: one that was paused, or is cut
off, can write nothing any more.
"""

import contextlib
import time
from collections.abc import Callable

import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from framelane.replay.settings import Replay
from streams.contract.client_log import ClientLog
from streams.contract.errors import KafkaError, SettingError
from streams.contract.kafka_settings import PARTITIONER, KafkaSettings
from streams.contract.topics import MIB
from streams.publisher import OutRecord

_ASK_S = 10.0
# Longer than a broker's restart; whoever takes the partition over ends it at once.
_TRANSACTION_MS = 60_000
_RIGHTS = {
    confluent_kafka.KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "transactional id",
    confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED: "topic",
    confluent_kafka.KafkaError.GROUP_AUTHORIZATION_FAILED: "group",
    confluent_kafka.KafkaError.CLUSTER_AUTHORIZATION_FAILED: "cluster",
}
_REFUSED = {
    confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE,
    confluent_kafka.KafkaError.RECORD_LIST_TOO_LARGE,
    confluent_kafka.KafkaError.INVALID_RECORD,
    confluent_kafka.KafkaError.INVALID_TIMESTAMP,
}
_FENCED = {
    confluent_kafka.KafkaError._FENCED,
    confluent_kafka.KafkaError.INVALID_PRODUCER_EPOCH,
    confluent_kafka.KafkaError.PRODUCER_FENCED,
}


class Lost(Exception):
    """What was not committed is to be done again. fenced: somebody else has the partition now."""

    def __init__(self, message: str, *, fenced: bool = False) -> None:
        super().__init__(message)
        self.fenced = fenced


class Outlet:
    """Publishes to one partition of the replay's topics; belongs to one thread. Its calls raise Lost, or KafkaError."""

    def __init__(self, kafka: KafkaSettings, replay: Replay, partition: int, *, batch_bytes: int) -> None:
        """batch_bytes: the smallest limit of the topics, for the broker measures batches, and not records."""
        self._partition = partition
        self._id = f"{replay.group}.{partition}"
        own: dict[str, str | int | float | bool] = {
            "transactional.id": self._id,
            "transaction.timeout.ms": _TRANSACTION_MS,
            "acks": "all",
            "linger.ms": 5,
            "batch.size": min(MIB, batch_bytes),
            "compression.type": "none",
            "partitioner": PARTITIONER,
            "message.max.bytes": 128 * MIB,
            "queue.buffering.max.kbytes": 32 * MIB // 1024,
            "allow.auto.create.topics": False,
        }
        try:
            self._producer = Producer(kafka.for_confluent(**own) | {"logger": ClientLog(quiet=True)})
        except KafkaException as error:
            raise SettingError(f"kafka: the client refuses its settings: {error.args[0].str()}") from error
        self._began = False
        self._refusal: confluent_kafka.KafkaError | None = None

    def open(self) -> None:
        """Take the partition: what somebody has begun and not committed is ended, and they can write no more."""
        self._do(lambda: self._producer.init_transactions(_ASK_S))

    def put(self, record: OutRecord) -> None:
        """Hand a record over; it is dated now, or retention could delete it before anybody has read it."""
        self._begin()
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    partition=self._partition,
                    timestamp=time.time_ns() // 1_000_000,
                    on_delivery=self._on_delivery,
                )
            except BufferError:
                self._producer.poll(0.05)
            except KafkaException as error:
                raise self._failed(error) from error
            else:
                break
        self._producer.poll(0)

    def commit(self, place: TopicPartition, reader: Consumer) -> None:
        """Have all that was handed over become visible, and the place with it. reader: one of the run's group."""
        self._begin()
        # Without a member's id and generation: the transactional id says who may, and outlasts rebalances.
        group = reader.consumer_group_metadata()
        self._do(lambda: self._producer.send_offsets_to_transaction([place], group, _ASK_S))
        self._do(lambda: self._producer.commit_transaction(_ASK_S))
        self._began = False

    def close(self) -> None:
        """Give up what is not committed."""
        if self._began:
            # It would hold up those who read committed records until its time is over.
            with contextlib.suppress(KafkaException):
                self._producer.purge()
                self._producer.abort_transaction(5.0)
        # Its own `close` waits for a broker that is away.
        del self._producer

    def _begin(self) -> None:
        if not self._began:
            self._do(self._producer.begin_transaction)
            self._began = True

    def _do(self, call: Callable[[], object]) -> None:
        give_up = time.monotonic() + _ASK_S
        while True:
            try:
                call()
            except KafkaException as error:
                if error.args[0].retriable() and time.monotonic() < give_up:
                    continue
                raise self._failed(error) from error
            return

    def _on_delivery(self, error: confluent_kafka.KafkaError | None, _: Message) -> None:
        if error is not None and error.code() in _REFUSED | set(_RIGHTS):
            self._refusal = self._refusal or error

    def _failed(self, failure: KafkaException) -> Exception:
        # The first record that the broker has refused is the cause of all that follows.
        error = self._refusal or failure.args[0]
        if error.code() in _RIGHTS:
            return KafkaError(
                f"{self._id}: no right to a {_RIGHTS[error.code()]}: {error.str()}; a replay needs Write on its topics "
                "and its transactional ids, and Read on its group (framelane acls print)"
            )
        if error.code() in _REFUSED:
            return KafkaError(f"{self._id}: a record is refused: {error.str()}; raise max.message.bytes of its topic")
        return Lost(f"{self._id}: {error.str()}", fenced=error.code() in _FENCED)
