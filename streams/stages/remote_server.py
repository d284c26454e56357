"""The socket that programs connect to for frames: whoever is free gets the next one.

A thread of its own runs the event loop of all connections; `process` is called in the threads that process frames, and
waits there. Order is not its business: the lane publishes results in the order of the frames.
"""

import asyncio
import contextlib
import logging
import struct
import threading
import weakref
from collections import deque
from concurrent.futures import TimeoutError as NotInTime

from streams.contract.errors import FrameError, SettingError
from streams.stages.remote_access import Access

log = logging.getLogger(__name__)

_LENGTH = struct.Struct(">I")
_MAX_BYTES = 64 * 1024 * 1024
_START_S = 10.0
# A program that is late with an answer is waited for, so long, before it is taken for hung; nobody wants the answer.
_LATE_S = 60.0
_GRACE_S = 1.0


class _Program:
    """A connected program. It has one frame at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        self._reader, self._writer, self.name = reader, writer, name
        self.answer: asyncio.Future[bytes] | None = None

    def hand(self, data: bytes) -> "asyncio.Future[bytes]":
        """Send it an image; its answer. ConnectionError when it goes away before."""
        self.answer = asyncio.get_running_loop().create_future()
        self._writer.write(_LENGTH.pack(len(data)) + data)
        return self.answer

    async def read(self) -> None:
        """Take its answers until it goes; raises what ends the connection."""
        while True:
            size = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))[0]
            if self.answer is None:
                raise ConnectionError("it sent an image without having been handed one")
            if size > _MAX_BYTES:
                raise ConnectionError(f"it announced {size} bytes, the limit is {_MAX_BYTES}")
            data = await self._reader.readexactly(size)
            answer, self.answer = self.answer, None
            if not answer.done():
                answer.set_result(data)

    def close(self, why: str) -> None:
        """It is gone; whatever it had has to be given to another."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionError(why))
            # It may be that nobody waits for it any more.
            self.answer.exception()
        self.answer = None
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.transport.abort()


class _Hub:
    """All connections, and the frames that wait for one: lives on its own event loop."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._free: deque[_Program] = deque()
        self._waiting: deque[asyncio.Future[_Program]] = deque()
        self.programs: set[_Program] = set()
        self.loop = asyncio.new_event_loop()
        self.address = ("", 0)
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Listen; OSError where that cannot be."""
        host, port = self.access.address
        self._server = await asyncio.start_server(self._connected, host, port, ssl=self.access.tls())
        found = self._server.sockets[0].getsockname()
        self.address = (str(found[0]), int(found[1]))
        log.info("programs may connect for frames at %s:%d", *self.address)

    async def close(self) -> None:
        """Listen no more, and let all programs go."""
        if self._server is not None:
            self._server.close()
        for program in list(self.programs):
            program.close("the worker listens no more")

    async def process(self, data: bytes, timeout_s: float) -> bytes:
        """What a program makes of it; TimeoutError when none has within the limit."""
        async with asyncio.timeout(timeout_s):
            while True:
                program = await self._next()
                answer = program.hand(data)
                try:
                    result = await asyncio.shield(answer)
                except ConnectionError as error:
                    log.warning("program %s is lost, its frame goes to another: %s", program.name, error)
                    continue
                except asyncio.CancelledError:
                    self._watch_late(program, answer)
                    raise
                self._release(program)
                return result

    async def _next(self) -> _Program:
        """The next program that is free: whoever has waited longest."""
        while True:
            program = self._free.popleft() if self._free else await self._turn()
            # It may have gone while this task was being woken.
            if program in self.programs:
                return program

    async def _turn(self) -> _Program:
        turn: asyncio.Future[_Program] = self.loop.create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.done() and not turn.cancelled():
                self._release(turn.result())
            raise

    def _release(self, program: _Program) -> None:
        """It is free, if it is still there."""
        if program not in self.programs:
            return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(program)
                return
        self._free.append(program)

    def _watch_late(self, program: _Program, answer: "asyncio.Future[bytes]") -> None:
        """Its frame was given up; until it has answered all the same, it gets no other."""
        hung = self.loop.call_later(_LATE_S, lambda: program.close(f"it has not answered for {_LATE_S:g} s"))

        def over(answer: "asyncio.Future[bytes]") -> None:
            hung.cancel()
            if not answer.cancelled() and answer.exception() is None:
                self._release(program)

        answer.add_done_callback(over)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        name = f"{peer[0]}:{peer[1]}"
        if not self.access.admits(str(peer[0])):
            log.warning("program %s may not connect: it is not in allow of the stage remote", name)
            writer.transport.abort()
            return
        program = _Program(reader, writer, name)
        self.programs.add(program)
        log.info("program %s has connected for frames; there are %d", name, len(self.programs))
        self._release(program)
        why = "it ended the connection"
        try:
            await program.read()
        except asyncio.IncompleteReadError:
            pass
        except OSError as error:
            why = str(error)
        finally:
            self.programs.discard(program)
            with contextlib.suppress(ValueError):
                self._free.remove(program)
            program.close(why)
            log.info("program %s is gone: %s; there are %d", name, why, len(self.programs))


