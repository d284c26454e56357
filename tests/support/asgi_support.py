"""Asks an ASGI application in memory, as a server would."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message


@dataclass
class Answer:
    """status 101: a WebSocket was accepted. headers: by their names in lower case; raised: what came out of the app."""

    status: int
    headers: dict[str, str]
    body: bytes
    raised: Exception | None = None


def ask(
    app: ASGIApp,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    *,
    body: bytes = b"",
    client: str = "127.0.0.1",
    scheme: str = "http",
) -> Answer:
    """One request to 127.0.0.1:8088, unless the headers name another host. scheme "ws": to open a WebSocket."""
    return asyncio.run(_ask(app, path, method, {"host": "127.0.0.1:8088", **(headers or {})}, body, client, scheme))


async def _ask(
    app: ASGIApp, path: str, method: str, headers: Mapping[str, str], body: bytes, client: str, scheme: str
) -> Answer:
    parts, is_socket = urlsplit(path), scheme.startswith("ws")
    scope = {
        "type": "websocket" if is_socket else "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": (client, 50_000),
        "server": ("127.0.0.1", 8088),
    }
    if is_socket:
        scope |= {"subprotocols": [], "extensions": {"websocket.http.response": {}}}
        asked: list[Message] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    else:
        scope["method"] = method
        asked = [{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}]
    answer = Answer(0, {}, b"")

    async def receive() -> Message:
        return asked.pop(0) if asked else await asyncio.Future()

    async def send(message: Message) -> None:
        kind = message["type"].removeprefix("websocket.")
        if kind.endswith("http.response.start") or kind == "accept":
            answer.status = message.get("status", 101)
            answer.headers = {name.decode(): value.decode() for name, value in message.get("headers", ())}
        elif kind.endswith("http.response.body"):
            answer.body += message.get("body", b"")

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
        answer.raised = error
    return answer
