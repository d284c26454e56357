"""Finding frames of one camera in a topic whose partitions it shares with others, and which has no index by camera."""

import time
from collections.abc import Callable, Iterator

from consumers.lookup.name import FrameName
from consumers.lookup.places import Offsets
from consumers.lookup.search import likely_partitions, search
from consumers.view.past.frames import Found, Kept, found
from consumers.view.past.problems import NotHere, OutOfTime
from consumers.view.past.reader import TopicReader
from streams.contract.headers import Record, rfc3339
from streams.contract.topics import MIB

MOST_FRAMES = 60
# Of pictures in one answer; the first frame comes however large.
MOST_BYTES = 12 * MIB
_HOME_KEPT_S = 60.0
# So many records at the end of a partition tell whether a camera lies in it.
_LOOKED_AT = 2048


class Archive:
    """The processed frames of cameras. hint: the partition that a camera's newest frame lies in, where it is known."""

    def __init__(self, topic: str, kept: Kept, *, hint: Callable[[str], int | None]) -> None:
        self._topic, self._kept, self._hint = topic, kept, hint
        self._homes: dict[str, tuple[int, float]] = {}

    def ends(self, reader: TopicReader, camera: str) -> tuple[Found, Found]:
        """The oldest and the newest frame of a camera. Raises NotHere when there is none."""
        partition, bounds = self._home(reader, camera)
        last = next(self._frames(reader.backward(partition, *bounds, camera.encode())), None)
        first = next(self._frames(reader.forward(partition, *bounds, camera.encode())), None)
        if first is None or last is None:
            raise self._nothing(camera)
        return first, last

    def at_time(self, reader: TopicReader, camera: str, at_ns: int) -> Found:
        """The first frame of that time (ns since 1970) or later; the newest where none is."""
        partition, bounds = self._home(reader, camera)
        start = reader.offsets_at({partition: bounds}, at_ns // 1_000_000)[partition]
        for each in self._frames(reader.forward(partition, start, bounds.end, camera.encode())):
            if each.frame.captured_at_ns >= at_ns:
                return each
        newest = next(self._frames(reader.backward(partition, *bounds, camera.encode())), None)
        if newest is None:
            raise self._nothing(camera)
        return newest

    def named(self, reader: TopicReader, name: FrameName) -> Found:
        """The frame of a name. Raises NotHere, which says what is there."""
        record = search(reader, name).record
        each = found(record) if record is not None else None
        if each is not None:
            self._kept.add(each)
            return each
        try:
            first, _ = self.ends(reader, name.camera_id)
        except OutOfTime:
            raise NotHere(f"frame {name} is not in topic {self._topic} (any more)") from None
        raise NotHere(
            f"frame {name} is not in topic {self._topic} (any more): of {name.camera_id} it goes back to "
            f"{rfc3339(first.frame.captured_at_ns)}"
        )

    def place(self, reader: TopicReader, partition: int, offset: int) -> Found:
        """The frame that lies there. Raises NotHere."""
        place = f"{reader.topic}/{partition}/{offset}"
        kept = self._kept.get(place)
        if kept is not None:
            return kept
        bounds = reader.offsets().get(partition)
        if bounds is not None and bounds.oldest <= offset < bounds.end:
            for each in self._frames(reader.forward(partition, offset, offset + 1)):
                return each
        raise NotHere(f"there is no frame at {place} (any more)")

    def after(self, reader: TopicReader, start: Found, count: int) -> list[Found]:
        """The next frames of its camera and pipeline, in order; fewer where there are no more, or they are large."""
        partition = start.record.partition
        bounds = reader.offsets()[partition]
        key = start.frame.camera_id.encode()
        records = reader.forward(partition, max(bounds.oldest, start.record.offset + 1), bounds.end, key)
        return self._some(start, self._frames(records), count, later=True)

    def before(self, reader: TopicReader, start: Found, count: int) -> list[Found]:
        """The frames before it, in order."""
        partition = start.record.partition
        bounds = reader.offsets()[partition]
        key = start.frame.camera_id.encode()
        records = reader.backward(partition, bounds.oldest, min(bounds.end, start.record.offset), key)
        return self._some(start, self._frames(records), count, later=False)[::-1]

    def _some(self, start: Found, frames: Iterator[Found], count: int, *, later: bool) -> list[Found]:
        some: list[Found] = []
        at, size = start, 0
        try:
            for each in frames:
                onward = each.order > at.order if later else each.order < at.order
                if each.pipeline_name != start.pipeline_name or not onward:
                    continue
                size += len(each.frame.data)
                if some and size > MOST_BYTES:
                    break
                some.append(each)
                at = each
                if len(some) == count:
                    break
        except OutOfTime:
            # A camera that is rare among others: some are better than none.
            if not some:
                raise
        return some

    def _frames(self, records: Iterator[Record]) -> Iterator[Found]:
        for record in records:
            each = found(record)
            if each is not None:
                self._kept.add(each)
                yield each

    def _home(self, reader: TopicReader, camera: str) -> tuple[int, Offsets]:
        """The partition that the camera's frames lie in, and its bounds."""
        offsets = {each: bounds for each, bounds in reader.offsets().items() if bounds.oldest < bounds.end}
        if not offsets:
            raise self._nothing(camera)
        partition = self._hint(camera)
        if partition not in offsets:
            partition, until_s = self._homes.get(camera, (-1, 0.0))
            if partition not in offsets or until_s < time.monotonic():
                partition = self._look_for(reader, camera, offsets)
                self._homes[camera] = partition, time.monotonic() + _HOME_KEPT_S
        return partition, offsets[partition]

    def _look_for(self, reader: TopicReader, camera: str, offsets: dict[int, Offsets]) -> int:
        for partition in likely_partitions(camera, max(offsets) + 1):
            if partition in offsets:
                oldest, end = offsets[partition]
                records = reader.backward(partition, max(oldest, end - _LOOKED_AT), end, camera.encode())
                if next(records, None) is not None:
                    return partition
        # It has sent nothing for long.
        for partition in likely_partitions(camera, max(offsets) + 1):
            if partition in offsets and next(reader.forward(partition, *offsets[partition], camera.encode()), None):
                return partition
        raise self._nothing(camera)

    def _nothing(self, camera: str) -> NotHere:
        return NotHere(f"topic {self._topic} holds no processed frames of camera {camera!r}")