class RemoteServer:
    """A listening socket; it closes when nobody holds the object any more."""

    def __init__(self, access: Access) -> None:
        """Listen. OSError where that cannot be, SettingError for certificates that cannot be used."""
        self._hub = hub = _Hub(access)
        thread = threading.Thread(target=_run, args=(hub.loop,), name="remote", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(hub.listen(), hub.loop).result(_START_S)
        except BaseException:
            _stop(hub)
            raise
        # Neither the thread nor this holds the object, so that it can go.
        weakref.finalize(self, _stop, hub)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._hub.address

    def admit(self, access: Access) -> None:
        """Admit others from now on; who is connected stays. SettingError for other certificates."""
        before = self._hub.access
        if (before.cert, before.key, before.ca) != (access.cert, access.key, access.ca):
            raise SettingError(
                f"remote: at {self.address[0]}:{self.address[1]} this worker has other certificates: restart it to "
                "change cert, key and ca"
            )
        self._hub.access = access

    def process(self, data: bytes, *, timeout_s: float) -> bytes:
        """What a program makes of the image. Waits; to be called in any thread but the loop's.

        Raises FrameError (operator_timeout) when none has answered in time.
        """
        asked = asyncio.run_coroutine_threadsafe(self._hub.process(data, timeout_s), self._hub.loop)
        try:
            return asked.result(timeout_s + _GRACE_S)
        except (TimeoutError, NotInTime) as error:
            asked.cancel()
            connected = len(self._hub.programs)
            why = f"{connected} connected" if connected else "none is connected"
            raise FrameError(
                f"no program at {self.address[0]}:{self.address[1]} has answered within {timeout_s:g} s: {why}",
                reason="operator_timeout",
                stage="remote",
            ) from error


def server_at(access: Access) -> RemoteServer:
    """The server at this address: the one that there is, which from now on admits whom this access does, or a new one.

    Raises SettingError where the one that there is has other certificates.
    """
    with _LOCK:
        server = _SERVERS.get(access.address)
        if server is None:
            server = _SERVERS[access.address] = RemoteServer(access)
        else:
            server.admit(access)
        return server


# Of this process: pipelines that are made again while they run go on with the socket that there is.
_LOCK = threading.Lock()
_SERVERS: "weakref.WeakValueDictionary[tuple[str, int], RemoteServer]" = weakref.WeakValueDictionary()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


def _stop(hub: _Hub) -> None:
    async def end() -> None:
        await hub.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        hub.loop.stop()

    ending = end()
    try:
        asyncio.run_coroutine_threadsafe(ending, hub.loop)
    except RuntimeError:
        ending.close()
