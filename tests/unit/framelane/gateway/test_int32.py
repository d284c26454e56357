"""Connections of the Int32 protocol, over real sockets, in front of an exchange that echoes."""

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from echo_exchange import ROUTE, EchoExchange, Rule, echo, echo_service, until
from hypothesis import given, settings
from hypothesis import strategies as st

from framelane.gateway.int32 import Int32Server
from framelane.gateway.service import GatewayLimits, Service

LENGTH = struct.Struct(">I")


def framed(*texts: bytes) -> bytes:
    return b"".join(LENGTH.pack(len(text)) + text for text in texts)


class Served:
    """A server, and clients of it."""

    def __init__(self, service: Service, exchange: EchoExchange, server: Int32Server, address: tuple[str, int]) -> None:
        self.service, self.exchange, self.server, self.address = service, exchange, server, address

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.address)

    async def ask(self, *texts: bytes) -> list[bytes]:
        """Send all at once, and read as many answers."""
        reader, writer = await self.connect()
        writer.write(framed(*texts))
        answers = [await read(reader) for _ in texts]
        writer.close()
        return answers

    async def idle(self) -> None:
        """Wait until nothing is in hand any more."""
        budget = self.service.budget
        await until(lambda: not (budget.size or budget.requests or self.exchange.under_way))

    def refused(self, reason: str) -> float:
        return self.service.metrics.refused.labels(reason)._value.get()  # type: ignore[no-any-return]


