"""Which partitions are read, and from where: all of them, or a consumer group's share."""

import logging
import time
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.failures import Failures
from consumers.horizon import Horizon
from consumers.offsets import partitions_of, starts_at
from consumers.settings import SubscriptionSettings
from streams.contract.errors import TopicMissing

_log = logging.getLogger(__name__)
_REFRESH_S = 30.0
_LOOKUP_S = 5.0


class Assignment(Protocol):
    """How a subscription comes by its partitions."""

    def start(self) -> None:
        """Called once before anything is read; waits for a broker that is away, raises KafkaError for the rest."""

    def refresh(self) -> None:
        """Called between reads; must return at once most of the time."""


class Watching:
    """Every partition of the topic, without a group: nothing is committed, and no other reader is affected."""

    def __init__(
        self, consumer: Consumer, settings: SubscriptionSettings, *, failures: Failures, horizon: Horizon | None
    ) -> None:
        self._consumer, self._settings = consumer, settings
        self._failures, self._horizon = failures, horizon
        self._partitions: set[int] = set()
        self._refresh_at = time.monotonic() + _REFRESH_S

    def start(self) -> None:
        """Take all partitions from `since`, or from their ends as of now."""
        starts = self._failures.patiently(self._starts, serve=lambda: self._consumer.poll(0))
        self._consumer.assign(starts)
        self._add(starts)

    def refresh(self) -> None:
        """Look twice a minute for partitions that were added: a camera may have moved to one."""
        if time.monotonic() < self._refresh_at:
            return
        self._refresh_at = time.monotonic() + _REFRESH_S
        try:
            found = partitions_of(self._consumer, self._settings, timeout_s=1.0)
        except KafkaException as error:
            self._failures.note(error.args[0])
            return
        except TopicMissing:
            # It was there at the start, so it is waited for.
            return
        added = [TopicPartition(self._settings.topic, each, 0) for each in found if each not in self._partitions]
        if added:
            self._consumer.incremental_assign(added)
            self._add(added)

    def _starts(self, timeout_s: float) -> list[TopicPartition]:
        topic, since_ns = self._settings.topic, self._settings.since_ns
        partitions = partitions_of(self._consumer, self._settings, timeout_s=timeout_s)
        return starts_at(self._consumer, topic, partitions, since_ns=since_ns, timeout_s=timeout_s)

    def _add(self, starts: list[TopicPartition]) -> None:
        partitions = [each.partition for each in starts]
        self._partitions.update(partitions)
        if self._horizon:
            self._horizon.assign(partitions)


class Grouped:
    """The group's share of the partitions, each from where the group left off."""

    def __init__(
        self, consumer: Consumer, settings: SubscriptionSettings, *, failures: Failures, horizon: Horizon | None
    ) -> None:
        self._consumer, self._settings = consumer, settings
        self._failures, self._horizon = failures, horizon

    def start(self) -> None:
        """Join the group; the partitions come later, from within a poll."""
        self._failures.patiently(self._exists, serve=lambda: self._consumer.poll(0))
        self._consumer.subscribe(
            [self._settings.topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def refresh(self) -> None:
        """Nothing to do: the group's coordinator sees partitions that are added."""

    def _exists(self, timeout_s: float) -> list[int]:
        return partitions_of(self._consumer, self._settings, timeout_s=timeout_s)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._settings.since_ns is not None and partitions:
            try:
                consumer.assign(self._with_starts(partitions))
            except KafkaException as error:
                # The client then assigns them itself: from the committed place, or else from the beginning.
                _log.warning("group %s: its places cannot be looked up: %s", self._settings.group, error)
        if self._horizon:
            self._horizon.assign(each.partition for each in partitions)

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if self._horizon:
            self._horizon.revoke(each.partition for each in partitions)

    def _with_starts(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """`since` for the partitions where the group has no place yet."""
        committed = self._consumer.committed(partitions, timeout=_LOOKUP_S)
        for each in committed:
            if each.error is not None:
                raise KafkaException(each.error)
        fresh = [each.partition for each in committed if each.offset < 0]
        topic, since_ns = self._settings.topic, self._settings.since_ns
        starts = starts_at(self._consumer, topic, fresh, since_ns=since_ns, timeout_s=_LOOKUP_S)
        return [each for each in committed if each.offset >= 0] + starts
