"""Which of the frames that a side lacks are dead letters there."""

from collections.abc import Collection

from framelane.diff.asked import Asked, Key
from framelane.diff.read_frames import Moved, records
from framelane.lookup.reader import PlaceReader
from streams.contract.errors import FrameError
from streams.contract.headers import Record, camera_of, numbered
from streams.contract.identity import pipeline_source


def letters_of(
    reader: PlaceReader, wanted: Collection[Key], asked: Asked, *, source: str | None, moved: Moved
) -> dict[Key, str]:
    """The reasons of those that are. source: `ce_source` of the pipeline; None takes any. Raises KafkaError."""
    found: dict[Key, str] = {}
    for record, error in records(reader, asked, moved=moved):
        if error is not None:
            continue
        texts = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        if source is not None and pipeline_source(texts.get("dl_pipeline", "")) != source:
            continue
        key = key_of_letter(record)
        if key is not None and key in wanted:
            found[key] = texts.get("dl_reason", "") or "unknown"
    return found


def key_of_letter(record: Record) -> Key | None:
    """The name of the frame that a dead letter is of; None where that cannot be told."""
    try:
        camera_id = camera_of(record)
    except FrameError:
        return None
    named = numbered(record, camera_id)
    if named is None:
        # A frame that came without headers is named by where it lay.
        place = next((value for name, value in record.headers if name == "dl_input" and value), b"")
        topic, _, rest = place.decode(errors="replace").partition("/")
        partition, _, offset = rest.partition("/")
        if not (offset.isascii() and offset.isdecimal() and len(offset) <= 19):
            return None
        named = f"@{topic}-{partition}", int(offset)
    return camera_id, *named
