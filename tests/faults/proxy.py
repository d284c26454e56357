"""A TCP proxy that does to connections what networks do: cut, black hole, reset, half open, delay, a narrow line.

What its methods set holds for all connections and both directions until `heal`.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

HOST = "127.0.0.1"
_CHUNK = 64 * 1024
# Linger for no time at all: what is closed so ends by RST.
_RST = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the way is like. delay_s, jitter_s: of a chunk. bytes_per_s: of a connection's direction; 0: no limit."""

    refuses: bool = False
    holds: bool = False
    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Pair:
    """A client's connection and the one to the server that belongs to it. deaf: the client is not told of its end."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    deaf: bool = False


class Proxy:
    """Passes what comes at `port` on to the port `target`; a context manager, with a thread of its own.

    port: known from the moment that it is made, so that it can be advertised before anything listens at `target`.
    """

    def __init__(self, target: int, *, seed: int = 1) -> None:
        self._target, self._random = target, random.Random(seed)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._line, self._pairs = Line(), set[_Pair]()
        self._loop, self._changed = asyncio.new_event_loop(), asyncio.Condition()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._pairs)

    def cut(self) -> None:
        """End all connections, and new ones at once."""
        self._do(self._set(Line(refuses=True), _close))

    def black_hole(self) -> None:
        """Nothing gets through, and nobody is told; what was sent arrives after `heal`, as TCP would have it."""
        self._do(self._set(Line(holds=True)))

    def reset(self) -> None:
        """End all connections by RST; new ones are as good as ever."""
        self._do(self._set(Line(), _reset))

    def half_open(self) -> None:
        """The server's ends of all connections go, and clients hear nothing of it, ever; new ones are good."""
        self._do(self._set(Line(), _forsake))

    def slow(self, *, delay_s: float = 0.0, jitter_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        """Each chunk is late by delay_s, give or take jitter_s, in its order; and no more than so many bytes/s pass."""
        self._do(self._set(Line(delay_s=delay_s, jitter_s=jitter_s, bytes_per_s=bytes_per_s)))

    def heal(self) -> None:
        """All is well from now on."""
        self._do(self._set(Line()))

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    async def _set(self, line: Line, then: Callable[[_Pair], None] | None = None) -> None:
        self._line = line
        async with self._changed:
            self._changed.notify_all()
        for pair in list(self._pairs) if then else []:
            then(pair)  # type: ignore[misc]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._listener)

    async def _close(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            if self._line.refuses:
                raise ConnectionRefusedError
            back, server = await asyncio.open_connection(HOST, self._target)
        except OSError:
            client.transport.abort()
            return
        pair = _Pair(client, server)
        self._pairs.add(pair)
        try:
            up, down = (asyncio.create_task(self._pass_on(pair, *way)) for way in ((reader, server), (back, client)))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if pair.deaf:
                await up
        except asyncio.CancelledError:
            # The proxy ends; asyncio would log that as an error.
            pass
        finally:
            self._pairs.discard(pair)
            for task in (up, down):
                task.cancel()
            _close(pair)

    async def _pass_on(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, until whoever sends ends it."""
        due, chunk = 0.0, b"?"
        with suppress(OSError):
            while chunk:
                chunk = await reader.read(_CHUNK)
                async with self._changed:
                    await self._changed.wait_for(lambda: not self._line.holds)
                line = self._line
                if line.bytes_per_s:
                    await asyncio.sleep(len(chunk) / line.bytes_per_s)
                late_s = max(0.0, line.delay_s + self._random.uniform(-line.jitter_s, line.jitter_s))
                # Never before the one ahead of it, and not after it has been waited for: a long way is no narrow one.
                due = max(due + 1e-6, self._loop.time() + late_s)
                if pair.deaf or not chunk:
                    continue
                self._loop.call_at(due, writer.write, chunk) if late_s else writer.write(chunk)
                await writer.drain()
            await asyncio.sleep(max(0.0, due - self._loop.time()))


def _close(pair: _Pair) -> None:
    pair.client.close()
    pair.server.close()


def _reset(pair: _Pair) -> None:
    for end in (pair.client, pair.server):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        end.transport.abort()


def _forsake(pair: _Pair) -> None:
    pair.deaf = True
    pair.server.transport.abort()
