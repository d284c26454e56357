"""What subscriptions to frames and to events have in common."""

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Generic, Self, TypeVar

from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException, Message

from consumers.assignment import Assignment, Grouped, Watching
from consumers.client import leave, open_client, place_of
from consumers.failures import Failures, knows_no_new_groups, permanent
from consumers.horizon import Horizon
from consumers.intake import Intake
from consumers.newest import Fetched, Newest
from consumers.offsets import ends_of
from consumers.places import GroupPlaces
from consumers.progress import Progress
from consumers.received import Receipt, ReceivedEvent, ReceivedFrame
from consumers.settings import SubscriptionSettings, assigns_incrementally, first_protocol
from consumers.tally import CameraSums
from streams.contract.errors import SettingError

_log = logging.getLogger(__name__)
# Python hears Ctrl-C between calls of the client only.
_SLICE_S = 0.1
_SERVE_S = 0.02
T = TypeVar("T", bound=ReceivedFrame | ReceivedEvent)


class BaseSubscription(Generic[T]):
    """An iterator for one thread; close it (any thread may), or use it with `with`.

    At-least-once: asking for the next acknowledges the one before (`ack="next"`), so what a program has in hand when
    it dies comes again, marked `redelivered`; what was done with does not. What has been seen is dropped: each identity
    comes once while this object lives (see `consumers.seen` for the bounds), and a group that resumes reads the last of
    what it had done with again to know it. A record that is not what it should be is counted in `refused` and skipped.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        before_revoke: Callable[[], None] | None = None,
        clock: Callable[[], int] = time.time_ns,
        ended: threading.Event | None = None,
    ) -> None:
        """Connect and settle where to begin; raises as `subscribe` does. clock: ns since 1970.

        before_revoke: called from within `poll`, before partitions are given to another member of the group: the last
        moment to be done with what was handed out. Also when they were lost, and it is too late for that. ended: once
        it is set, nobody waits for the broker any more.
        """
        self.settings = settings
        self._clock, self._before_revoke = clock, before_revoke
        self._failures = Failures(settings, ended=ended)
        self._horizon = Horizon(settings.until_ns) if settings.until_ns is not None else None
        self._intake = self._make_intake()
        self._newest = Newest(self._intake.tally, settings.cameras) if settings.freshest else None
        self._kept: Fetched | None = None
        self._rests = False
        self._in_hand: Receipt | None = None
        self._using = threading.RLock()
        self._closed = False
        self._connect(first_protocol(settings))

    @property
    def sums(self) -> Mapping[str, CameraSums]:
        """What has come so far, by camera_id: frames, duplicates dropped, frames missing."""
        return self._intake.tally.cameras

    @property
    def refused(self) -> Mapping[str, int]:
        """Records that were not what they should be, by reason."""
        return self._intake.tally.refused

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more: `until` is passed, or it was closed."""
        passed = self._horizon is not None and self._horizon.reached and not self._newest and self._kept is None
        return self._closed or passed

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            while not self.ended:
                item = self.poll(1.0)
                if item is not None:
                    return item
            self._acknowledge()
        except BaseException:
            # Ctrl-C, too: the group's place is written, and its partitions go to others at once.
            self.close()
            raise
        self.close()
        raise StopIteration

    def poll(self, timeout_s: float) -> T | None:
        """The next one, or None when none has come within that time (or none will: see `ended`).

        Acknowledges the one before. Raises KafkaError for what waiting does not mend.
        """
        with self._using:
            self._acknowledge()
            deadline = time.monotonic() + timeout_s
            while not self.ended:
                self._failures.check()
                now = time.monotonic()
                self._assignment.refresh(now)
                if self._places:
                    self._places.write_in_passing(now)
                fetched = self._fetch(min(_SLICE_S, max(0.0, deadline - now)))
                item = self._take(fetched) if fetched is not None else None
                if item is not None:
                    return item
                self._find_ends()
                if time.monotonic() >= deadline:
                    break
            return None

    def rest(self, timeout_s: float) -> None:
        """Hand nothing out for so long, and stay in the group: for whoever cannot take more just now. Raises as `poll`.

        What is fetched already is dropped and fetched again by the next `poll`.
        """
        with self._using:
            self._acknowledge()
            self._failures.check()
            if self._places:
                self._places.write_in_passing(time.monotonic())
            self._serve(timeout_s)

    def commit(self, *, wait: bool = False) -> None:
        """Write the group's place: with `ack="next"` all that was handed out is done with, the one in hand included.

        wait: until the broker has it, and KafkaError when it has not within ten seconds; else it is sent in passing,
        and a failure is mended by the next commit.
        """
        with self._using:
            self._acknowledge()
            if self._places and wait:
                self._places.write_and_wait()
            elif self._places:
                self._places.write()

    def close(self) -> None:
        """Leave; a group's place is written, without what is in hand. Closing twice is fine."""
        self._closed = True
        self._failures.ended.set()
        with self._using:
            self._in_hand = self._kept = None
            self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _make_intake(self) -> Intake[T]:
        raise NotImplementedError

    def _connect(self, protocol: str) -> None:
        self._protocol = protocol
        grouped = self.settings.group is not None
        self._places = GroupPlaces(self.settings, failures=self._failures) if grouped else None
        self._consumer = consumer = open_client(self.settings, protocol, failures=self._failures, places=self._places)
        self._assignment: Assignment
        if self._places is None:
            self._assignment = Watching(consumer, self.settings, failures=self._failures, horizon=self._horizon)
        else:
            self._places.consumer = consumer
            self._assignment = Grouped(
                consumer,
                self.settings,
                failures=self._failures,
                horizon=self._horizon,
                places=self._places,
                before_revoke=self._give_up,
                after_revoke=self._forget,
                incremental=assigns_incrementally(self.settings, protocol),
            )
        # Runs once, here or when the program ends without having closed it.
        self._leave = weakref.finalize(self, leave, consumer, self._places, self.settings, self._failures)
        try:
            self._assignment.start()
        except BaseException:
            self.close()
            raise

    def _fetch(self, timeout_s: float) -> Fetched | None:
        if self._kept is not None:
            kept, self._kept = self._kept, None
            return kept
        if self._rests:
            self._resume()
        if self._newest is not None:
            return self._newest.fetch(self._consumer, timeout_s, self._progress_of)
        message = self._consumer.poll(timeout_s)
        return None if message is None else (message, self._progress_of(message))

    def _serve(self, timeout_s: float) -> None:
        """Have the client do all but hand out records: its callbacks, above all those of a rebalance."""
        # Each time anew: a rebalance from within brings partitions that do not rest.
        self._consumer.pause(self._consumer.assignment())
        self._rests = True
        message = self._consumer.poll(timeout_s)
        if message is None:
            return
        if (error := message.error()) is not None:
            self._note(error, message)
        elif self._kept is None:
            self._kept = (message, self._progress_of(message))
        else:
            self._consumer.seek(place_of(message))

    def _resume(self) -> None:
        self._rests = False
        passed = self._horizon.has_passed if self._horizon else lambda partition: False
        self._consumer.resume([each for each in self._consumer.assignment() if not passed(each.partition)])

    def _progress_of(self, message: Message) -> Progress | None:
        if self._places is None or message.error() is not None:
            return None
        at = place_of(message)
        return self._places.of(at.partition, at.offset)

    def _take(self, fetched: Fetched) -> T | None:
        message, progress = fetched
        if self._closed:
            # By a handler of signals, from within the client's call.
            return None
        if (error := message.error()) is not None:
            self._note(error, message)
            return None
        offset = message.offset() or 0
        if progress is not None and self._places and offset >= progress.resume:
            if offset >= progress.free_until and not self._places.reserve(progress, offset):
                self._kept = fetched
                # A commit may be refused because of a rebalance that is only told of in a poll.
                self._serve(_SERVE_S)
                return None
            progress.handed()
        item = self._intake.read(message, progress)
        if self._horizon and self._intake.passed:
            self._consumer.pause([place_of(message)])
        if item is not None and self.settings.ack == "next":
            self._in_hand = item.receipt
        return item

    def _note(self, error: ClientError, message: Message) -> None:
        # Only some errors have a place: one about the group has none.
        if error.code() == ClientError._PARTITION_EOF and self._horizon:
            at = place_of(message)
            self._horizon.note(at.partition, next_offset=at.offset)
        elif self._protocol == "consumer" and knows_no_new_groups(error):
            if self.settings.group_protocol == "consumer":
                raise SettingError("group_protocol consumer: the broker has no such groups (KIP-848); take classic")
            _log.info("the broker has no groups of KIP-848: group %s is a classic one", self.settings.group)
            self._before_revoke, before_revoke = None, self._before_revoke
            self._leave()
            self._before_revoke = before_revoke
            self._failures = Failures(self.settings, ended=self._failures.ended)  # The one that was left is mute.
            self._connect("classic")
        elif found := permanent(error, self.settings):
            raise found
        else:
            self._failures.note(error)

    def _acknowledge(self) -> None:
        receipt, self._in_hand = self._in_hand, None
        if receipt is not None:
            receipt.done()

    def _give_up(self) -> None:
        if self._before_revoke and not self._closed:
            self._before_revoke()

    def _forget(self, partitions: set[int]) -> None:
        if self._kept is not None and self._kept[0].partition() in partitions:
            self._kept = None
        if self._newest is not None:
            self._newest.forget(partitions)

    def _find_ends(self) -> None:
        partitions = self._horizon.unbounded(now_ns=self._clock()) if self._horizon else []
        if not (self._horizon and partitions):
            return
        try:
            self._horizon.bound(ends_of(self._consumer, self.settings.topic, partitions, timeout_s=1.0))
        except KafkaException as error:
            self._failures.note(error.args[0])
