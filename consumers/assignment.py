"""Which partitions are read, and from where: all of them, or a consumer group's share."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.failures import Failures
from consumers.horizon import Horizon
from consumers.offsets import partitions_of, starts_at
from consumers.places import GroupPlaces
from consumers.settings import SubscriptionSettings
from streams.contract.errors import TopicMissing

_log = logging.getLogger(__name__)
_REFRESH_S = 30.0
_LOOKUPS = 6


class Assignment(Protocol):
    """How a subscription comes by its partitions."""

    def start(self) -> None:
        """Called once before anything is read; waits for a broker that is away, raises KafkaError for the rest."""

    def refresh(self, now: float) -> None:
        """Called between reads; must return at once most of the time. now: of the monotonic clock."""


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

    def refresh(self, now: float) -> None:
        """Look twice a minute for partitions that were added: a camera may have moved to one."""
        if now < self._refresh_at:
            return
        self._refresh_at = now + _REFRESH_S
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
    """The group's share of the partitions, each from where the group left off.

    before_revoke: called before partitions are given away, so that what was handed out can be done with. after_revoke:
    called with the partitions that are gone.
    """

    def __init__(
        self,
        consumer: Consumer,
        settings: SubscriptionSettings,
        *,
        failures: Failures,
        horizon: Horizon | None,
        places: GroupPlaces,
        before_revoke: Callable[[], None],
        after_revoke: Callable[[set[int]], None],
        incremental: bool,
    ) -> None:
        self._consumer, self._settings = consumer, settings
        self._failures, self._horizon, self._places = failures, horizon, places
        self._before_revoke, self._after_revoke = before_revoke, after_revoke
        self._incremental = incremental

    def start(self) -> None:
        """Join the group; the partitions come later, from within a poll."""
        self._failures.patiently(self._exists, serve=lambda: self._consumer.poll(0))
        self._consumer.subscribe(
            [self._settings.topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def refresh(self, now: float) -> None:
        """Nothing to do: the group's coordinator sees partitions that are added."""

    def _exists(self, timeout_s: float) -> list[int]:
        return partitions_of(self._consumer, self._settings, timeout_s=timeout_s)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        assign = consumer.incremental_assign if self._incremental else consumer.assign
        assign(self._starts([each.partition for each in partitions]) if partitions else [])
        if self._horizon:
            self._horizon.assign(each.partition for each in partitions)

    def _starts(self, partitions: list[int]) -> list[TopicPartition]:
        for _ in range(_LOOKUPS):
            try:
                return self._places.assigned(partitions)
            except KafkaException as error:
                self._failures.note(error.args[0])
                _log.warning("group %s: its places cannot be looked up: %s", self._settings.group, error)
        # The client finds the places by itself in time; what was seen before is not known then.
        return [TopicPartition(self._settings.topic, each) for each in partitions]

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {each.partition for each in partitions}
        if gone:
            self._before_revoke()
        self._places.revoked(gone)
        self._forget(gone)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {each.partition for each in partitions}
        self._places.lost(gone)
        # Too late for their places; but what was handed out is not handed out again if they come back, so it must
        # not wait for a later moment to be made safe.
        if gone:
            self._before_revoke()
        self._forget(gone)

    def _forget(self, gone: set[int]) -> None:
        if self._horizon:
            self._horizon.revoke(gone)
        self._after_revoke(gone)
