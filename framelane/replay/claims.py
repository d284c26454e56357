"""Which partitions of a run this process has: the broker shares them out among the processes of its group."""

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.failures import Failures
from consumers.settings import SubscriptionSettings
from framelane.replay.settings import Replay
from streams.contract.client_log import ClientLog
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.signals import signals_held_back

_MEMBER = {
    # Partitions that stay go on undisturbed when a process comes or goes.
    "partition.assignment.strategy": "cooperative-sticky",
    "group.protocol": "classic",
    # A killed process is missed after that; brokers take nothing shorter unless told so.
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_000,
    # How long a rebalance waits for one that does not answer.
    "max.poll.interval.ms": 45_000,
    "enable.auto.commit": False,
    "log.connection.close": False,
}


class Claims:
    """A member of the run's group, that reads nothing and commits nothing; a context manager.

    taken, given_up: called from within `poll` with the partitions that come and go; what goes may be another process's
    as soon as `given_up` returns.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        replay: Replay,
        *,
        taken: Callable[[Collection[int]], None],
        given_up: Callable[[Collection[int]], None],
    ) -> None:
        self._topic, self._taken, self._given_up = replay.pipeline.input, taken, given_up
        self._failures = Failures(SubscriptionSettings(kafka=kafka, topic=self._topic, group=replay.group))
        config = kafka.for_confluent() | _MEMBER | {"group.id": replay.group, "error_cb": self._failures.note}
        try:
            with signals_held_back():
                self._consumer = Consumer(config | {"logger": ClientLog(quiet=True)})
        except (KafkaException, TypeError, ValueError) as error:
            raise SettingError(f"kafka: the client refuses its settings: {error}") from error
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        # Leaves at once, so that the others need not wait for the session's end.
        self._consumer.close()

    def poll(self, timeout_s: float) -> None:
        """Take part in the group. Raises KafkaError for what waiting does not mend."""
        message = self._consumer.poll(timeout_s)
        if message is not None and (error := message.error()) is not None:
            self._failures.note(error)
        self._failures.check()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        if partitions:
            # Each is read by a client of its own.
            consumer.pause(partitions)
        self._taken([each.partition for each in partitions])

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._given_up([each.partition for each in partitions])
        consumer.incremental_unassign(partitions)
