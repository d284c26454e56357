"""subscribe(): the frames of a topic, each once, in order for each camera."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka import KafkaError as ClientError

from consumers.assignment import Assignment, Grouped, Watching
from consumers.failures import Failures, permanent
from consumers.horizon import Horizon
from consumers.intake import Intake
from consumers.offsets import ends_of
from consumers.settings import SubscriptionSettings, client_config
from consumers.tally import CameraSums
from streams.contract.camera_globs import CameraGlobs
from streams.contract.errors import KafkaError, SettingError
from streams.contract.frame import Frame
from streams.contract.kafka_settings import KafkaSettings, load_kafka_settings
from streams.contract.signals import signals_held_back
from streams.contract.times import parse_time, to_ns
from streams.contract.topics import PROCESSED

_log = logging.getLogger(__name__)
# Python hears Ctrl-C between calls of the client only.
_SLICE_S = 0.1
# The client's own waiting for a commit has no limit that Ctrl-C would live with.
_CONFIRM_S = 10.0
_CLOSE_S = 5.0
_ASK_S = 1.0
Time = datetime | int | str


def subscribe(
    topic: str = PROCESSED,
    *,
    bootstrap: str | None = None,
    kafka: KafkaSettings | None = None,
    cameras: Sequence[str] | None = None,
    group: str | None = None,
    since: Time | None = None,
    until: Time | None = None,
) -> "Subscription":
    """Frames of a topic: iterate over what is returned.

    bootstrap, kafka: how to reach the broker; the first overrides the second. Neither: as the environment says.
    cameras: globs such as `["gate-*", "!gate-9"]`; none is all of them.
    group: none just watches, from now on or from `since`. A group resumes where it left off; a new one begins at
    `since`, or with the oldest frame that there is.
    since, until: a datetime with a zone, ns since 1970, or a text such as "-10m"; the second ends the iteration.

    Waits for a broker that is away. Raises SettingError, TopicMissing, or KafkaError for what waiting does not mend.
    """
    settings = kafka or load_kafka_settings(bootstrap=bootstrap)
    if bootstrap:
        settings = settings.model_copy(update={"bootstrap": bootstrap})
    now_ns = time.time_ns()
    return Subscription(
        SubscriptionSettings(
            kafka=settings,
            topic=topic,
            cameras=CameraGlobs.of(cameras),
            group=group,
            since_ns=_at_ns(since, now_ns=now_ns),
            until_ns=_at_ns(until, now_ns=now_ns),
        )
    )


def _at_ns(at: Time | None, *, now_ns: int) -> int | None:
    if isinstance(at, str):
        return parse_time(at, now_ns=now_ns)
    return to_ns(at) if isinstance(at, datetime) else at


class Subscription:
    """An iterator of frames, for one thread; close it, or use it with `with`.

    At-least-once: asking for the next frame acknowledges the one before, so a frame in whose midst the program dies
    comes again. What has been seen is dropped: each identity comes once while this object lives (see `consumers.seen`
    for the bounds). A record that is no frame is counted in `refused` and skipped.
    """

    def __init__(self, settings: SubscriptionSettings, *, clock: Callable[[], int] = time.time_ns) -> None:
        """Connect and settle where to begin; raises as `subscribe` does. clock: ns since 1970."""
        self.settings = settings
        self._clock = clock
        self._failures = Failures(settings)
        self._horizon = Horizon(settings.until_ns) if settings.until_ns is not None else None
        self._intake = Intake(settings, horizon=self._horizon)
        self._in_hand: Message | None = None
        self._places: dict[int, int] = {}
        self._closed = False
        self._consumer = _connect(settings, self._failures)
        way = Grouped if settings.group is not None else Watching
        self._assignment: Assignment = way(self._consumer, settings, failures=self._failures, horizon=self._horizon)
        try:
            self._assignment.start()
        except BaseException:
            self.close()
            raise

    @property
    def sums(self) -> Mapping[str, CameraSums]:
        """What has come so far, by camera_id: frames, duplicates dropped, frames missing."""
        return self._intake.tally.cameras

    @property
    def refused(self) -> Mapping[str, int]:
        """Records that were no frames, by reason."""
        return self._intake.tally.refused

    @property
    def ended(self) -> bool:
        """Whether no frame will come any more: `until` is passed, or it was closed."""
        return self._closed or (self._horizon is not None and self._horizon.reached)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        while not self.ended:
            frame = self.poll(1.0)
            if frame is not None:
                return frame
        self._acknowledge()
        self.close()
        raise StopIteration

    def poll(self, timeout_s: float) -> Frame | None:
        """The next frame, or None when none has come within that time (or none will: see `ended`).

        Acknowledges the frame before. Raises KafkaError for what waiting does not mend.
        """
        self._acknowledge()
        deadline = time.monotonic() + timeout_s
        while not self.ended:
            self._failures.check()
            self._assignment.refresh()
            message = self._consumer.poll(min(_SLICE_S, max(0.0, deadline - time.monotonic())))
            frame = self._take(message) if message is not None else None
            if frame is not None:
                self._in_hand = message
                return frame
            self._find_ends()
            if time.monotonic() >= deadline:
                break
        return None

    def commit(self, *, wait: bool = False) -> None:
        """Write the group's place: all that was handed out, the frame in hand included, is done with.

        wait: until the broker has it, and KafkaError when it has not within ten seconds; else it is sent in passing,
        and a failure is mended by the next commit.
        """
        self._acknowledge()
        give_up = time.monotonic() + _CONFIRM_S
        while True:
            self._send_places()
            if not wait or self._has_places():
                return
            self._failures.check()
            if time.monotonic() > give_up:
                raise KafkaError(
                    f"group {self.settings.group!r}: its place on topic {self.settings.topic!r} cannot be written at "
                    f"{self.settings.kafka.bootstrap}; the frames since it was last written will come again"
                )

    def close(self) -> None:
        """Leave; a group's place is written, without the frame in hand. Closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        self._in_hand = None
        # With a commit on its way the client waits for ever for a broker that is away (librdkafka#3740).
        closing = threading.Thread(target=self._consumer.close, name="close subscription", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)
        if closing.is_alive():
            where = self.settings.kafka.bootstrap
            _log.warning("topic %s: left without a word to the broker at %s, which is away", self.settings.topic, where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, message: Message) -> Frame | None:
        if (error := message.error()) is not None:
            self._note(error, message)
            return None
        frame = self._intake.read(message)
        if self._horizon and self._intake.passed:
            self._consumer.pause([_place(message)])
        if frame is None:
            self._store(message)
        return frame

    def _note(self, error: ClientError, message: Message) -> None:
        # Only some errors have a place: one about the group has none.
        if error.code() == ClientError._PARTITION_EOF and self._horizon:
            at = _place(message)
            self._horizon.note(at.partition, next_offset=at.offset)
        elif found := permanent(error, self.settings):
            raise found
        else:
            self._failures.note(error)

    def _acknowledge(self) -> None:
        message, self._in_hand = self._in_hand, None
        if message is not None:
            self._store(message)

    def _store(self, message: Message) -> None:
        if self.settings.group is None or (self._horizon and self._horizon.is_beyond(_place(message).partition)):
            return
        try:
            self._consumer.store_offsets(message=message)
            at = _place(message)
            self._places[at.partition] = at.offset + 1
        except KafkaException as error:
            # The partition was taken away in the meantime: whoever has it now reads the frame again.
            if error.args[0].code() != ClientError._STATE:
                self._failures.note(error.args[0])

    def _send_places(self) -> None:
        try:
            self._consumer.commit(asynchronous=True)
        except KafkaException as error:
            if error.args[0].code() != ClientError._NO_OFFSET:
                self._failures.note(error.args[0])

    def _has_places(self) -> bool:
        """Whether the broker has the group's place on all that is assigned to us."""
        assigned = {each.partition for each in self._consumer.assignment()}
        wanted = {partition: at for partition, at in self._places.items() if partition in assigned}
        if not wanted:
            return True
        asked = [TopicPartition(self.settings.topic, partition) for partition in wanted]
        try:
            found = self._consumer.committed(asked, timeout=_ASK_S)
        except KafkaException as error:
            self._failures.note(error.args[0])
            return False
        return all(each.error is None and each.offset >= wanted[each.partition] for each in found)

    def _find_ends(self) -> None:
        partitions = self._horizon.unbounded(now_ns=self._clock()) if self._horizon else []
        if not (self._horizon and partitions):
            return
        try:
            self._horizon.bound(ends_of(self._consumer, self.settings.topic, partitions, timeout_s=1.0))
        except KafkaException as error:
            self._failures.note(error.args[0])


def _connect(settings: SubscriptionSettings, failures: Failures) -> Consumer:
    try:
        with signals_held_back():
            return Consumer(client_config(settings) | {"error_cb": failures.note})
    except (KafkaException, TypeError, ValueError) as error:
        # A file that is no certificate, or a [kafka.librdkafka] key that does not exist, is found here.
        raise SettingError(f"kafka: the client refuses its settings: {error}") from error


def _place(message: Message) -> TopicPartition:
    topic, partition = message.topic(), message.partition()
    assert topic is not None and partition is not None
    return TopicPartition(topic, partition, message.offset() or 0)
