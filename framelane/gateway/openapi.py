"""The HTTP interface as OpenAPI 3.1 describes it."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from framelane.gateway.answers import Route
from framelane.gateway.problems import PROBLEM_TYPE, STATUSES
from streams.contract.images import EXTENSIONS

_TEXT = {"type": "string"}


def openapi(routes: Mapping[str, Route]) -> dict[str, Any]:
    """The document. routes: by name; the first is the default."""
    image = {content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in EXTENSIONS}
    problem = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {str(status): {"description": HTTPStatus(status).phrase, "content": problem} for status in STATUSES}
    headers = {
        "Framelane-Frame": "The frame: <camera>/<epoch>/<sequence>.",
        "Framelane-Pipeline": "What made it: name@hash.",
        "Server-Timing": "Milliseconds to the worker, in its queue, and in its operators.",
    }
    names = list(routes)
    process = {
        "operationId": "process",
        "summary": "Have an image processed.",
        "parameters": [
            {
                "name": "pipeline",
                "in": "query",
                "required": False,
                "description": "Which pipeline.",
                "schema": {"type": "string", "enum": names, "default": names[0]},
            },
            {
                "name": "traceparent",
                "in": "header",
                "required": False,
                "description": "W3C Trace Context: the trace goes on in the worker.",
                "schema": _TEXT,
            },
        ],
        "requestBody": {"required": True, "description": "JPEG, PNG or WebP.", "content": image},
        "responses": {
            "200": {
                "description": "The processed image.",
                "headers": {name: {"description": text, "schema": _TEXT} for name, text in headers.items()},
                "content": image,
            },
            **problems,
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Framelane gateway", "version": version("framelane")},
        "paths": {"/process": {"post": process}},
        "components": {
            "schemas": {
                "Problem": {
                    "type": "object",
                    "description": "RFC 9457.",
                    "required": ["type", "title", "status", "detail", "reason"],
                    "properties": {
                        "type": _TEXT,
                        "title": _TEXT,
                        "status": {"type": "integer"},
                        "detail": _TEXT,
                        "reason": {"type": "string", "description": "As in dead letters; or no_reply, unavailable."},
                        "instance": _TEXT,
                    },
                }
            }
        },
    }
