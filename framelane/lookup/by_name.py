"""One frame, fetched by its name."""

from dataclasses import dataclass

from consumers.lookup.name import FrameName
from consumers.lookup.search import search
from framelane.lookup.absent import absent
from framelane.lookup.reader import PlaceReader
from framelane.record_times import record_times
from streams.contract.errors import FrameError, KafkaError
from streams.contract.frame import Frame
from streams.contract.headers import to_frame
from streams.contract.identity import pipeline_source
from streams.contract.kafka_settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class FoundFrame:
    """A frame, where it lies (`topic/partition/offset`), and how often the broker was asked to find it."""

    frame: Frame
    place: str
    asked: int


def frame_by_name(kafka: KafkaSettings, topic: str, name: FrameName, *, pipeline: str | None = None) -> FoundFrame:
    """Find it. pipeline: the name of the one whose frame is wanted; None takes any.

    Raises KafkaError when it is not there, saying what is, and FrameError when what lies there is no picture.
    """
    source = pipeline_source(pipeline) if pipeline else None
    with PlaceReader(kafka, topic) as reader:
        found = search(reader, name, source=source)
        if found.record is None:
            offsets = reader.offsets().items()
            oldest = [(topic, partition, each.oldest) for partition, each in offsets if each.oldest < each.end]
            times = record_times(kafka, oldest) if oldest else {}
            oldest_ms = min(times.values(), default=None)
            raise KafkaError(absent(name, found, topic=topic, oldest_ms=oldest_ms, pipeline=pipeline))
    try:
        frame = to_frame(found.record)
    except FrameError as error:
        told = f"frame {name} at {found.record.place}: {error}"
        raise FrameError(told, reason=error.reason, stage=error.stage) from error
    return FoundFrame(frame, found.record.place, found.asked)
