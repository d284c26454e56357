"""The contract's schemas: as committed, true to the code, open to what is added, and closed to what is wrong."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from golden import FOLDER, ROOT, Golden, golden_files, load, wrongs

from framelane.contract_docs import samples
from framelane.contract_docs.files import files
from framelane.contract_docs.header_table import (
    DEAD_LETTER_HEADERS,
    EVENT_HEADERS,
    FRAME_HEADERS,
    MARK_HEADERS,
    REDRIVEN_HEADERS,
)
from framelane.contract_docs.schemas import processed_headers, raw_headers
from streams.contract.errors import Reason
from streams.contract.event_types import EVENT_DATA
from streams.contract.headers import HOPS, to_headers

FILES = files()
FRAME = samples.texts(to_headers(samples.FULL_FRAME))
EVENT_VALUE, EVENT = samples.event(samples.FULL_FRAME)
EVENT_JSON = json.loads(EVENT_VALUE)
MOTION = EVENT_JSON["data"]
AGAIN = samples.texts(samples.letter(headers=samples.redriven_pairs()).headers)
STATUS = json.loads(samples.status()[1])


@pytest.mark.parametrize("name", FILES)
def test_a_document_is_as_the_code_makes_it(name: str) -> None:
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert committed == FILES[name], "run make schemas"


def test_nothing_lies_beside_the_schemas_that_the_code_makes() -> None:
    found = {f"schemas/{path.name}" for path in (ROOT / "docs" / "schemas").iterdir()}

    assert found == FILES.keys() - {"asyncapi.yaml"}


def test_the_table_has_just_the_headers_that_the_code_writes() -> None:
    assert set(FRAME_HEADERS) == set(FRAME)
    assert set(HOPS.values()) < set(FRAME)
    assert set(EVENT_HEADERS) == set(EVENT)
    assert set(DEAD_LETTER_HEADERS) == {name for name in AGAIN if name.startswith("dl_")}
    assert set(REDRIVEN_HEADERS) == {name for name in samples.redriven() if name.startswith("dl_")}
    assert set(MARK_HEADERS) == set(samples.mark())


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ("frame-headers.v1.json", FRAME),
        ("frame-headers.v1.json", samples.redriven()),
        ("redriven-headers.v1.json", samples.redriven()),
        ("event-headers.v1.json", EVENT),
        ("event.v1.json", EVENT_JSON),
        ("dead-letter.v1.json", samples.texts(samples.letter().headers)),
        ("dead-letter.v1.json", AGAIN),
        ("dead-letter-mark.v1.json", samples.mark()),
        ("status.v1.json", STATUS),
    ],
)
def test_what_the_code_writes_keeps_to_the_schema(schema: str, written: dict[str, Any]) -> None:
    assert wrongs(schema, written) == []


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_old_records_keep_to_the_schemas_of_today(path: Path) -> None:
    golden = load(path)

    if golden.header_schema:
        headers = {name: (value or b"").decode() for name, value in golden.record.headers}
        assert wrongs(golden.header_schema, headers) == []
    if golden.value_schema:
        assert wrongs(golden.value_schema, json.loads(golden.record.value or b"")) == []
    assert golden.header_schema or golden.value_schema


@pytest.mark.parametrize("reason", [*get_args(Reason), "a_later_one"])
def test_every_reason_may_be_there(reason: str) -> None:
    assert wrongs("dead-letter.v1.json", AGAIN | {"dl_reason": reason}) == []


@pytest.mark.parametrize(
    ("schema", "right", "change", "where"),
    [
        ("frame-headers.v1.json", FRAME, {"ce_id": "gate-1/812"}, "ce_id"),
        ("frame-headers.v1.json", FRAME, {"ce_width": "wide"}, "ce_width"),
        ("frame-headers.v1.json", FRAME, {"ce_type": "io.framelane.frame.v2"}, "ce_type"),
        ("frame-headers.v1.json", FRAME, {"ce_time": "yesterday"}, "ce_time"),
        ("frame-headers.v1.json", FRAME, {"content-type": "text/plain"}, "content-type"),
        ("event-headers.v1.json", EVENT, {"ce_id": None}, "ce_id"),
        ("event.v1.json", EVENT_JSON, {"camera_id": "gate 1"}, "camera_id"),
        ("event.v1.json", EVENT_JSON, {"sequence": "812"}, "sequence"),
        ("event.v1.json", EVENT_JSON, {"sequence": -1}, "sequence"),
        ("event.v1.json", EVENT_JSON, {"data": [1]}, "data"),
        ("event.v1.json", EVENT_JSON, {"data": MOTION | {"zone": 0}}, "data/zone"),
        ("event.v1.json", EVENT_JSON, {"type": "health"}, "data"),
        ("dead-letter.v1.json", AGAIN, {"dl_reason": "Out of luck"}, "dl_reason"),
        ("dead-letter.v1.json", AGAIN, {"dl_input": "frames.raw"}, "dl_input"),
        ("dead-letter-mark.v1.json", samples.mark(), {"dl_mark": ""}, "dl_mark"),
        ("redriven-headers.v1.json", samples.redriven(), {"dl_attempt": "two"}, "dl_attempt"),
        ("status.v1.json", STATUS, {"role": 1}, "role"),
        ("status.v1.json", STATUS, {"cameras": {"gate-1": {"consumed": "1"}}}, "cameras/gate-1/consumed"),
    ],
)
def test_what_is_wrong_does_not_keep_to_it(
    schema: str, right: dict[str, Any], change: dict[str, Any], where: str
) -> None:
    assert wrongs(schema, right) == []

    found = wrongs(schema, right | change)

    assert found and all(each.startswith(f"{where}: ") for each in found), found


@pytest.mark.parametrize(
    ("schema", "right", "missing"),
    [
        ("event-headers.v1.json", EVENT, "ce_id"),
        ("event.v1.json", EVENT_JSON, "input"),
        ("dead-letter.v1.json", AGAIN, "dl_reason"),
        ("dead-letter-mark.v1.json", samples.mark(), "dl_letter"),
        ("status.v1.json", STATUS, "instance"),
    ],
)
def test_what_is_always_there_must_not_be_missing(schema: str, right: dict[str, Any], missing: str) -> None:
    found = wrongs(schema, {name: value for name, value in right.items() if name != missing})

    assert found == [f": '{missing}' is a required property"]


def test_each_type_of_event_has_its_own_data() -> None:
    for name in EVENT_DATA:
        assert wrongs("event.v1.json", EVENT_JSON | {"type": name, "data": {}}), name
    assert wrongs("event.v1.json", EVENT_JSON | {"type": "acme.smoke", "data": {}}) == []


def golden(name: str) -> Golden:
    return load(FOLDER / f"{name}.json")


def names_in(told: Any, path: str = "") -> set[str]:
    """The names of all fields in JSON, of those within others as `outer/inner`."""
    if isinstance(told, list):
        return {name for each in told for name in names_in(each, path)}
    if not isinstance(told, dict):
        return set()
    inner = {name for key, value in told.items() for name in names_in(value, f"{path}{key}/")}
    return {f"{path}{key}" for key in told} | inner


def test_headers_that_were_always_written_still_are() -> None:
    def written(name: str) -> set[str]:
        return {header for header, _ in golden(name).record.headers}

    assert written("frame-raw") <= set(raw_headers())
    assert written("frame-processed") <= set(processed_headers())
    assert written("event-motion-first") <= set(samples.event(samples.RAW_FRAME)[1])
    assert written("dead-letter-first") <= set(samples.texts(samples.letter(headers=samples.redriven_pairs()).headers))
    assert written("dead-letter-mark") <= set(samples.mark())


def test_fields_that_were_always_written_still_are() -> None:
    assert names_in(json.loads(golden("event-motion-first").record.value or b"")) <= names_in(EVENT_JSON)
    assert names_in(json.loads(golden("status-worker").record.value or b"")) <= names_in(STATUS)
