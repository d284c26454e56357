"""What there is to be marked on a span of time: events and dead letters of a camera, a bounded number of them."""

from collections.abc import Iterable, Iterator

import msgspec

from consumers.dead_letters import to_dead_letter
from consumers.lookup.places import Offsets
from consumers.view.past.problems import OutOfTime
from consumers.view.past.reader import TopicReader
from streams.contract.errors import TopicMissing
from streams.contract.events import EventRecord, decode_event
from streams.contract.headers import Record
from streams.contract.partitioner import partition_of

MOST_BINS = 200
MOST_EVENTS = 1000
# More records than that are not all read: some of each stretch of time stand for it.
_ALL = 10_000
_SAMPLES, _SAMPLE = 40, 100
_MS = 1_000_000


class Mark(msgspec.Struct, kw_only=True):
    """Events or dead letters of one sort that lie close together.

    kind: "event" or "dead_letter". name: the event's type, or the letter's reason. at_ns: ns since 1970, of the first
    one's frame; to_ms: ms since 1970, of the last one's. epoch, sequence: of the first one's frame; "" where it has
    none. text: of the first one. count: how many.
    """

    kind: str
    name: str
    at_ns: str
    at_ms: float
    to_ms: float
    epoch: str
    sequence: int
    text: str
    count: int = 1


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Marks by time. complete: nothing was left out; where it is not, counts are of what was looked at."""

    marks: list[Mark]
    complete: bool


def marks_of(
    events: TopicReader, letters: TopicReader, camera: str, from_ns: int, to_ns: int, *, bins: int = MOST_BINS
) -> Marks:
    """The marks of a camera from a time up to another one, in ns since 1970; those of each bin come together."""
    width = max(1, (to_ns - from_ns) // bins)
    met: dict[tuple[int, str, str], Mark] = {}
    complete = True
    try:
        for reader, to_mark in ((events, _event_mark), (letters, _letter_mark)):
            records, all_of_them = _sampled(reader, camera, from_ns, to_ns)
            complete = complete and all_of_them
            for record in records:
                mark = to_mark(record)
                if mark is None or not from_ns <= int(mark.at_ns) <= to_ns:
                    continue
                key = ((int(mark.at_ns) - from_ns) // width, mark.kind, mark.name)
                first = met.setdefault(key, mark)
                if first is not mark:
                    first.count += 1
                    first.to_ms = max(first.to_ms, mark.to_ms)
    except OutOfTime:
        complete = False
    return Marks(marks=sorted(met.values(), key=lambda mark: mark.at_ms), complete=complete)


def events_of(reader: TopicReader, camera: str, from_ns: int, to_ns: int) -> list[EventRecord]:
    """The events of a camera in a short span of time, at most 1000."""
    partition, bounds = _home(reader, camera)
    start = reader.offsets_at({partition: bounds}, from_ns // _MS)[partition]
    some: list[EventRecord] = []
    for record in reader.forward(partition, start, bounds.end, camera.encode()):
        event = _event(record)
        if record.timestamp_ms > to_ns // _MS or len(some) >= MOST_EVENTS:
            break
        if event is not None and from_ns <= event.captured_at_ns <= to_ns:
            some.append(event)
    return some


def _sampled(reader: TopicReader, camera: str, from_ns: int, to_ns: int) -> tuple[Iterable[Record], bool]:
    """The records of that time, or some of each stretch of it; and whether it is all of them."""
    try:
        partition, bounds = _home(reader, camera)
    except TopicMissing:
        return (), True
    ends = {partition: bounds}
    start = reader.offsets_at(ends, from_ns // _MS)[partition]
    end = reader.offsets_at(ends, to_ns // _MS + 1)[partition]
    # A letter is written some time after its frame was taken.
    end = min(bounds.end, end + _SAMPLE)
    key = camera.encode()
    if end - start <= _ALL:
        return reader.forward(partition, start, end, key), True
    step = (end - start) // _SAMPLES
    return _samples(reader, partition, range(start, end, step), key), False


def _samples(reader: TopicReader, partition: int, starts: range, key: bytes) -> Iterator[Record]:
    for start in starts:
        yield from reader.forward(partition, start, min(start + _SAMPLE, starts.stop), key)


def _home(reader: TopicReader, camera: str) -> tuple[int, Offsets]:
    offsets = reader.offsets()
    partition = partition_of(camera.encode(), len(offsets))
    return partition, offsets[partition]


def _event(record: Record) -> EventRecord | None:
    try:
        return decode_event(record.value or b"")
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def _event_mark(record: Record) -> Mark | None:
    event = _event(record)
    if event is None:
        return None
    at_ms = event.captured_at_ns / _MS
    return Mark(
        kind="event",
        name=event.type,
        at_ns=str(event.captured_at_ns),
        at_ms=at_ms,
        to_ms=at_ms,
        epoch=event.epoch,
        sequence=event.sequence,
        text=f"{event.type} by {event.pipeline.partition('@')[0]}",
    )


def _letter_mark(record: Record) -> Mark | None:
    letter = to_dead_letter(record)
    if letter is None:
        return None
    _, _, rest = letter.name.partition("/")
    epoch, _, number = rest.rpartition("/")
    at_ms = letter.captured_at_ns / _MS
    return Mark(
        kind="dead_letter",
        name=letter.reason,
        at_ns=str(letter.captured_at_ns),
        at_ms=at_ms,
        to_ms=at_ms,
        epoch=epoch,
        sequence=int(number) if number.isdecimal() else 0,
        text=f"{letter.stage}: {letter.error}"[:300],
    )
