"""One frame, found by its name: by the epoch's time, then by bisecting offsets.

A camera's frames lie in the order of their names, among those of others. Each frame of the camera that is met says on
which side of it the wanted one lies, and two of its epoch tell about where.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consumers.lookup.name import FrameName
from consumers.lookup.places import Offsets, Places
from consumers.lookup.sightings import Sighting, Sightings, sighting
from consumers.lookup.spans import Span, Unread, nearest, widest
from streams.contract.headers import Record
from streams.contract.partitioner import partition_of

MOST_ASKED = 40
# A producer may take its frame a moment before it names its epoch.
_SLACK_MS = 1000
# So many fetches without a frame of the camera, and it is looked for elsewhere: at home, and where it hardly lies.
_SILENT_AT_HOME, _SILENT_ELSEWHERE = 15, 3
# After so many in a row the camera is rare among those of its partition, and more is read at a time.
_RARE = 3
# So many fetches go to where the frame lies only when it is out of order, such as one that was sent again.
_OUT_OF_ORDER = 8
_MOST_CAMERAS = 1000


@dataclass(slots=True)
class Search:
    """What came of it. record: the frame's, or None.

    neighbours: the closest before and after of the same epoch that were met. epochs: those of the camera that were met,
    with the highest sequence met. cameras: others that were met. sources: who else published frames of the camera.
    read: records looked at.
    """

    record: Record | None = None
    asked: int = 0
    read: int = 0
    neighbours: tuple[Sighting | None, Sighting | None] = (None, None)
    epochs: dict[str, int] = field(default_factory=dict)
    cameras: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    partitions: list[int] = field(default_factory=list)


def search(reader: Places, wanted: FrameName, *, source: str | None = None) -> Search:
    """Look for a frame, with at most 40 questions to the broker.

    source: who published it (`ce_source`); None takes anybody's. Raises KafkaError when the topic cannot be read.
    """
    found = Search()
    ends = {partition: each for partition, each in reader.offsets().items() if each.oldest < each.end}
    place = wanted.bare_place
    if place is not None and place[0] == reader.topic:
        _at_once(reader, wanted, found, ends.get(place[1]), place[1])
    elif ends:
        _everywhere(reader, wanted, found, ends, source)
    found.asked = reader.asked
    return found


def _at_once(reader: Places, wanted: FrameName, found: Search, offsets: Offsets | None, partition: int) -> None:
    """A bare frame is named by where it lies."""
    found.partitions = [partition]
    if offsets is None or not offsets.oldest <= wanted.sequence < offsets.end:
        return
    for message in reader.fetch(partition, wanted.sequence, wanted.sequence + 1).messages:
        found.read += 1
        met = sighting(message, wanted.camera_id)
        if met and (met.epoch, met.sequence) == (wanted.epoch, wanted.sequence):
            found.record = met.record


def _everywhere(
    reader: Places, wanted: FrameName, found: Search, ends: Mapping[int, Offsets], source: str | None
) -> None:
    began_ms = wanted.began_ms
    starts = reader.offsets_at(ends, began_ms - _SLACK_MS) if began_ms is not None else {}
    for partition in likely_partitions(wanted.camera_id, max(ends) + 1):
        if partition not in ends or reader.asked >= MOST_ASKED:
            continue
        within = _PartitionSearch(reader, partition, wanted, source=source)
        home = not found.partitions
        found.partitions.append(partition)
        within.run(ends[partition], start=starts.get(partition), silent=_SILENT_AT_HOME if home else _SILENT_ELSEWHERE)
        found.record = within.record
        found.read += within.read
        found.cameras |= within.cameras
        found.sources |= within.sources
        found.epochs |= within.met.epochs
        found.neighbours = _closest(found.neighbours, within.met.neighbours)
        # Between two frames of its epoch there is only one place for it.
        if found.record is not None or all(within.met.neighbours):
            return


def likely_partitions(camera_id: str, partitions: int) -> list[int]:
    """All of a topic's partitions; first where the camera belongs, then where it did while there were fewer."""
    homes = [partition_of(camera_id.encode(), count) for count in range(partitions, 0, -1)]
    return list(dict.fromkeys([*homes, *range(partitions)]))


