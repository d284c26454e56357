"""The rest of an endless answer, straight from its socket.

For a stream that comes in plain text and in one piece, asyncio and HTTP have done all that they are needed for once it
has begun: what they take for each piece is more than all else that is done with a picture that passes untouched.
"""

import select
import socket
import threading
import time

import aiohttp

from producers.sources.base import LOOK_S

_CHUNK = 256 * 1024
# With any of these, what is on the socket is not yet what is meant.
_WRAPPED = ("Transfer-Encoding", "Content-Encoding", "Content-Length")


class Stopped(Exception):
    """The wait has been ended by `stop`."""


class PlainSocket:
    """What comes on a socket; `close` it. Used by one thread."""

    def __init__(self, own: socket.socket, first: bytes) -> None:
        """Takes the socket over. first: what has been read of it already."""
        self._socket, self._first = own, first
        self._poll = select.poll()
        self._poll.register(own, select.POLLIN)

    def read(self, *, timeout_s: float, stop: threading.Event) -> bytes:
        """What comes next; empty at the end. Raises OSError, TimeoutError, or Stopped when it is stopped."""
        if self._first:
            first, self._first = self._first, b""
            return first
        deadline = time.monotonic() + timeout_s
        while not stop.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if self._poll.poll(min(left, LOOK_S) * 1000):
                return self._socket.recv(_CHUNK)
        raise Stopped

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


async def take_over(response: aiohttp.ClientResponse) -> PlainSocket | None:
    """The rest of the answer, which its response then must not be asked for; None where it has to be.

    To be awaited on the loop of the response, which must read nothing afterwards.
    """
    connection = response.connection
    transport = connection.transport if connection is not None else None
    if transport is None or any(name in response.headers for name in _WRAPPED):
        return None
    shared = transport.get_extra_info("socket")
    if shared is None or transport.get_extra_info("sslcontext") is not None:
        return None
    first = response.content.read_nowait()
    # Reading that may have made room for more.
    transport.pause_reading()
    return PlainSocket(shared.dup(), first)
