"""Dead letters as files: the picture as it came, and an index of what the letters say."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from consumers.bounded import SingleRecords
from consumers.dead_letters import DeadLetterRecord
from framelane.redrive import Originals, Refused
from streams.contract.errors import FrameError, FramelaneError, SinkError
from streams.contract.headers import Record
from streams.contract.images import EXTENSIONS, inspect
from streams.contract.kafka_settings import KafkaSettings

INDEX = "index.jsonl"
_ANY_PIXELS = 2**62


def write_picture(kafka: KafkaSettings, letter: DeadLetterRecord, record: Record, path: Path) -> int:
    """Write the frame's bytes as they came, fetched from its topic where the letter is without; returns the size.

    Raises FramelaneError when they are nowhere any more, and SinkError when the file cannot be written.
    """
    with closing(SingleRecords(kafka)) as records:
        try:
            value = Originals(records).of(letter, record).value or b""
        except Refused as refusal:
            raise FramelaneError(f"dead letter {letter.id}: no picture to write: {refusal}") from refusal
    _write(path, value)
    return len(value)


def export_letters(letters: Iterable[tuple[DeadLetterRecord, Record]], folder: Path) -> tuple[int, int]:
    """Write each letter's value to a file of its own, and a line for each into the index; returns (letters, files).

    What lies there from before is written over. Raises SinkError.
    """
    written = files = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / INDEX).open("wb") as index:
            for letter, record in letters:
                name = letter.id.replace("/", "-") + _extension(record.value) if record.value else None
                if name is not None and record.value:
                    _write(folder / name, record.value)
                    files += 1
                index.write(msgspec.json.encode({"file": name} | msgspec.to_builtins(letter)) + b"\n")
                written += 1
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return written, files


def _extension(value: bytes) -> str:
    try:
        return EXTENSIONS[inspect(value, max_pixels=_ANY_PIXELS).content_type]
    except FrameError:
        return ".bin"


def _write(path: Path, value: bytes) -> None:
    try:
        path.write_bytes(value)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written: {error.strerror or error}") from error
