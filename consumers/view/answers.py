"""Answers that are of this moment, so nobody keeps them."""

from typing import Any

import msgspec
from starlette.responses import Response

NO_STORE = {"cache-control": "no-store"}


def json_answer(value: Any, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json", headers=NO_STORE)


def binary_answer(data: bytes) -> Response:
    """Bytes that only our pages understand."""
    return Response(data, media_type="application/octet-stream", headers=NO_STORE)
