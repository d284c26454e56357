"""To and from a client that may take or send nothing, and why a gateway ends a connection."""

import asyncio
from collections.abc import Callable

# How often a client that stands still is looked at, and how long it may stand while others wait for room.
_LOOK_S, _CROWDED_S = 0.5, 2.0


class Refused(Exception):
    """The gateway ends the connection. reason: for the metrics."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


async def receive(reader: asyncio.StreamReader, size: int, *, crowded: Callable[[], bool]) -> bytes:
    """So many bytes of the client.

    crowded: whether others want the room that these bytes take; then the client may not stand still for long. Raises
    IncompleteReadError where it ends before, and Refused.
    """
    parts: list[bytes] = []
    left, stands_s = size, 0.0
    while left:
        try:
            async with asyncio.timeout(_LOOK_S):
                part = await reader.read(left)
        except TimeoutError:
            stands_s += _LOOK_S
            if stands_s >= _CROWDED_S and crowded():
                raise Refused(
                    f"it sent nothing for {stands_s:g} s, {left} bytes before the end of an image, while others waited",
                    reason="half_sent",
                ) from None
            continue
        if not part:
            raise asyncio.IncompleteReadError(b"".join(parts), size)
        parts.append(part)
        left, stands_s = left - len(part), 0.0
    return b"".join(parts)


async def drain(writer: asyncio.StreamWriter, *, limit_s: float, crowded: Callable[[], bool]) -> None:
    """Wait until the client has taken what was written, as long as it takes something.

    limit_s: how long it may take nothing. crowded: whether others want the room that its answers take; then it may do
    so for less. Raises Refused.
    """
    transport, left, stands_s = writer.transport, -1, 0.0
    draining = asyncio.ensure_future(writer.drain())
    try:
        while not (await asyncio.wait([draining], timeout=_LOOK_S))[0]:
            before, left = left, transport.get_write_buffer_size()
            stands_s = stands_s + _LOOK_S if left == before else 0.0
            if stands_s >= (min(_CROWDED_S, limit_s) if crowded() else limit_s):
                raise Refused(f"it took nothing for {stands_s:g} s", reason="not_read")
        draining.result()
    finally:
        draining.cancel()
