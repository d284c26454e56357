"""What the descriptions of requests have in common, as OpenAPI has it."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.contract.images import EXTENSIONS

STRING = {"type": "string"}
CAMERA = {"name": "camera", "in": "path", "required": True, "schema": STRING}
BINARY = {"schema": STRING | {"format": "binary"}}
PICTURES = {content_type: BINARY for content_type in EXTENSIONS}
_ERROR = {"application/json": {"schema": {"type": "object", "properties": {"error": STRING}}}}


def get(
    summary: str,
    content: Mapping[str, Any],
    parameters: Sequence[Mapping[str, Any]] = (),
    *,
    errors: Mapping[str, str],
) -> dict[str, Any]:
    """A path that is asked by GET. content: the answer, by its type. errors: what each status says."""
    responses = {status: {"description": text, "content": _ERROR} for status, text in errors.items()}
    responses["200"] = {"description": summary, "content": content}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": responses}}
