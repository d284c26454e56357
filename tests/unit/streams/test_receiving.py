"""Responses come in whole, however the network cuts them, and a connection that ends is told of."""

import asyncio
import random
import struct
from collections.abc import Sequence

import pytest

from streams.receiving import ResponseProtocol

WAIT_S = 10


class Connection:
    """Notes what an AIOKafkaConnection would be handed."""

    def __init__(self) -> None:
        self.responses: list[bytes] = []
        self.errors: list[Exception] = []
        self.ended = asyncio.Event()

    def _handle_frame(self, response: bytes) -> None:
        if response == b"nonsense":
            raise ValueError("no such response")
        self.responses.append(response)

    def close(self, *, reason: object, exc: Exception) -> None:
        self.errors.append(exc)
        self.ended.set()


def received(chunks: Sequence[bytes]) -> Connection:
    """What comes of these bytes, sent in these pieces over a real socket, which is closed behind them."""

    async def run() -> Connection:
        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        connection = Connection()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        before = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.create_connection(lambda: before, *server.sockets[0].getsockname())
        transport.set_protocol(ResponseProtocol(connection, before))  # type: ignore[arg-type]
        await asyncio.wait_for(connection.ended.wait(), WAIT_S)
        assert reader.at_eof()
        transport.close()
        server.close()
        return connection

    return asyncio.run(run())


def framed(response: bytes) -> bytes:
    return struct.pack(">i", len(response)) + response


@pytest.mark.parametrize("piece", [1, 3, 1000, 70_000, 10**7])
def test_responses_come_whole_and_in_order(piece: int) -> None:
    source = random.Random(piece)
    sizes = [0, 1, 5, 100] if piece < 10 else [5, 0, 300_000, 64 * 1024, 64 * 1024 + 1, 1_000_000, 3]
    responses = [source.randbytes(size) for size in sizes]
    stream = b"".join(framed(response) for response in responses)

    found = received([stream[at : at + piece] for at in range(0, len(stream), piece)])

    assert found.responses == responses
    assert isinstance(found.errors[0], ConnectionResetError)


def test_a_response_that_cannot_be_read_ends_the_connection() -> None:
    found = received([framed(b"good"), framed(b"nonsense")])

    assert found.responses == [b"good"]
    assert isinstance(found.errors[0], ValueError)


def test_a_response_that_is_cut_short_is_not_handed_on() -> None:
    found = received([framed(b"good"), framed(b"a longer one")[:-1]])

    assert found.responses == [b"good"]
