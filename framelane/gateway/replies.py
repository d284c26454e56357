"""Reading replies and dead letters: all partitions, from where they ended at the start, without a group.

A reply lies on the partition that its camera's id has, and a gateway's sixteen ids lie on about as many; so each
gateway reads all of them and keeps what bears one of its ids. That costs the broker one more reading for each gateway,
and in turn no gateway waits for a rebalance, and none that starts or stops disturbs another.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Collection, Sequence

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from consumers.plain_consumer import plain_consumer
from framelane.admin_client import AdminConnection
from framelane.topic_offsets import topic_offsets
from streams.contract.client_log import ClientLog
from streams.contract.errors import FramelaneError
from streams.contract.kafka_settings import KafkaSettings

log = logging.getLogger(__name__)

_POLL_S = 0.2
_BATCH = 64
# Partitions that are added later are found so late; what came before is lost to its requests, which time out.
_LOOK_S = 10.0
_FETCH_BYTES = 4 * 1024 * 1024
_QUEUE_KBYTES = 32 * 1024

Deliver = Callable[[Sequence[Message]], None]


class ReplyReader:
    """A thread that hands over what comes for one gateway. `deliver` is called in it.

    failed: is called in it, with what has happened, where it cannot go on.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        topics: Collection[str],
        *,
        keys: Collection[bytes],
        deliver: Deliver,
        failed: Callable[[str], None],
    ) -> None:
        self._kafka, self._topics, self._keys = kafka, sorted(set(topics)), frozenset(keys)
        self._deliver, self._failed = deliver, failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replies", daemon=True)
        # Asking the broker may take long, and replies must not wait for it.
        self._looking = threading.Thread(target=self._look, name="reply partitions", daemon=True)
        self._reading: set[tuple[str, int]] = set()
        self._added: queue.SimpleQueue[list[TopicPartition]] = queue.SimpleQueue()
        self._consumer: Consumer | None = None
        self._trouble = ""

    def start(self) -> None:
        """Fix where each partition ends now, and read on from there; KafkaError when the broker does not tell."""
        self._consumer = plain_consumer(
            self._kafka,
            "framelane.gateway",
            log=ClientLog(quiet=True),
            client_id="framelane-gateway",
            # A topic that was made again has nothing of ours in it yet.
            auto_offset_reset="earliest",
            fetch_wait_max_ms=500,
            max_partition_fetch_bytes=_FETCH_BYTES,
            queued_max_messages_kbytes=_QUEUE_KBYTES,
        )
        self._consumer.assign(self._places(AdminConnection(self._kafka), at_end=True))
        self._thread.start()
        self._looking.start()

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._consumer is not None:
            self._consumer.close()

    def _places(self, connection: AdminConnection, *, at_end: bool) -> list[TopicPartition]:
        """Partitions that are not read yet; those found later are read from their beginning."""
        places = []
        for topic, partitions in topic_offsets(connection, self._topics).items():
            for partition, at in partitions.items():
                if at.end >= 0 and (topic, partition) not in self._reading:
                    places.append(TopicPartition(topic, partition, at.end if at_end else at.oldest))
                    self._reading.add((topic, partition))
        return places

    def _run(self) -> None:
        assert self._consumer is not None
        try:
            while not self._stop.is_set():
                self._take_up()
                message = self._consumer.poll(_POLL_S)
                if message is None:
                    continue
                # The rest of what is there; asking for it all at once would wait until it is so much.
                batch = [message, *self._consumer.consume(_BATCH, 0)]
                ours = [each for each in batch if self._is_ours(each)]
                if ours:
                    self._deliver(ours)
        except Exception as error:
            log.exception("replies can no longer be read")
            self._failed(f"replies can no longer be read: {error}")

    def _take_up(self) -> None:
        """Read partitions that have been added."""
        with contextlib.suppress(queue.Empty):
            added = self._added.get_nowait()
            assert self._consumer is not None
            self._consumer.incremental_assign(added)
            log.info("replies come on more partitions now: %s", ", ".join(f"{at.topic}/{at.partition}" for at in added))

    def _look(self) -> None:
        connection = AdminConnection(self._kafka)
        while not self._stop.wait(_LOOK_S):
            try:
                added = self._places(connection, at_end=False)
            except FramelaneError as error:
                log.debug("the partitions of replies cannot be asked for: %s", error)
                continue
            if added:
                self._added.put(added)

    def _is_ours(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return message.key() in self._keys
        # librdkafka mends what can be mended by itself, and asks for a group whose rights nobody needs here.
        if error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED and error.str() != self._trouble:
            self._trouble = error.str()
            log.warning("replies cannot be read from %s: %s", self._kafka.bootstrap, error.str())
        return False
