"""Records of the contract's first version stay readable: those in tests/golden are never changed, only added to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from golden import golden_files, load

from consumers.dead_letters import LetterBook, LetterFilter, to_dead_letter
from streams.contract.event_types import EVENT_DATA
from streams.contract.events import decode_event
from streams.contract.headers import Record, to_frame
from streams.contract.redrive import attempt_of, is_redriven, letter_of, redriven_for
from streams.contract.status import decode_status


def as_frame(record: Record) -> dict[str, Any]:
    frame = to_frame(record)
    assert redriven_for(record.headers) is None
    return {name: getattr(frame, name) for name in frame.__struct_fields__}


def as_redriven(record: Record) -> dict[str, Any]:
    assert is_redriven(record)
    frame = to_frame(record)
    told = {name: getattr(frame, name) for name in frame.__struct_fields__}
    answered = {"redriven_for": redriven_for(record.headers), "attempt": attempt_of(record)}
    return told | answered | {"letter": letter_of(record)}


def as_event(record: Record) -> dict[str, Any]:
    event = decode_event(record.value or b"")
    if event.type in EVENT_DATA:
        msgspec.json.decode(event.data, type=EVENT_DATA[event.type])
    return msgspec.structs.asdict(event) | {"data": json.loads(bytes(event.data))}


def as_letter(record: Record) -> dict[str, Any]:
    letter = to_dead_letter(record)
    assert letter is not None
    assert redriven_for(record.headers) is None
    return msgspec.structs.asdict(letter)


def as_mark(record: Record) -> dict[str, Any]:
    assert to_dead_letter(record) is None
    # Shown with the letter that it speaks of.
    letter = load(next(path for path in golden_files() if path.stem == "dead-letter-first")).record
    book = LetterBook(record.topic, LetterFilter())
    book.add(letter)
    book.add(record)
    texts = {name: (value or b"").decode() for name, value in record.headers}
    mark = book.state(f"{letter.partition}/{letter.offset}")
    return {"mark": mark, "letter": texts["dl_letter"], "pipeline": texts["dl_pipeline"]}


def as_status(record: Record) -> dict[str, Any]:
    status = decode_status(record.value or b"")
    assert status.key.encode() == record.key
    told: dict[str, Any] = msgspec.to_builtins(status)
    return told


READERS: dict[str, Callable[[Record], dict[str, Any]]] = {
    "frame": as_frame,
    "redriven": as_redriven,
    "event": as_event,
    "dead-letter": as_letter,
    "mark": as_mark,
    "status": as_status,
}


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_an_old_record_reads_as_it_did(path: Path) -> None:
    golden = load(path)

    found = READERS[golden.kind](golden.record)

    assert {name: found.get(name) for name in golden.reads_as} == golden.reads_as


def test_there_are_records_of_each_kind_and_of_each_type_of_event() -> None:
    goldens = [load(path) for path in golden_files()]

    assert {golden.kind for golden in goldens} == set(READERS)
    assert {golden.reads_as["type"] for golden in goldens if golden.kind == "event"} > set(EVENT_DATA)
