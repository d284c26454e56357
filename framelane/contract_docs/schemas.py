"""JSON Schemas of what is JSON, and of headers as an object of texts. Draft 7: AsyncAPI's own are a superset of it.

They are open: what they do not name is allowed, so that a schema of today takes the records of later versions.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from framelane.contract_docs import samples
from framelane.contract_docs.header_table import (
    CAMERA,
    DEAD_LETTER_HEADERS,
    EVENT_HEADERS,
    FRAME_HEADERS,
    MARK_HEADERS,
    REDRIVEN_HEADERS,
    Schema,
    matching,
    place,
)
from streams.contract.event_types import EVENT_DATA
from streams.contract.events import EventRecord
from streams.contract.headers import to_headers
from streams.contract.identity import EPOCH
from streams.contract.status import Status

_DRAFT = "http://json-schema.org/draft-07/schema#"
_REF = "#/definitions/{name}"
_TYPED_BY_TYPE = (
    "What was found. Each of Framelane's own types has its definition below; operators of one's own publish types of "
    "their own, with any object."
)


def schemas() -> dict[str, dict[str, Any]]:
    """All of them, by the name of their file."""
    return {
        "frame-headers.v1.json": _headers(
            "Headers of a frame",
            "None is required: a frame without headers is one of the camera that its key names, captured at the "
            "record's timestamp, and its number is its offset. Other headers may be there.",
            FRAME_HEADERS,
            (),
        ),
        "event.v1.json": _event(),
        "event-headers.v1.json": _headers(
            "Headers of an event",
            "Other headers may be there.",
            EVENT_HEADERS,
            list(samples.event(samples.RAW_FRAME)[1]),
        ),
        "dead-letter.v1.json": _headers(
            "Headers of a dead letter",
            "Beside them are those of the frame that failed, as they were, where they are sound.",
            DEAD_LETTER_HEADERS,
            # A letter may be without the operators' versions.
            [name for name in samples.texts(samples.letter().headers) if name != "dl_operators"],
        ),
        "redriven-headers.v1.json": _headers(
            "Headers of a frame that is sent through again",
            "Beside them are those of a frame.",
            REDRIVEN_HEADERS,
            list(REDRIVEN_HEADERS),
        ),
        "dead-letter-mark.v1.json": _headers(
            "Headers of a mark: what has become of a dead letter",
            "Other headers may be there.",
            MARK_HEADERS,
            list(samples.mark()),
        ),
        "status.v1.json": _of_struct(Status, {}),
    }


def raw_headers() -> list[str]:
    """The headers that our producers always write."""
    return [name for name, _ in to_headers(samples.RAW_FRAME)]


def processed_headers() -> list[str]:
    """The headers that our workers always write."""
    return [name for name, _ in to_headers(samples.PROCESSED_FRAME)]


def request_headers() -> list[str]:
    """The headers that the gateway always writes: it may not know what its client has sent."""
    return [name for name in raw_headers() if name not in ("content-type", "ce_width", "ce_height")]


def _headers(title: str, description: str, table: Mapping[str, Schema], required: Any) -> dict[str, Any]:
    return {
        "$schema": _DRAFT,
        "title": title,
        "description": description,
        "type": "object",
        "required": list(required),
        "properties": dict(table),
        "additionalProperties": {"type": "string"},
    }


def _event() -> dict[str, Any]:
    fields: dict[str, Schema] = {
        "type": {
            "type": "string",
            "minLength": 1,
            "description": f"What was found: {', '.join(EVENT_DATA)}, or other.",
        },
        "camera_id": CAMERA,
        "epoch": matching(EPOCH.pattern, "Which run of the camera's producer."),
        "sequence": {"type": "integer", "minimum": 0, "description": "The frame's number in its epoch."},
        "captured_at_ns": {
            "type": "integer",
            "minimum": 0,
            "description": "The frame's capture time in ns since 1970: more than a double holds exactly.",
        },
        "pipeline": {"type": "string", "description": "`name@hash` of the pipeline that found it."},
        "input": place("`topic/partition/offset` of the frame."),
        "data": {"type": "object", "description": _TYPED_BY_TYPE},
    }
    refs, definitions = msgspec.json.schema_components(EVENT_DATA.values(), ref_template=_REF)
    typed = [
        {"if": {"properties": {"type": {"const": name}}}, "then": {"properties": {"data": ref}}}
        for name, ref in zip(EVENT_DATA, refs, strict=True)
    ]
    return _of_struct(EventRecord, fields) | {"allOf": typed, "definitions": _for_draft_7(definitions)}


def _of_struct(struct: type[msgspec.Struct], fields: Mapping[str, Schema]) -> dict[str, Any]:
    """The schema of a struct. fields: in place of what its types tell of them."""
    _, definitions = msgspec.json.schema_components([struct], ref_template=_REF)
    root = definitions.pop(struct.__name__)
    unknown = fields.keys() - root["properties"].keys()
    assert not unknown, f"{struct.__name__} has no {unknown}"
    schema: dict[str, Any] = {"$schema": _DRAFT, **root, "properties": root["properties"] | fields}
    if definitions:
        schema["definitions"] = definitions
    converted: dict[str, Any] = _for_draft_7(schema)
    return converted


def _for_draft_7(schema: Any) -> Any:
    """What msgspec writes for draft 2020-12, in the words of draft 7; words that it lists may become more."""
    if isinstance(schema, list):
        return [_for_draft_7(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _for_draft_7(value) for key, value in schema.items()}
    if "prefixItems" in changed:
        # A tuple; its length stands beside, and all in it are of one kind.
        first, *others = changed.pop("prefixItems")
        assert all(other == first for other in others), changed
        changed["items"] = first
    if "enum" in changed:
        changed = {"anyOf": [changed, {"type": "string"}]}
    if isinstance(changed.get("description"), str):
        changed["description"] = " ".join(inspect.cleandoc(changed["description"]).split())
    return changed
