import asyncio
from collections.abc import AsyncGenerator

from starlette.types import Message

from consumers.view.patient import Patient

SCOPE = {"type": "http", "method": "GET", "asgi": {"version": "3.0", "spec_version": "2.4"}}


async def served(*, takes: int) -> tuple[list[bytes], bool]:
    """Serve a stream without an end to a client that takes so much: the parts, and whether the stream was ended."""
    got: list[bytes] = []
    ended = False

    async def stream() -> AsyncGenerator[bytes, None]:
        nonlocal ended
        try:
            while True:
                yield b"part"
        finally:
            ended = True

    async def send(message: Message) -> None:
        if message["type"] != "http.response.body":
            return
        if len(got) == takes:
            await asyncio.Event().wait()
        got.append(message["body"])

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    response = Patient(stream(), media_type="text/plain", headers={}, slow_s=0.05)
    async with asyncio.timeout(5):
        await response(SCOPE, receive, send)
    return got, ended


def test_a_client_that_takes_nothing_any_more_is_cut_off() -> None:
    assert asyncio.run(served(takes=3)) == ([b"part"] * 3, True)