async def read(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(LENGTH.unpack(await reader.readexactly(4))[0])


@asynccontextmanager
async def served(
    limits: GatewayLimits | None = None, rule: Rule = echo, *, timeout_s: float = 5.0
) -> AsyncIterator[Served]:
    # What nobody caught: an exception that escapes from a task or a callback.
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    service, exchange = echo_service(limits, rule, timeout_s=timeout_s)
    server = Int32Server(service, ROUTE)
    address = await server.start(host="127.0.0.1", port=0)
    try:
        yield Served(service, exchange, server, address)
    finally:
        await server.close(limit_s=1.0)
    assert escaped == []
    assert (service.budget.size, service.budget.requests, service.budget.waiting) == (0, 0, 0)
    assert service.metrics.connections._value.get() == 0


def run(case: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(case, 30))


def test_answers_come_in_the_order_asked_whichever_is_ready_first() -> None:
    async def later_first(data: bytes) -> bytes:
        # The first takes longest.
        await asyncio.sleep(0.05 - 0.001 * int(data))
        return data

    async def case() -> None:
        async with served(rule=later_first) as gateway:
            texts = [b"%d" % number for number in range(50)]
            assert await gateway.ask(*texts) == texts
            assert gateway.exchange.most > 10

    run(case())


def test_what_cannot_be_processed_is_answered_by_an_empty_string_in_its_place() -> None:
    async def case() -> None:
        async with served() as gateway:
            assert await gateway.ask(b"one", b"bad", b"", b"two") == [b"one", b"", b"", b"two"]

    run(case())


def test_a_length_above_the_limit_closes_at_once() -> None:
    async def case() -> None:
        async with served(GatewayLimits(max_request=1000)) as gateway:
            reader, writer = await gateway.connect()
            writer.write(LENGTH.pack(1001))
            assert await reader.read() == b""
            writer.close()
            assert gateway.exchange.asked == []
            assert gateway.refused("too_large") == 1

    run(case())


@pytest.mark.parametrize("sent", [b"\x00\x00", LENGTH.pack(100) + b"x" * 99], ids=["length", "image"])
def test_half_sent_and_gone(sent: bytes) -> None:
    async def case() -> None:
        async with served() as gateway:
            reader, writer = await gateway.connect()
            writer.write(sent)
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            assert gateway.refused("half_sent") == 1
            assert gateway.exchange.asked == []

    run(case())


def test_half_sent_and_silent_is_closed_after_its_time() -> None:
    async def case() -> None:
        async with served(GatewayLimits(transfer_s=0.05)) as gateway:
            reader, writer = await gateway.connect()
            writer.write(LENGTH.pack(100) + b"x" * 99)
            assert await reader.read() == b""
            writer.close()
            assert gateway.refused("half_sent") == 1

    run(case())


def test_a_silent_connection_is_closed_after_its_time_and_one_that_waits_is_not() -> None:
    async def slow(data: bytes) -> bytes:
        await asyncio.sleep(0.3)
        return data

    async def case() -> None:
        async with served(GatewayLimits(idle_s=0.1), slow) as gateway:
            assert await gateway.ask(b"patience") == [b"patience"]
            reader, writer = await gateway.connect()
            assert await reader.read() == b""
            writer.close()
            assert gateway.refused("idle") == 1

    run(case())


def test_a_client_that_ends_its_side_still_gets_what_it_asked() -> None:
    async def case() -> None:
        async with served() as gateway:
            reader, writer = await gateway.connect()
            writer.write(framed(b"one", b"two"))
            writer.write_eof()
            assert await reader.read() == framed(b"one", b"two")
            writer.close()

    run(case())


def test_a_client_that_never_reads_is_closed_and_holds_no_more_than_its_share() -> None:
    large = b"x" * 100_000

    async def case() -> None:
        limits = GatewayLimits(max_reply=0, max_request=1_000_000, size=8_000_000, transfer_s=1.0)
        async with served(limits) as gateway:
            _, writer = await gateway.connect()
            # More than sockets and the gateway take.
            writer.write(framed(*[large] * 300))
            while not gateway.refused("not_read"):
                assert gateway.service.budget.size <= 1_200_000
                # The others are not disturbed.
                assert await gateway.ask(b"other") == [b"other"]
                await asyncio.sleep(0.02)
            assert len(gateway.exchange.asked) < 300 + gateway.refused("not_read") * 100
            writer.transport.abort()

    run(case())


def test_a_client_that_reads_slowly_gets_everything() -> None:
    large = b"x" * 100_000

    async def case() -> None:
        async with served(GatewayLimits(max_reply=0, transfer_s=1.0)) as gateway:
            reader, writer = await gateway.connect()
            writer.write(framed(*[large] * 100))
            for _ in range(100):
                assert await read(reader) == large
                await asyncio.sleep(0.002)
            writer.close()

    run(case())


def test_the_last_answer_arrives_whole_though_sockets_take_little() -> None:
    # Less than a transport buffers before it asks to wait.
    large = b"x" * 60_000

    async def case() -> None:
        async with served() as gateway:
            # What it accepts from now on has so little room, too.
            assert gateway.server._server is not None
            gateway.server._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.setblocking(False)
                await asyncio.get_running_loop().sock_connect(client, gateway.address)
                reader, writer = await asyncio.open_connection(sock=client, limit=4096)
                writer.write(framed(large))
                writer.write_eof()
                # The gateway has done with it long before it is read.
                await until(lambda: gateway.exchange.asked and not gateway.exchange.under_way)
                await asyncio.sleep(0.1)
                assert await reader.read() == framed(large)
                writer.close()

    run(case())


def test_without_room_for_as_long_as_a_reply_may_take_the_answer_is_empty() -> None:
    async def case() -> None:
        limits = GatewayLimits(max_request=600_000, size=800_000)
        async with served(limits, timeout_s=0.1) as gateway:
            holder, holder_writer = await gateway.connect()
            holder_writer.write(LENGTH.pack(600_000) + b"x")
            await until(lambda: gateway.service.budget.size)
            assert await gateway.ask(b"y" * 500_000, b"small") == [b"", b"small"]
            assert gateway.exchange.asked == [b"small"]
            holder_writer.write(b"x" * 599_999)
            assert len(await read(holder)) <= 600_000
            holder_writer.close()

    run(case())


def test_answers_that_wait_behind_a_slow_one_count_as_in_hand() -> None:
    free = asyncio.Event()

    async def first_is_slow(data: bytes) -> bytes:
        if data == b"slow":
            await free.wait()
        return b"x" * 50_000

    async def case() -> None:
        async with served(rule=first_is_slow) as gateway:
            reader, writer = await gateway.connect()
            writer.write(framed(b"slow", *[b"quick"] * 9))
            await until(lambda: gateway.service.budget.size >= 9 * 50_000)
            free.set()
            assert [len(await read(reader)) for _ in range(10)] == [50_000] * 10
            writer.close()

    run(case())


def test_a_full_queue_is_answered_empty_after_its_time_and_reads_on() -> None:
    free = asyncio.Event()

    async def stuck(data: bytes) -> bytes:
        await free.wait()
        return data

    async def case() -> None:
        async with served(GatewayLimits(queue=2), stuck, timeout_s=0.2) as gateway:
            reader, writer = await gateway.connect()
            first, first_writer = await gateway.connect()
            first_writer.write(framed(b"1", b"2"))
            await until(lambda: len(gateway.exchange.asked) == 2)
            writer.write(framed(b"3"))
            assert await read(reader) == b""
            free.set()
            assert [await read(first), await read(first)] == [b"1", b"2"]
            writer.close()
            first_writer.close()
            assert gateway.exchange.asked == [b"1", b"2"]

    run(case())


def test_while_the_queue_is_full_nothing_is_read() -> None:
    free = asyncio.Event()

    async def stuck(data: bytes) -> bytes:
        await free.wait()
        return data

    async def case() -> None:
        async with served(GatewayLimits(queue=4), stuck) as gateway:
            reader, writer = await gateway.connect()
            # More than sockets take.
            writer.write(framed(*[b"x" * 90_000] * 200))
            await until(lambda: gateway.exchange.under_way == 4)
            await asyncio.sleep(0.2)
            # Those under way, and the few that were read before these had their places.
            assert gateway.service.budget.requests <= 8
            assert writer.transport.get_write_buffer_size() > 0
            free.set()
            for _ in range(200):
                assert await read(reader) == b"x" * 90_000
            writer.close()

    run(case())


def test_half_sent_images_let_others_pass() -> None:
    async def case() -> None:
        async with served(GatewayLimits(max_request=1_000_000, size=2_000_000)) as gateway:
            writers = []
            for _ in range(20):
                _, writer = await gateway.connect()
                writer.write(LENGTH.pack(1_000_000) + b"x" * 1000)
                writers.append(writer)
            await until(lambda: gateway.service.budget.waiting == 19)
            assert gateway.service.budget.size == 1_000_000
            assert await gateway.ask(b"small") == [b"small"]
            for writer in writers:
                writer.transport.abort()
            await gateway.idle()

    run(case())


def test_who_stands_still_within_an_image_is_closed_while_others_wait_for_its_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def case() -> None:
        async with served(GatewayLimits(max_request=1_000_000, max_reply=0, size=2_000_000)) as gateway:
            first, first_writer = await gateway.connect()
            first_writer.write(LENGTH.pack(1_000_000) + b"x" * 1000)
            await until(lambda: gateway.service.budget.size == 1_000_000)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await first.read()
            # Another wants its room.
            assert await gateway.ask(b"y" * 1_000_000) == [b"y" * 1_000_000]
            assert await first.read() == b""
            assert gateway.refused("half_sent") == 1
            first_writer.close()

    monkeypatch.setattr("framelane.gateway.transfers._LOOK_S", 0.02)
    monkeypatch.setattr("framelane.gateway.transfers._CROWDED_S", 0.1)
    run(case())


def test_who_sends_slowly_is_waited_for_whoever_wants_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def case() -> None:
        async with served(GatewayLimits(max_request=1_000_000, max_reply=0, size=2_000_000)) as gateway:
            slow, slow_writer = await gateway.connect()
            slow_writer.write(LENGTH.pack(1_000_000))
            await until(lambda: gateway.service.budget.size == 1_000_000)
            other = asyncio.create_task(gateway.ask(b"y" * 1_000_000))
            for _ in range(20):
                slow_writer.write(b"x" * 50_000)
                await asyncio.sleep(0.02)
            assert await read(slow) == b"x" * 1_000_000
            assert await other == [b"y" * 1_000_000]
            slow_writer.close()

    monkeypatch.setattr("framelane.gateway.transfers._LOOK_S", 0.05)
    monkeypatch.setattr("framelane.gateway.transfers._CROWDED_S", 0.25)
    run(case())


def test_a_thousand_silent_connections_disturb_nobody() -> None:
    async def case() -> None:
        async with served() as gateway:
            silent = [await gateway.connect() for _ in range(1000)]
            assert await gateway.ask(b"here") == [b"here"]
            for _, writer in silent:
                writer.close()

    run(case())


def test_the_end_lets_those_who_asked_have_their_answers() -> None:
    async def slow(data: bytes) -> bytes:
        await asyncio.sleep(0.1)
        return data

    async def case() -> None:
        async with served(rule=slow) as gateway:
            reader, writer = await gateway.connect()
            writer.write(framed(b"one", b"two"))
            await until(lambda: gateway.exchange.under_way == 2)
            closing = asyncio.create_task(gateway.server.close(limit_s=5))
            assert await reader.read() == framed(b"one", b"two")
            await closing
            writer.close()

    run(case())


@settings(max_examples=100, deadline=None)
@given(
    streams=st.lists(
        st.one_of(
            st.binary(max_size=300),
            st.lists(st.binary(max_size=60), max_size=6).map(lambda texts: framed(*texts)),
            st.lists(st.binary(max_size=60), max_size=6).map(lambda texts: framed(*texts)[:-1]),
        ),
        min_size=1,
        max_size=4,
    ),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    ends=st.sampled_from(["eof", "abort", "close"]),
)
def test_whatever_bytes_come_nothing_escapes_and_nothing_is_left(
    streams: list[bytes], cuts: list[int], ends: str
) -> None:
    async def client(gateway: Served, stream: bytes) -> None:
        reader, writer = await gateway.connect()
        sizes = itertools.cycle(cuts)
        while stream:
            size = next(sizes)
            writer.write(stream[:size])
            stream = stream[size:]
            await asyncio.sleep(0)
        if ends == "abort":
            writer.transport.abort()
            return
        if ends == "close":
            writer.close()
            return
        # The gateway may have closed it long ago.
        with suppress(OSError):
            writer.write_eof()
            await reader.read()
        writer.close()

    async def case() -> None:
        async with served(GatewayLimits(max_request=100, transfer_s=5, idle_s=5)) as gateway:
            await asyncio.gather(*(client(gateway, stream) for stream in streams))
            await gateway.idle()
            # It serves on.
            assert await gateway.ask(b"here") == [b"here"]

    run(case())
