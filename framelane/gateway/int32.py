"""The protocol of Twisted's Int32StringReceiver: four bytes of length, most significant first, then so many bytes.

An image in, its reply out; replies leave a connection in the order in which it asked. The protocol knows only images,
so what has no reply is answered by an empty string.
"""

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass

from framelane.gateway.answers import Reply, Route, Unanswered
from framelane.gateway.budget import LARGEST, Budget, Room
from framelane.gateway.fitting import fit
from framelane.gateway.service import Service
from framelane.gateway.transfers import Refused, drain, receive
from streams.contract.errors import FrameError

log = logging.getLogger(__name__)

_LENGTH = struct.Struct(">I")
# How far the system reads ahead of us for each connection, and how much of a reply may wait in our own buffer.
_READ_AHEAD = 64 * 1024
_BACKLOG = 1024
# One connection may have so large a part of all bytes in hand: an eighth.
_SHARE = 8
# What a request costs at the least, be it empty: its task and its place.
_LEAST = 8192


class Int32Server:
    """Listens, and serves each connection until one side ends it."""

    def __init__(self, service: Service, route: Route) -> None:
        self._service, self._route = service, route
        self._server: asyncio.Server | None = None
        self._connections: dict[Connection, asyncio.Task[None]] = {}

    async def start(self, *, host: str, port: int) -> tuple[str, int]:
        """Listen; where. OSError where that cannot be. port: 0 is any free one."""
        self._server = await asyncio.start_server(self._connected, host, port, limit=_READ_AHEAD, backlog=_BACKLOG)
        address = self._server.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    async def close(self, *, limit_s: float) -> None:
        """Take no more, answer what is in hand, and end; what is not answered within the limit is cut off."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.finish()
        tasks = list(self._connections.values())
        if tasks:
            await asyncio.wait(tasks, timeout=limit_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self._service, self._route, reader, writer)
        task = self._connections[connection] = asyncio.create_task(connection.run())
        task.add_done_callback(lambda _: self._connections.pop(connection, None))


@dataclass(eq=False, slots=True)
class _Asked:
    """A request, and what it has of the connection's own budget and of all clients'; none where nothing was taken."""

    rooms: list[Room]
    answer: "asyncio.Task[bytes] | None" = None


class Connection:
    """One client: a reading side that asks, and a writing side that answers, each at its own pace."""

    def __init__(
        self, service: Service, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._service, self._route, self._reader, self._writer = service, route, reader, writer
        self._limits = service.limits
        # A client that never reads must not take everybody's room.
        share = Budget(
            requests=self._limits.each,
            size=max(int(self._limits.max_request / LARGEST) + 1, self._limits.size // _SHARE),
        )
        self._budgets = (share, service.budget)
        self._asked: asyncio.Queue[_Asked | None] = asyncio.Queue()
        self._in_hand: set[_Asked] = set()
        self._reading: asyncio.Task[None] | None = None
        self._answered_at = 0.0
        self.client = _address(writer)
        # A reply has gone when nothing of it waits here any more; only then does its room count as free.
        writer.transport.set_write_buffer_limits(high=0)

    async def run(self) -> None:
        """Serve the client until either side ends it; raises nothing."""
        self._service.metrics.connections.inc()
        self._reading = asyncio.create_task(self._read())
        sides = [self._reading, asyncio.create_task(self._answer())]
        try:
            # The answering side ends after the last answer, or where the client is gone or takes nothing.
            await asyncio.wait(sides, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for side in sides:
                side.cancel()
            for result in await asyncio.gather(*sides, return_exceptions=True):
                self._tell(result)
            self._drop()
            self._service.metrics.connections.dec()

    def finish(self) -> None:
        """Read no more; the connection ends with the last answer."""
        if self._reading is not None and self._reading.cancel():
            self._asked.put_nowait(None)

    async def _read(self) -> None:
        """Ask for what the client sends, until it sends no more."""
        while (size := await self._next_length()) is not None:
            # Who has enough in hand is not read from: TCP lets the client wait.
            asked = _Asked(await self._take(max(size, _LEAST)))
            if asked.rooms:
                try:
                    data = await self._next_bytes(size, crowded=self._crowded)
                except BaseException:
                    _give(asked.rooms)
                    raise
                asked.answer = asyncio.create_task(self._ask(asked, data))
                self._in_hand.add(asked)
            else:
                await self._skip(size)
            self._asked.put_nowait(asked)
        self._asked.put_nowait(None)

    async def _take(self, size: int) -> list[Room]:
        """Room for one more; empty when there has been none for as long as a reply may take.

        Its own share is waited for without a limit: that is freed by its own reading.
        """
        share, common = self._budgets
        rooms = [await share.take(size)]
        try:
            async with asyncio.timeout(self._service.exchange.timeout_s):
                # While others wait for workers, nothing more is read; the place itself is taken when the image is here.
                async with self._service.places:
                    pass
                rooms.append(await common.take(size))
        except TimeoutError:
            _give(rooms)
            return []
        except BaseException:
            _give(rooms)
            raise
        return rooms

    async def _skip(self, size: int) -> None:
        """Read over an image for which there is no room; it is answered like one that has no reply."""
        log.warning(
            "an image of %s is not taken: for %g s there was no place in the queue (--queue), or no room among the "
            "images in hand (--memory)",
            self.client,
            self._service.exchange.timeout_s,
        )
        while size > 0:
            part = min(size, _READ_AHEAD)
            await self._next_bytes(part, crowded=lambda: False)
            size -= part

    async def _next_length(self) -> int | None:
        """The next length; None when the client has ended its side between two strings."""
        clock = asyncio.get_running_loop().time
        silent_since = clock()
        while True:
            try:
                # It speaks, or is spoken to.
                async with asyncio.timeout_at(max(silent_since, self._answered_at) + self._limits.idle_s):
                    size = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))[0]
                break
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise Refused("it ended within a length", reason="half_sent") from error
                return None
            except TimeoutError as error:
                if self._in_hand:
                    silent_since = clock()
                elif clock() >= max(silent_since, self._answered_at) + self._limits.idle_s:
                    raise Refused(f"it was silent for {self._limits.idle_s:g} s", reason="idle") from error
        if size > self._limits.max_request:
            raise Refused(
                f"it announced {size} bytes, the limit is {self._limits.max_request} (--max-request)",
                reason="too_large",
            )
        return int(size)

    async def _next_bytes(self, size: int, *, crowded: Callable[[], bool]) -> bytes:
        try:
            async with asyncio.timeout(self._limits.transfer_s):
                return await receive(self._reader, size, crowded=crowded)
        except asyncio.IncompleteReadError as error:
            raise Refused(f"it ended after {len(error.partial)} of {size} bytes", reason="half_sent") from error
        except TimeoutError as error:
            raise Refused(
                f"{size} bytes did not come within {self._limits.transfer_s:g} s (--transfer-limit)", reason="half_sent"
            ) from error

    async def _ask(self, asked: _Asked, data: bytes) -> bytes:
        """The answer as it goes out: an empty string where there is no reply."""
        try:
            reply = await self._service.ask(data, self._route, protocol="int32", client=self.client)
        except Unanswered:
            return b""
        answer = await self._fitted(reply)
        for room in asked.rooms:
            room.grow(max(0, len(answer) - room.size))
        return answer

    async def _fitted(self, reply: Reply) -> bytes:
        most = self._limits.max_reply
        if not most or len(reply.data) <= most:
            return reply.data
        self._service.metrics.refitted.inc()
        try:
            data = await asyncio.to_thread(fit, reply.data, reply.content_type, max_bytes=most)
        except FrameError as error:
            log.warning("%s of %s: %s", reply.name, self.client, error)
            return b""
        log.debug(
            "%s of %s: %d bytes became %d, as --max-reply has it", reply.name, self.client, len(reply.data), len(data)
        )
        return data

    async def _answer(self) -> None:
        """Send the answers in their order, until the last."""
        while (asked := await self._asked.get()) is not None:
            data = await asked.answer if asked.answer is not None else b""
            self._writer.write(_LENGTH.pack(len(data)) + data)
            limit_s = self._limits.transfer_s
            await drain(self._writer, limit_s=limit_s, crowded=self._crowded)
            self._answered_at = asyncio.get_running_loop().time()
            if asked.answer is not None:
                self._in_hand.remove(asked)
                _give(asked.rooms)

    def _crowded(self) -> bool:
        """Whether others wait for the room that this client's images take."""
        return self._budgets[1].waiting > 0

    def _tell(self, result: object) -> None:
        """What ended one of the two sides."""
        if isinstance(result, Refused):
            self._service.metrics.refused.labels(result.reason).inc()
            log.warning("the connection of %s is closed: %s", self.client, result)
        elif isinstance(result, (ConnectionError, OSError)):
            log.debug("%s is gone: %s", self.client, result)
        elif isinstance(result, Exception):
            # A defect of ours: told whole, and only this connection ends.
            log.error("the connection of %s is closed by a defect", self.client, exc_info=result)

    def _drop(self) -> None:
        """End the connection, and whatever was asked for and not answered."""
        for asked in self._in_hand:
            if asked.answer is not None:
                asked.answer.cancel()
            _give(asked.rooms)
        self._in_hand.clear()
        transport = self._writer.transport
        # What was written and is on its way still goes, unless the client takes nothing.
        if transport.get_write_buffer_size():
            transport.abort()
        with contextlib.suppress(OSError):
            self._writer.close()


def _give(rooms: list[Room]) -> None:
    for room in rooms:
        room.give()


def _address(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "a client"
