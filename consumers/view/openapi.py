"""OpenAPI of what the view has for programs."""

import importlib.metadata
from typing import Any

import msgspec

from consumers.view.described import BINARY, CAMERA, PICTURES, get
from consumers.view.figures import CameraFigures
from consumers.view.past.described import past_paths

_KIND = {
    "name": "kind",
    "in": "query",
    "schema": {"type": "string", "enum": ["processed", "raw"], "default": "processed"},
}
_WIDTH = {
    "name": "width",
    "in": "query",
    "description": "About so many pixels wide; never larger than the frame. 0: as it is.",
    "schema": {"type": "integer", "minimum": 0, "maximum": 4096, "default": 0},
}
_FPS = {"name": "fps", "in": "query", "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": 60}}
_ERRORS = {
    "401": "The token is missing or wrong",
    "429": "Too many requests: Retry-After says when to come again",
}
_MISSING = _ERRORS | {
    "400": "A parameter is wrong",
    "404": "There is no such camera",
    "503": "It has sent nothing yet, or too many watch",
}


def openapi() -> dict[str, Any]:
    """The document."""
    (schema,), parts = msgspec.json.schema_components([CameraFigures], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Framelane: the live view",
            "version": importlib.metadata.version("framelane"),
            "description": "The newest frames of all cameras, as they come from Kafka.",
        },
        "paths": {
            "/cameras": get(
                "How each camera is doing",
                {"application/json": {"schema": {"type": "array", "items": schema}}},
                errors=_ERRORS,
            ),
            "/cameras/{camera}/latest.jpg": get(
                "The newest picture", PICTURES, [CAMERA, _KIND, _WIDTH], errors=_MISSING
            ),
            "/cameras/{camera}/mjpeg": get(
                "Pictures without end, for players",
                {"multipart/x-mixed-replace": BINARY},
                [CAMERA, _KIND, _WIDTH, _FPS],
                errors=_MISSING,
            ),
            **past_paths(),
        },
        "components": {
            "schemas": parts,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "Any user; the token is the password."},
            },
        },
        "security": [{}, {"bearer": []}, {"basic": []}],
    }
