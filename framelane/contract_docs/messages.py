"""The records of the contract as AsyncAPI's messages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from framelane.contract_docs import samples
from framelane.contract_docs.header_table import CAMERA, text
from framelane.contract_docs.schemas import processed_headers, request_headers
from streams.contract.frame import Frame
from streams.contract.headers import to_headers
from streams.contract.images import CONTENT_TYPES

BINDING = {"bindingVersion": "0.5.0"}
_FORMATS = f"The header `content-type` tells the format: {', '.join(CONTENT_TYPES.values())}."
_JSON = "application/json"
_BYTES = {"type": "string", "format": "binary"}
_NAME = {"description": "The frame's name.", "location": "$message.header#/ce_id"}


def messages() -> dict[str, Any]:
    """All of them, by name."""
    return _frames() | _letters() | _reports()


def _frames() -> dict[str, Any]:
    plain = {"name": "raw", "headers": _headers_of(samples.RAW_FRAME)}
    bare = {"name": "withoutHeaders", "summary": "All that is needed, beside the key and the image.", "headers": {}}
    return {
        "frame": _frame(
            "A frame",
            "Only key and value are required. The record's timestamp is the capture time in ms.",
            examples=[plain, bare],
        ),
        "processedFrame": _frame(
            "A processed frame",
            "It bears the name (`ce_id`) and the timestamp of the frame that it was made from.",
            required=processed_headers(),
            examples=[{"name": "processed", "headers": _headers_of(samples.FULL_FRAME)}],
        ),
        "request": _frame(
            "An image to be processed",
            "A frame of one of the gateway's cameras; its reply, or its dead letter, bears the same name.",
            required=request_headers(),
            examples=[{"name": "request", "headers": _headers_of(samples.RAW_FRAME)}],
        ),
        "redrivenFrame": _frame(
            "A frame that is sent through again",
            "A dead letter's frame, on the partition where it lay. Only the pipeline that it names answers it; all "
            "others pass over it.",
            more=[_schema("redriven-headers")],
            examples=[{"name": "secondAttempt", "headers": samples.redriven()}],
        ),
    }


def _letters() -> dict[str, Any]:
    letter = samples.letter()
    key = text("The camera; or the frame's key as it was, where that names none.", maxLength=256)
    return {
        "deadLetter": {
            "title": "A frame that could not be processed",
            "description": "The value is the frame's, byte for byte; empty where that is too large for the topic, and "
            "then `dl_input` alone says where it lies.",
            "contentType": "application/octet-stream",
            "headers": _schema("dead-letter"),
            "payload": _BYTES,
            "bindings": _key(key),
            "examples": [
                {"name": "notAnImage", "headers": samples.texts(letter.headers), "payload": letter.value.decode()}
            ],
        },
        "mark": {
            "title": "What has become of a dead letter",
            "description": "It has no `dl_reason`, and no value: whoever reads dead letters passes over it.",
            "contentType": "application/octet-stream",
            "headers": _schema("dead-letter-mark"),
            "payload": _BYTES | {"maxLength": 0},
            "bindings": _key(key),
            "examples": [{"name": "mended", "headers": samples.mark(), "payload": ""}],
        },
    }


def _reports() -> dict[str, Any]:
    value, headers = samples.event()
    key, status = samples.status()
    return {
        "event": {
            "title": "What an operator found in a frame",
            "contentType": _JSON,
            "headers": _schema("event-headers"),
            "payload": _schema("event"),
            "bindings": _key(CAMERA),
            "examples": [{"name": "motion", "headers": headers, "payload": json.loads(value)}],
        },
        "status": {
            "title": "A report of one producer, worker or gateway",
            "contentType": _JSON,
            "payload": _schema("status"),
            "bindings": _key(text("`<role>/<instance>`.", pattern="^[a-z]+/.+$")),
            "examples": [{"name": "worker", "summary": f"Its key is {key}.", "payload": json.loads(status)}],
        },
    }


def _frame(
    title: str,
    description: str,
    *,
    examples: Sequence[Mapping[str, Any]],
    required: Sequence[str] = (),
    more: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """required: headers that are always there. more: schemas that the headers keep to as well."""
    return {
        "title": title,
        "description": f"{description} {_FORMATS}",
        "contentType": CONTENT_TYPES["jpeg"],
        "headers": {
            "type": "object",
            "allOf": [_schema("frame-headers"), *more],
            "required": list(required),
        },
        "payload": _BYTES,
        "correlationId": _NAME,
        "bindings": _key(CAMERA | {"description": "The camera: its frames lie on one partition, in their order."}),
        "examples": list(examples),
    }


def _headers_of(frame: Frame) -> dict[str, str]:
    return samples.texts(to_headers(frame))


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"schemas/{name}.v1.json"}


def _key(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"kafka": {"key": schema, **BINDING}}
