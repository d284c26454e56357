"""Reading what a partition held before a position, in a thread of its own, with as little of it in memory as will do.

First a sample of the records just before the position tells how far back the frames of its cameras reach; then those
are read in order. When there is no time for all, the oldest are jumped over.
"""

import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from streams.contract.client_log import ClientLog
from streams.contract.errors import FrameError, FramelaneError
from streams.contract.headers import Record, camera_of
from streams.contract.kafka_settings import KafkaSettings
from streams.contract.records import to_record
from streams.contract.redrive import redriven_for
from streams.contract.topics import MIB
from streams.lanes import Partition
from streams.pace import Speed
from streams.sample import Sample

log = logging.getLogger(__name__)

# The sample ends with either.
SAMPLE_RECORDS = 50
SAMPLE_BYTES = 4 * MIB
POLL_S = 0.05
_QUEUE_BYTES = 8 * MIB

_CONSUMER: dict[str, str | int | float | bool] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    # What retention has deleted is not missed.
    "auto.offset.reset": "earliest",
    "fetch.message.max.bytes": 4 * MIB,
    "fetch.max.bytes": _QUEUE_BYTES,
    "queued.max.messages.kbytes": _QUEUE_BYTES // 1024,
    # By default a full queue stops fetching for a whole second.
    "fetch.queue.backoff.ms": 5,
    "log.connection.close": False,
}


