"""Sending to a client that may take nothing, and why a gateway ends a connection."""

import asyncio
from collections.abc import Callable

# How often a client that takes nothing is looked at, and how long it may stand while others wait for room.
_LOOK_S, _CROWDED_S = 0.5, 2.0


class Refused(Exception):
    """The gateway ends the connection. reason: for the metrics."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


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
