"""A stream of a response that waits for its client only so long."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

from starlette.responses import StreamingResponse
from starlette.types import Message, Send

SLOW_S = 30.0


class Patient(StreamingResponse):
    """Cuts off a client that takes nothing for `slow_s` seconds; its place is for another."""

    def __init__(
        self,
        stream: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        headers: Mapping[str, str],
        slow_s: float = SLOW_S,
    ) -> None:
        super().__init__(stream, media_type=media_type, headers=headers)
        self._stream, self._slow_s = stream, slow_s

    async def stream_response(self, send: Send) -> None:
        """Send the parts."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(self._slow_s):
                await send(message)

        async with aclosing(self._stream):
            with suppress(TimeoutError):
                await super().stream_response(patiently)