class Reader(Protocol):
    """Who reads a span. Called in the thread that reads; `over` may be set by any: nothing more is wanted."""

    over: bool

    def wants(self, camera: str) -> bool:
        """Whether frames of this camera are wanted at all."""

    def takes(self, camera: str, coming: int) -> bool:
        """Whether this frame is to be read. coming: how many frames come still, this one included, about."""

    def read(self, record: Record, camera: str) -> None:
        """A frame that was taken, in the order of the offsets; may wait."""

    def ended(self) -> None:
        """There is no more, or it cannot be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """What is to be read: up to `memory_frames` of each camera before the offset `end`.

    deadline: when it is too late, by time.monotonic().
    """

    reader: Reader
    partition: Partition
    end: int
    memory_frames: int
    deadline: float


class HistoryReader:
    """Reads spans for as long as there are any; between them it has neither thread nor connection.

    group: the worker's own, which it may read by; it is not joined, and nothing is committed.
    """

    def __init__(self, kafka: KafkaSettings, *, group: str) -> None:
        self._kafka, self._group = kafka, group
        self._lock = threading.Lock()
        self._asked: list[Span] = []
        self._running = False

    def read(self, span: Span) -> None:
        """Have a span read; its reader is told."""
        with self._lock:
            self._asked.append(span)
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name="history", daemon=True).start()

    def _run(self) -> None:
        try:
            settings = self._kafka.for_confluent(**_CONSUMER, **{"group.id": self._group})
            consumer = Consumer(settings | {"logger": ClientLog(quiet=True)})
        except (KafkaException, FramelaneError) as error:
            log.warning("memories begin afresh, for the frames before cannot be read: %s", error)
            while asked := self._next(go_on=False):
                for span in asked:
                    span.reader.ended()
            return
        reading = _Reading(consumer)
        while (asked := self._next(go_on=reading.spans > 0)) or reading.spans:
            for span in asked:
                reading.begin(span)
            reading.step()
        consumer.close()

    def _next(self, *, go_on: bool) -> list[Span]:
        """What was asked for meanwhile."""
        with self._lock:
            asked, self._asked = self._asked, []
            self._running = go_on or bool(asked)
            return asked


@dataclass(slots=True, eq=False)
class _Place:
    """How far a span is read. offset: the next one; sampled: whether the sample is taken."""

    span: Span
    sample: Sample = field(default_factory=Sample)
    offset: int = 0
    sampled: bool = False

    @property
    def records(self) -> int:
        """How many are to be read still."""
        return self.span.end - self.offset

    def at(self, offset: int) -> TopicPartition:
        """For the client: go on from there."""
        self.offset = max(0, offset)
        return TopicPartition(*self.span.partition, self.offset)


class _Reading:
    """Spans that are read at the same time, over one connection."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._places: dict[Partition, _Place] = {}
        self._speed = Speed()

    @property
    def spans(self) -> int:
        """How many are not at their end."""
        return len(self._places)

    def begin(self, span: Span) -> None:
        """Read one more span."""
        before = self._places.get(span.partition)
        if before is not None:
            self._end(before)
        place = self._places[span.partition] = _Place(span)
        self._consumer.incremental_assign([place.at(span.end - SAMPLE_RECORDS)])

    def step(self) -> None:
        """Read one record, or wait a moment for it; let go of what nobody wants any more."""
        now = time.monotonic()
        for place in list(self._places.values()):
            if place.span.reader.over or now > place.span.deadline:
                self._end(place)
        message = self._consumer.poll(POLL_S)
        if message is None or message.topic() is None:
            return
        found = self._places.get(Partition(str(message.topic()), message.partition() or 0))
        if found is not None:
            self._take(found, message)

    def _take(self, place: _Place, message: Message) -> None:
        if message.error() is not None:
            # Such as a topic that was deleted; a broker that is away is not told so, and waited for.
            log.debug("%s cannot be read on: %s", place.span.partition, message.error())
            self._end(place)
        elif not place.sampled:
            self._sample(place, message)
        else:
            self._read(place, message)

    def _sample(self, place: _Place, message: Message) -> None:
        span, offset, sample = place.span, message.offset() or 0, place.sample
        if offset < span.end:
            camera = _camera(message)
            sample.add(camera if camera and span.reader.wants(camera) else None, size=len(message.value() or b""))
        if offset < span.end - 1 and sample.size < SAMPLE_BYTES:
            return
        place.sampled = True
        records = sample.span(span.memory_frames)
        if records:
            self._consumer.seek(place.at(span.end - records))
        else:
            self._end(place)

    def _read(self, place: _Place, message: Message) -> None:
        # Also where the topic's oldest record lies beyond what was asked for.
        place.offset = message.offset() or 0
        began = time.monotonic()
        if place.records > 0:
            self._offer(place, message)
        self._speed.read(waited=time.monotonic() - began)
        place.offset += 1
        if place.records <= 0:
            self._end(place)
        else:
            self._keep_time()

    def _offer(self, place: _Place, message: Message) -> None:
        reader, records, memory = place.span.reader, place.records, place.span.memory_frames
        camera = _camera(message)
        if camera is None or not place.sample.in_reach(camera, records=records, memory_frames=memory):
            return
        if reader.wants(camera) and reader.takes(camera, place.sample.coming(records=records, memory_frames=memory)):
            # Headers that cannot be read: a dead letter when it was its turn.
            with contextlib.suppress(FrameError):
                record = to_record(message)
                # A redriven frame lies out of its order, and is no part of what was seen just before.
                if redriven_for(record.headers) is None:
                    reader.read(record, camera)

    def _keep_time(self) -> None:
        """Jump over the oldest records where there are more than can be read in time."""
        places = [place for place in self._places.values() if place.sampled]
        coming, now = sum(place.records for place in places), time.monotonic()
        reach = self._speed.reach(min(place.span.deadline for place in places) - now)
        if reach is None or reach >= coming:
            return
        for place in places:
            kept = max(0, place.records * reach // coming)
            self._consumer.seek(place.at(place.span.end - kept))

    def _end(self, place: _Place) -> None:
        if self._places.get(place.span.partition) is place:
            del self._places[place.span.partition]
            self._consumer.incremental_unassign([TopicPartition(*place.span.partition)])
            place.span.reader.ended()


def _camera(message: Message) -> str | None:
    """The camera that a record's key names, if it does."""
    try:
        return camera_of(Record("", 0, 0, 0, message.key(), None, ()))  # type: ignore[arg-type,unused-ignore]
    except FrameError:
        return None
