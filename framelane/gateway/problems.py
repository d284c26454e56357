"""What went wrong, as HTTP says it: problem details (RFC 9457) with a status for each reason."""

import json
from http import HTTPStatus

from aiohttp import web

from framelane.gateway.answers import Failure

PROBLEM_TYPE = "application/problem+json"
# Whatever an operator makes of an image, it is that image's: another one may do.
_STATUS: dict[Failure, HTTPStatus] = {
    "empty": HTTPStatus.BAD_REQUEST,
    "bad_headers": HTTPStatus.BAD_REQUEST,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_many_pixels": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_an_image": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "undecodable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "operator_error": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_result": HTTPStatus.UNPROCESSABLE_ENTITY,
    "output_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "operator_timeout": HTTPStatus.GATEWAY_TIMEOUT,
    "no_reply": HTTPStatus.GATEWAY_TIMEOUT,
    "undeliverable": HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
STATUSES = sorted({int(status) for status in _STATUS.values()})
_RETRY_S = 1


def problem(failure: Failure, detail: str, *, name: str = "") -> web.Response:
    """The response. failure: stands in it as `reason`, and decides on the status; name: of the request's frame."""
    status = _STATUS.get(failure, HTTPStatus.UNPROCESSABLE_ENTITY)
    told: dict[str, str | int] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "reason": failure,
    }
    if name:
        told["instance"] = f"/frames/{name}"
    headers = {"Retry-After": str(_RETRY_S)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return web.Response(status=status, text=json.dumps(told), content_type=PROBLEM_TYPE, headers=headers)
