"""The past for programs, as paths of OpenAPI."""

from typing import Any

from consumers.view.described import BINARY, CAMERA, PICTURES, STRING, get

_INTEGER = {"type": "integer"}
_FILM, _JSON = {"application/octet-stream": BINARY}, {"application/json": {"schema": {"type": "object"}}}
_ERRORS = {
    "400": "A parameter is wrong",
    "401": "The token is missing or wrong",
    "410": "It is not retained (any more)",
    "429": "Too many requests at once",
    "503": "The broker is away",
    "504": "It was not found in time",
}
_WHERE = [
    {
        "name": "at",
        "in": "query",
        "description": "ns since 1970, RFC 3339, or <epoch>/<sequence>; or else give after or before.",
        "schema": STRING,
    },
    {"name": "after", "in": "query", "description": "topic/partition/offset", "schema": STRING},
    {"name": "before", "in": "query", "description": "topic/partition/offset", "schema": STRING},
    {"name": "count", "in": "query", "schema": _INTEGER | {"minimum": 1, "maximum": 60, "default": 1}},
]
_SPAN = [
    {"name": name, "in": "query", "required": True, "description": "ns since 1970, or RFC 3339", "schema": STRING}
    for name in ("from", "to")
]
_OF = {
    "name": "of",
    "in": "query",
    "required": True,
    "description": "topic/partition/offset of a processed frame",
    "schema": STRING,
}
_PLACE = [
    {"name": name, "in": "path", "required": True, "schema": schema}
    for name, schema in (("topic", STRING), ("partition", _INTEGER), ("offset", _INTEGER))
]
_DOWNLOAD = {"name": "download", "in": "query", "description": "Name a file.", "schema": STRING}


def past_paths() -> dict[str, Any]:
    """The paths, for the `paths` of the document."""
    camera = "/api/cameras/{camera}"
    return {
        f"{camera}/span": _get("The oldest and the newest frame that is retained", [CAMERA]),
        f"{camera}/frames": _get("Frames without their pictures", [CAMERA, *_WHERE]),
        f"{camera}/film": _get(
            "Frames, each: four bytes of length, a header in JSON, the picture", [CAMERA, *_WHERE], _FILM
        ),
        f"{camera}/raw": _get("The raw frame that a processed one was made of, as a film", [CAMERA, _OF], _FILM),
        f"{camera}/marks": _get("Events and dead letters of a span, thinned", [CAMERA, *_SPAN]),
        f"{camera}/events": _get("The events of at most 60 s", [CAMERA, *_SPAN]),
        "/api/frames/{topic}/{partition}/{offset}": _get("A frame's bytes", [*_PLACE, _DOWNLOAD], PICTURES),
    }


def _get(summary: str, parameters: list[Any], content: dict[str, Any] | None = None) -> dict[str, Any]:
    return get(summary, content or _JSON, parameters, errors=_ERRORS)