class _PartitionSearch:
    """The search in one partition."""

    def __init__(self, reader: Places, partition: int, wanted: FrameName, *, source: str | None) -> None:
        self._reader, self._partition, self._wanted, self._source = reader, partition, wanted, source
        self._fetches = self._silence = 0
        # Where its epoch begins by its name, once `run` was told.
        self._start: int | None = None
        # How many records a fetch gives.
        self._length = 0
        self.met = Sightings(wanted)
        self.record: Record | None = None
        self.read = 0
        self.cameras: set[str] = set()
        self.sources: set[str] = set()

    def run(self, offsets: Offsets, *, start: int | None, silent: int) -> None:
        """Look until it is found, nothing is left, or there have been questions enough.

        start: where its epoch may begin. silent: give up after so many fetches that hold nothing of the camera.
        """
        first = max(offsets.oldest, min(offsets.end, offsets.oldest if start is None else start))
        unread = Unread(Span(first, offsets.end), [Span(offsets.oldest, first)])
        self._start, doubtful = start, 0
        while self.record is None and self._reader.asked < MOST_ASKED:
            spans = unread.likely or unread.unlikely
            doubtful += not unread.likely
            if not spans or doubtful > _OUT_OF_ORDER or (self._fetches >= silent and not self.met):
                return
            span, at = self._aim(spans)
            self._look(unread, at, span.end)

    def _aim(self, spans: list[Span]) -> tuple[Span, int]:
        """Which stretch to read, and from where on."""
        estimate = self.met.estimate
        if self._fetches == 0:
            return spans[0], spans[0].start
        if estimate is None and self._start is not None and self._fetches % 2:
            # Most often the epoch's first frames are not far from there.
            span = nearest(spans, self._start)
            return span, span.start
        # An estimate that is wrong gets nearer from one side only, so now and then it is not asked.
        if estimate is None or self._fetches % 3 == 0:
            span = widest(spans)
            estimate = (span.start + span.end) // 2
        else:
            span = nearest(spans, estimate)
        at = estimate - self._length // 2
        return span, max(span.start, min(at, span.end - self._length))

    def _look(self, unread: Unread, at: int, end: int) -> None:
        stretch = self._reader.fetch(self._partition, at, end, wide=self._silence >= _RARE)
        self._fetches += 1
        self.read += len(stretch.messages)
        self._length = max(len(stretch.messages), self._length // 2)
        met = []
        for message in stretch.messages:
            each = sighting(message, self._wanted.camera_id)
            if each is None:
                self._note(message.key())
            elif self._source is None or each.source == self._source:
                met.append(each)
            else:
                self.sources.add(each.source)
        if self._silence < _RARE:
            self._silence = 0 if met else self._silence + 1
        for each in met:
            if (each.epoch, each.sequence) == (self._wanted.epoch, self._wanted.sequence):
                self.record = each.record
                return
        unread.read(at, stretch.next_offset)
        for offset, side in self.met.add(met):
            if side == "after":
                unread.lies_after(offset)
            elif side == "before":
                unread.lies_before(offset)

    def _note(self, key: object) -> None:
        if isinstance(key, bytes) and len(self.cameras) < _MOST_CAMERAS:
            self.cameras.add(key[:128].decode(errors="replace"))


def _closest(
    one: tuple[Sighting | None, Sighting | None], two: tuple[Sighting | None, Sighting | None]
) -> tuple[Sighting | None, Sighting | None]:
    below = max((each[0] for each in (one, two) if each[0]), default=None)
    above = min((each[1] for each in (one, two) if each[1]), default=None)
    return below, above
