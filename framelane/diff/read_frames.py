"""Reading a side's frames into the index, partition by partition."""

from collections.abc import Callable, Iterator

from framelane.diff.asked import LETTERS, Asked, Which
from framelane.diff.frame_index import FrameIndex
from framelane.lookup.reader import PlaceReader
from streams.contract.errors import FrameError, SettingError
from streams.contract.frame import Frame
from streams.contract.headers import Record, to_frame
from streams.contract.records import to_record

# Called with how many records are read, of how many.
Moved = Callable[[int, int], None]
# Records are dated by the host's clock, captures by the camera's, which may be ahead of it.
_EARLIER_MS = 10_000
_TELL_EVERY = 64


def read_frames(reader: PlaceReader, index: FrameIndex, which: Which, asked: Asked, *, moved: Moved) -> None:
    """Read all frames that are meant. Raises KafkaError, and SettingError where several pipelines have made them."""
    for record, error in records(reader, asked, moved=moved):
        try:
            if error is not None:
                raise error
            frame = to_frame(record)
        except FrameError as refused:
            index.sums[which].refused[refused.reason] += 1
            continue
        if asked.wants(frame.camera_id, frame.captured_at_ns) and _is_meant(index, which, asked, frame):
            index.add(which, frame, record)


def records(reader: PlaceReader, asked: Asked, *, moved: Moved) -> Iterator[tuple[Record, FrameError | None]]:
    """The records of a topic up to its end as it is now; earlier ones than are asked for are jumped over.

    Up to its end, whatever `until` says: a replay's records are dated when they were made, and redriven frames are
    late. With the error, what the client cannot hand over.
    """
    offsets = reader.offsets()
    starts = {partition: each.oldest for partition, each in offsets.items()}
    if asked.since_ns is not None and offsets:
        starts |= reader.offsets_at(offsets, asked.since_ns // 1_000_000 - _EARLIER_MS)
    whole = sum(max(0, each.end - starts[partition]) for partition, each in offsets.items())
    done = 0
    moved(0, whole)
    for partition, each in sorted(offsets.items()):
        for message in reader.span(partition, starts[partition], each.end):
            at = done + (message.offset() or 0) - starts[partition] + 1
            if at % _TELL_EVERY == 0:
                moved(at, whole)
            try:
                yield to_record(message), None
            except FrameError as error:
                yield Record(reader.topic, partition, message.offset() or 0, 0, None, None, ()), error
        done += max(0, each.end - starts[partition])
        moved(done, whole)


def _is_meant(index: FrameIndex, which: Which, asked: Asked, frame: Frame) -> bool:
    sums, wanted, source = index.sums[which], asked.sides[which].source, frame.source
    if source.startswith("/cameras/"):
        # Raw frames: each camera is a source of its own.
        source = "/cameras"
    if wanted is not None and source != wanted:
        sums.others += 1
        return False
    check_source(sums.source, source, which, topic=asked.sides[which].topic)
    sums.source = source
    return True


def check_source(known: str | None, source: str, which: Which, *, topic: str) -> None:
    """Raise SettingError where a topic holds what two have made, and nobody has said which is meant."""
    if known is None or known == source:
        return
    names = sorted(each.removeprefix("/pipelines/") for each in (known, source))
    raise SettingError(
        f"topic {topic}: holds what {' and '.join(names)} have made: say which is meant with "
        f"--pipeline-{LETTERS[which].lower()}"
    )
