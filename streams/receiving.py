"""How fetched frames come in from the socket: straight into one buffer, a whole response at a time.

aiokafka reads through asyncio's StreamReader, which stops and starts the socket every 128 KiB and copies each byte
three more times. What is done here stands on aiokafka 0.14's connection, in the consumer's own thread.
"""

import asyncio
import struct
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason

_SIZE_BYTES = 4
_FIRST_BYTES = 64 * 1024


class ResponseProtocol(asyncio.BufferedProtocol):
    """Takes over a connection's transport from `before`, which goes on to see to writing and closing.

    buffer: grows to the largest response, and is used again for each.
    """

    def __init__(self, connection: AIOKafkaConnection, before: asyncio.Protocol) -> None:
        self._connection, self._before = connection, before
        self._buffer = bytearray(_FIRST_BYTES)
        self._filled = 0
        # Of the size's bytes, then of the response's.
        self._wanted = _SIZE_BYTES
        self._in_size = True

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go: no further than the end of what is being read."""
        return memoryview(self._buffer)[self._filled : self._wanted]

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes have come."""
        self._filled += nbytes
        if self._filled < self._wanted:
            return
        self._filled = 0
        if self._in_size:
            (self._wanted,) = struct.unpack_from(">i", self._buffer)
            self._in_size = False
            if len(self._buffer) < self._wanted:
                self._buffer = bytearray(self._wanted)
            if self._wanted > 0:
                return
        response = bytes(memoryview(self._buffer)[: self._wanted])
        self._wanted, self._in_size = _SIZE_BYTES, True
        try:
            self._connection._handle_frame(response)
        except Exception as error:  # noqa: BLE001 - as aiokafka's own reader: whatever it is, the connection is lost
            self._close(error)

    def eof_received(self) -> bool | None:
        """The broker has closed its end."""
        self._before.eof_received()
        self._close(ConnectionResetError("the broker has closed the connection"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._before.connection_lost(exc)
        self._close(exc or ConnectionResetError("the connection is closed"))

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._before.pause_writing()

    def resume_writing(self) -> None:
        """It has room again."""
        self._before.resume_writing()

    def _close(self, error: Exception) -> None:
        self._connection.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)


def receive_whole(client: Any) -> None:
    """Have every connection that an AIOKafkaClient opens from now on receive in this manner."""
    open_connection = client._get_conn

    async def get_connection(*args: Any, **kwargs: Any) -> Any:
        connection = await open_connection(*args, **kwargs)
        transport = connection and connection._writer and connection._writer.transport
        # Just opened: nothing is asked of it yet, so no part of a response has been read.
        if transport and not isinstance(transport.get_protocol(), ResponseProtocol) and not connection._requests:
            connection._read_task.cancel()
            transport.set_protocol(ResponseProtocol(connection, transport.get_protocol()))
        return connection

    client._get_conn = get_connection
